"""Every alert has a page that says what to do, and what the pages say to type can be typed."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer

from deploy.cli.main import app
from deploy.local.settings import PROJECT
from libs.common.service import Parts
from tests.contract.test_monitoring import RULES

FOLDER = PROJECT / "docs" / "runbook"
PAGES = sorted(FOLDER.glob("*.md"))
PARTS = ["What it means", "What people notice", "Look first", "Mend", "When it is over"]


def slug_of(alert: str) -> str:
    """`OutboxStuck` as `outbox-stuck`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", alert).lower()


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert {alert: rule["annotations"]["runbook"] for alert, rule in RULES.items()} == {
        alert: slug_of(alert) for alert in RULES
    }
    assert {page.stem for page in PAGES} == {slug_of(alert) for alert in RULES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_all_its_parts_and_none_is_empty(page: Path) -> None:
    text = page.read_text()
    title, *parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    assert slug_of(title.removeprefix("# ").strip()) == page.stem
    assert parts[::2] == PARTS
    assert all(len(part.strip()) > 6 for part in parts[1::2])


def typed() -> list[str]:
    """Every command of every page."""
    found: set[str] = set()
    for page in PAGES:
        text = page.read_text()
        found |= set(re.findall(r"^ {4}(certrail .+)$", text, re.MULTILINE))
        found |= set(re.findall(r"`(certrail [^`]+)`", text))
    return sorted(found)


@pytest.mark.parametrize("command", typed())
def test_a_command_of_the_runbook_exists_and_takes_what_it_is_given(command: str, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.touch()
    words = [str(file) if word == "FILE" else word for word in shlex.split(command)[1:]]
    found: Any = typer.main.get_command(app)
    while parts := getattr(found, "commands", None):
        assert words, f"{command} lacks a command"
        assert words[0] in parts, command
        found = parts[words.pop(0)]
    found.make_context(command, words)  # raises where an option or an argument does not fit


def test_addresses_of_the_runbook_are_those_of_services(parts: Mapping[str, Parts]) -> None:
    offered = {(route.method, one.api.base + route.path) for one in parts.values() for route in one.api.routes}
    for page in PAGES:
        for method, path in re.findall(r"`(GET|POST) (/api/[^`?]+)", page.read_text()):
            assert (method, path) in offered, (page.stem, path)
