"""The gateway's pages: complete, well-formed, and every link in them leads somewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest

from deploy.gateway.reference import write_site
from deploy.gateway.reference.schemas import Field, Schemas
from libs.common.bus.topology import consumed_queues
from libs.common.events import SERVICES, all_events
from libs.common.service import Parts

VOID = {"meta", "link", "br", "img", "hr", "input"}
INBOX = "http://127.0.0.1:9999/"


class Page(HTMLParser):
    """Reads a page and notes what is wrong with it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.outside: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if tag in ("link", "img", "script", "iframe"):
            self.outside.append(str(given.get("href") or given.get("src") or ""))
        if tag == "img" and not given.get("alt"):
            self.faults.append("an image without alternative text")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing, line {self.getpos()[0]}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gateway") / "site"
    write_site(folder, inbox=INBOX)
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Every page by its address."""
    return {f"/{file.relative_to(site)}": Page(file.read_text()) for file in site.rglob("*.html")}


def test_pages_are_well_formed_with_unique_anchors(pages: dict[str, Page]) -> None:
    for address, page in pages.items():
        assert page.faults == [], address
        assert len(page.ids) == len(set(page.ids)), address


def test_pages_load_nothing_from_elsewhere(pages: dict[str, Page]) -> None:
    loaded = {place for page in pages.values() for place in page.outside}
    assert all(place.startswith(("/", "data:")) or not re.match(r"[a-z]+:", place) for place in loaded)


def test_every_link_leads_to_a_page_and_an_anchor_of_it(site: Path, pages: dict[str, Page]) -> None:
    for address, page in pages.items():
        for link in page.links:
            if re.match(r"https?:", link) or link.startswith("/api/"):
                continue
            path, _, anchor = urljoin(address, link).partition("#")
            file = f"{path}index.html" if path.endswith("/") else path
            assert (site / file.lstrip("/")).is_file(), f"{address}: {link}"
            assert not anchor or anchor in pages[file].ids, f"{address}: {link}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_of_a_service_stands_on_its_page(service: str, site: Path, parts: dict[str, Parts]) -> None:
    text = (site / "docs" / "api" / service / "index.html").read_text()
    api = parts[service].api
    assert api.routes
    for route in api.routes:
        assert f'id="{route.operation_id}"' in text
        assert f"<code>{api.base}{route.path}</code>" in text
        for scope in route.scopes or ():
            assert f"<code>{scope}</code>" in text


@pytest.mark.parametrize("key", all_events())
def test_every_event_stands_in_the_bus_reference_with_its_fields(key: str, site: Path) -> None:
    text = (site / "docs" / "bus" / "index.html").read_text()
    section = text[text.index(f'<section id="{key}"') :]
    section = section[: section.index("</section>")]
    for name in all_events()[key].model_fields:
        assert f"<code>{name}</code>" in section


def test_every_queue_stands_in_the_bus_reference(site: Path) -> None:
    text = (site / "docs" / "bus" / "index.html").read_text()
    for service in SERVICES:
        for queue in consumed_queues(service):
            assert f"<code>{queue}</code>" in text


def test_start_page_leads_to_every_reference_and_the_inbox(pages: dict[str, Page]) -> None:
    links = set(pages["/docs/index.html"].links)
    assert {f"/docs/api/{service}/" for service in SERVICES} | {"/docs/bus/", INBOX} <= links


def test_without_an_inbox_there_is_no_link_to_one(tmp_path: Path) -> None:
    write_site(tmp_path / "site")
    assert "Inbox" not in (tmp_path / "site" / "docs" / "index.html").read_text()


def test_writing_again_removes_pages_that_are_gone(tmp_path: Path) -> None:
    write_site(tmp_path / "site")
    (tmp_path / "site" / "old.html").write_text("gone")
    write_site(tmp_path / "site")
    assert not (tmp_path / "site" / "old.html").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["site"]


def test_fields_of_nested_and_optional_schemas_are_listed_with_their_limits() -> None:
    root = {
        "$defs": {"Part": {"properties": {"name": {"type": "string", "maxLength": 5}}, "required": ["name"]}},
        "properties": {
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 1, "maxItems": 9},
            "part": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}], "default": None},
            "count": {"type": "integer", "minimum": 1, "default": 3},
        },
        "required": ["parts"],
    }
    assert list(Schemas(root).fields(root)) == [
        Field("parts", "list", required=True, limits=("1 to 9 entries",)),
        Field("parts[].name", "string", required=True, limits=("at most 5 characters",)),
        Field("part", "anything or null", required=False),
        Field("part.name", "string", required=True, limits=("at most 5 characters",)),
        Field("count", "whole number", required=False, limits=("at least 1", "3 unless given")),
    ]


def test_schema_that_holds_itself_ends() -> None:
    root = {
        "$defs": {"Node": {"type": "object", "properties": {"child": {"$ref": "#/$defs/Node"}}}},
        "$ref": "#/$defs/Node",
    }
    assert [field.name for field in Schemas(root).fields(root)] == ["child"]
