"""Writes all pages into a folder, whole or not at all."""

import json
import os
import re
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import jinja2
from markupsafe import Markup, escape

from deploy.gateway.reference.apis import ApiPage, api_page, documented_apis
from deploy.gateway.reference.bus import bus_page
from deploy.gateway.reference.guides import Guide, read_guides
from libs.common.events.asyncapi import asyncapi_document

PROJECT = Path(__file__).resolve().parents[3]
GUIDES = PROJECT / "docs"
STYLE = Path(__file__).with_name("style.css")

_COPIED = (".svg", ".py", ".mjs", ".json", ".txt", ".csv", ".jsonl")
_GUIDE_ORDER = ("operators", "vendors", "api", "compose", "performance", "testing", "code-style")
_DECISIONS = "adr/"
_CODE = re.compile(r"`([^`]+)`")


def write_site(out: Path, *, inbox: str | None = None, guides: Path = GUIDES) -> int:
    """Write every page and replace what `out` held before. Returns the number of files.

    Args:
        out: folder whose `docs` the gateway serves.
        inbox: address of the inbox of sent mail; no link without it.
        guides: folder of the Markdown guides.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        count = _write_all(staged, inbox, guides)
        _replace(staged, out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return count


def _write_all(folder: Path, inbox: str | None, guides: Path) -> int:
    apis = [api_page(api) for api in documented_apis()]
    read = read_guides(guides)
    pages = {**_index_pages(apis, read, inbox), **_reference_pages(apis), **_guide_pages(read)}
    files = {name: page.encode() for name, page in pages.items()}
    files["style.css"] = STYLE.read_bytes()
    files["docs/bus/asyncapi.json"] = _json(asyncapi_document())
    files |= _copied(guides)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    _make_readable(folder)
    return len(files)


def _index_pages(apis: list[ApiPage], guides: list[Guide], inbox: str | None) -> dict[str, str]:
    known = {guide.path: guide for guide in guides}
    first = [known[name] for name in _GUIDE_ORDER if name in known]
    others = [guide for guide in guides if "/" not in guide.path and guide not in first]
    decisions = [guide for guide in guides if guide.path.startswith(_DECISIONS)]
    values = {"apis": apis, "guides": [*first, *others], "decisions": decisions, "inbox": inbox}
    return {"docs/index.html": _render("index.html", here="/docs/", **values)}


def _reference_pages(apis: list[ApiPage]) -> dict[str, str]:
    pages = {
        f"docs/api/{api.service}/index.html": _render("api.html", here=f"/docs/api/{api.service}/", api=api, apis=apis)
        for api in apis
    }
    return {**pages, "docs/bus/index.html": _render("bus.html", here="/docs/bus/", bus=bus_page())}


def _guide_pages(guides: list[Guide]) -> dict[str, str]:
    paths = {f"docs/{guide.path}.html": guide for guide in guides}
    return {path: _render("guide.html", here=f"/{path}", guide=guide) for path, guide in paths.items()}


def _copied(guides: Path) -> dict[str, bytes]:
    """Pictures and examples, which guides link to."""
    return {
        f"docs/{path.relative_to(guides).as_posix()}": path.read_bytes()
        for path in sorted(guides.rglob("*"))
        if path.suffix in _COPIED and path.is_file() and "node_modules" not in path.parts
    }


def _json(document: Any) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def _make_readable(folder: Path) -> None:
    """For a gateway that runs as somebody else; the temporary folder was ours alone."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _replace(staged: Path, out: Path) -> None:
    old = out.with_name(f".{out.name}-old-{os.getpid()}")
    if out.exists():
        out.rename(old)
    staged.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _prose(text: str) -> Markup:
    """A sentence with `code` in it."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 escaped just before


def _render(template: str, **values: Any) -> str:
    return _environment.get_template(template).render(**values)


_environment = jinja2.Environment(
    loader=jinja2.PackageLoader("deploy.gateway.reference"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["prose"] = _prose
