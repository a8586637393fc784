"""The guides against the code: a setting, metric, command, code or field that is missing there fails here."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest
import typer
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from deploy.cli.access import OperatorSettings
from deploy.cli.main import app
from deploy.gateway.reference.guides import slug
from deploy.local.settings import LocalSettings
from libs.common.bus import ingress
from libs.common.casework import thread
from libs.common.events import SERVICES, VENDOR, all_events
from libs.common.events.asyncapi import event_schema
from libs.common.http import problems, scopes
from libs.common.http.problems import ProblemType
from libs.common.privacy.holdings import everything
from libs.common.settings import PREFIX, ServiceSettings
from services.certs import privacy as certs_privacy
from services.certs.settings import CertsSettings
from services.certs.transcripts import problems as transcript_problems
from services.exams import consumers
from services.exams import privacy as exams_privacy
from services.exams.challenges import casework as challenges
from services.exams.settings import ExamsSettings
from services.fulfillment import privacy as fulfillment_privacy
from services.fulfillment.settings import FulfillmentSettings
from services.identity.login import problems as login_problems
from services.identity.openid import problems as openid_problems
from services.identity.privacy import holdings as identity_holdings
from services.identity.settings import IdentitySettings
from services.identity.systems import clients, token_api
from services.notify import privacy as notify_privacy
from services.notify.settings import NotifySettings
from services.portal.settings import PortalSettings
from tests.contract.metrics import Metric

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
SETTINGS = (
    ServiceSettings,
    IdentitySettings,
    ExamsSettings,
    CertsSettings,
    FulfillmentSettings,
    NotifySettings,
    PortalSettings,
    LocalSettings,
    OperatorSettings,
)

OPERATORS = (DOCS / "operators.md").read_text()
VENDORS = (DOCS / "vendors.md").read_text()
API = (DOCS / "api.md").read_text()
PRIVACY = (DOCS / "privacy.md").read_text()


def row_of(guide: str, name: str) -> str:
    """The row of a table that begins with `name`, or nothing."""
    found = re.search(rf"^\| `{re.escape(name)}`[^|]*\|.*$", guide, re.MULTILINE)
    return found[0] if found else ""


def settings() -> Iterator[tuple[type[BaseSettings], str]]:
    for model in SETTINGS:
        for name in model.model_fields:
            yield model, name


@pytest.mark.parametrize(("model", "name"), list(settings()), ids=lambda value: getattr(value, "__name__", value))
def test_setting_stands_in_the_operators_guide_with_its_default(model: type[BaseSettings], name: str) -> None:
    row = row_of(OPERATORS, f"{PREFIX}{name.upper()}")
    default = model.model_fields[name].default
    assert row
    if default is PydanticUndefined:
        assert "required" in row
    elif isinstance(default, (str, int, float)):
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        assert f"| `{shown}` |" in row


def test_operators_guide_has_every_metric_with_its_labels_and_no_other(metrics: Mapping[str, Metric]) -> None:
    rows = re.findall(r"^\| `(certrail_[a-z_]+)`[^|]*\|([^|]*)\|", OPERATORS, re.MULTILINE)
    told = {name: tuple(re.findall(r"`([a-z_]+)`", labels)) for name, labels in rows}
    assert told == {name: metric.labels for name, metric in metrics.items()}


def commands(command: click.Command, path: str) -> Iterator[str]:
    # By its parts: typer may bring a click of its own.
    parts = getattr(command, "commands", None)
    if not parts:
        yield path
        return
    for name, part in parts.items():
        yield from commands(part, f"{path} {name}")


@pytest.mark.parametrize("command", list(commands(typer.main.get_command(app), "certrail")))
def test_command_stands_in_the_operators_guide(command: str) -> None:
    assert f"`{command}`" in OPERATORS


def test_switches_of_tests_are_those_of_the_testing_guide() -> None:
    known = re.compile(r"\bCERTRAIL_(?:TEST|FUZZ|CHAOS)_[A-Z_]+\b")
    read = {name for path in (PROJECT / "tests").rglob("*.py") for name in known.findall(path.read_text())}
    (table,) = re.findall(r"^## Switches\n(.*?)^## ", (DOCS / "testing.md").read_text(), re.MULTILINE | re.DOTALL)
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in known.findall(row)} == read


def declared_problems() -> list[ProblemType]:
    modules = (problems, login_problems, openid_problems, thread, challenges, clients, token_api, transcript_problems)
    return [kind for module in modules for kind in vars(module).values() if isinstance(kind, ProblemType)]


@pytest.mark.parametrize("kind", declared_problems(), ids=lambda kind: kind.code)
def test_problem_type_stands_in_the_api_guide_with_its_status(kind: ProblemType) -> None:
    assert str(kind.status) in row_of(API, kind.code).split("|")[2]


def gateway_problems() -> list[str]:
    template = (PROJECT / "deploy" / "gateway" / "nginx.conf.template").read_text()
    return sorted(set(re.findall(r"\$\{PROBLEM_ROOT\}([a-z-]+)", template)))


@pytest.mark.parametrize("code", gateway_problems())
def test_problem_of_the_gateway_stands_in_the_api_guide(code: str) -> None:
    assert row_of(API, code)


@pytest.mark.parametrize("scope", sorted(scopes.OPERATOR))
def test_scope_stands_in_the_api_guide(scope: str) -> None:
    assert row_of(API, scope)


FILE_CODES = (
    r'(?:RefusedError|HeaderError|PydanticCustomError)\(\s*"([a-z_]+)"',
    r'Fault\(\s*[^,]+, "([a-z_]+)"',
    r'_refuse\(row, "([a-z_]+)"',
)


def file_codes() -> list[str]:
    """Every code that a result file, a member or a row can be refused with, from the sources."""
    sources = [path.read_text() for path in (PROJECT / "services" / "exams" / "feeds").glob("*.py")]
    return sorted({code for source in sources for calls in FILE_CODES for code in re.findall(calls, source)})


@pytest.mark.parametrize("code", file_codes())
def test_code_of_result_files_stands_in_the_vendors_guide(code: str) -> None:
    part = VENDORS.partition("## Result files")[2]
    assert re.search(rf"^\|[^|]*`{code}`[^|]*\|", part, re.MULTILINE)


def rejection_codes() -> list[str]:
    """Every code a vendor can be answered with, from the sources: they are words in calls, not a list."""
    found: set[str] = set()
    for module in (ingress, consumers):
        source = Path(str(module.__file__)).read_text()
        found.update(re.findall(r'_refused\("[^"]*", "([a-z_]+)"', source))
        found.update(re.findall(r'Reason\(\s*"[^"]*",\s*"([a-z_]+)"', source))
        found.update(re.findall(r'_reasons\(\w+, "([a-z_]+)"', source))
    return sorted(found)


def test_codes_are_found_in_the_sources() -> None:
    assert {"too_large", "schema", "not_json", "revision_conflict", "user_id_missing"} <= set(rejection_codes())


@pytest.mark.parametrize("code", rejection_codes())
def test_rejection_code_stands_in_the_vendors_guide(code: str) -> None:
    assert row_of(VENDORS, code)


def vendor_fields() -> Iterator[tuple[str, str]]:
    for model in all_events().values():
        if model.publisher == VENDOR:
            schema = json.dumps(event_schema(model)["$defs"])
            for name in set(re.findall(r'"([a-z_]+)": \{[^{}]*"title"', schema)) | set(model.model_fields):
                yield f"{model.name}.v{model.version}", name


@pytest.mark.parametrize(("event", "field"), sorted(vendor_fields()))
def test_field_of_a_vendors_event_stands_in_the_vendors_guide(event: str, field: str) -> None:
    assert f"`{field}`" in row_of(VENDORS, event)


def test_a_decision_has_a_number_of_its_own() -> None:
    numbers = [path.name[:4] for path in (DOCS / "adr").glob("*.md")]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"https?:|/docs/", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert DOCS in (file, *file.parents) or page.parent == PROJECT, f"{target} is not served with the guides"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, target


def test_example_pins_the_versions_it_names() -> None:
    package = json.loads((DOCS / "examples" / "node" / "package.json").read_text())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["dependencies"].values())
    requirements = (DOCS / "examples" / "python" / "requirements.txt").read_text().split()
    locked = (PROJECT / "requirements" / "common.txt").read_text()
    assert all(f"{requirement} " in locked for requirement in requirements)


HELD = {
    "identity": identity_holdings.HOLDINGS,
    "exams": exams_privacy.HOLDINGS,
    "certs": certs_privacy.HOLDINGS,
    "fulfillment": fulfillment_privacy.HOLDINGS,
    "notify": notify_privacy.HOLDINGS,
}


@pytest.mark.parametrize("service", SERVICES)
def test_privacy_guide_says_of_every_collection_what_becomes_of_it(service: str) -> None:
    holdings = HELD[service]
    told = {one.collection: one.kind for one in holdings.items}
    kinds = [kind for kind in told.values() if kind]
    assert len(kinds) == len(set(kinds)), "each is a file of its own in the archive"
    for name in everything(holdings):
        row = row_of(PRIVACY, f"{service}.{name}") or row_of(PRIVACY, f"*.{name}")
        assert row, name
        kind = told.get(name)
        assert f"`{kind}`" in row if kind else "| no" in row, name
