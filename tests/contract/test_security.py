"""The papers on security: complete, and what they point at is there."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ASVS = PROJECT / "docs" / "security" / "asvs.md"
THREATS = PROJECT / "docs" / "security" / "threat-model.md"
ITEMS: dict[str, range | tuple[int, ...]] = {
    "1.1": range(1, 3),
    "1.2": range(1, 10),
    "1.3": range(1, 12),
    "1.4": range(1, 4),
    "1.5": range(1, 3),
    "2.1": range(1, 4),
    "2.2": range(1, 4),
    "2.3": range(1, 5),
    "2.4": range(1, 2),
    "3.2": range(1, 3),
    "3.3": range(1, 5),
    "3.4": range(1, 7),
    "3.5": range(1, 6),
    "3.7": range(1, 3),
    "4.1": range(1, 4),
    "4.2": range(1, 2),
    "4.3": range(1, 3),
    "4.4": range(1, 5),
    "5.1": range(1, 2),
    "5.2": range(1, 4),
    "5.3": range(1, 3),
    "5.4": range(1, 4),
    "6.1": range(1, 4),
    "6.2": range(1, 13),
    "6.3": range(1, 5),
    "6.4": range(1, 5),
    "6.5": range(1, 6),
    "6.6": range(1, 4),
    "6.8": range(1, 5),
    "7.1": range(1, 4),
    "7.2": range(1, 5),
    "7.3": range(1, 3),
    "7.4": range(1, 6),
    "7.5": range(1, 3),
    "7.6": range(1, 3),
    "8.1": range(1, 3),
    "8.2": range(1, 4),
    "8.3": range(1, 2),
    "8.4": range(1, 2),
    "9.1": range(1, 4),
    "9.2": range(1, 5),
    "10.1": range(1, 3),
    "10.2": range(1, 3),
    "10.3": range(1, 5),
    "10.4": range(1, 12),
    "10.5": range(1, 6),
    "10.6": range(1, 3),
    "10.7": range(1, 4),
    "11.1": range(1, 3),
    "11.2": range(1, 4),
    "11.3": range(1, 4),
    "11.4": range(1, 5),
    "11.5": range(1, 2),
    "11.6": range(1, 2),
    "12.1": range(1, 4),
    "12.2": range(1, 3),
    "12.3": range(1, 5),
    "13.1": range(1, 2),
    "13.2": range(1, 6),
    "13.3": range(1, 3),
    "13.4": range(1, 6),
    "14.1": range(1, 3),
    "14.2": range(1, 5),
    "14.3": range(1, 4),
    "15.1": range(1, 4),
    "15.2": range(1, 4),
    "15.3": range(1, 8),
    "16.1": range(1, 2),
    "16.2": range(1, 6),
    "16.3": range(1, 5),
    "16.4": range(1, 4),
    "16.5": range(1, 4),
    "17.1": range(1, 2),
    "17.2": range(1, 5),
    "17.3": range(1, 3),
}
"""Requirements of levels 1 and 2 of ASVS 5.0, by section."""

ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| (met|n/a|open) \| ([^|]+) \|$", re.MULTILINE)
PATHS = re.compile(r"`((?:libs|services|deploy|tests|docs|requirements)/[\w./-]+|pyproject\.toml|docker-compose\.yml)`")


def test_every_requirement_of_the_level_is_answered_once() -> None:
    answered = [row[0] for row in ROW.findall(ASVS.read_text())]
    wanted = [f"{section}.{item}" for section, items in ITEMS.items() for item in items]
    assert answered == wanted


def test_whatever_is_met_says_where_and_whatever_is_open_names_its_risk() -> None:
    for item, _what, state, why in ROW.findall(ASVS.read_text()):
        # Two that nothing could hinder, for pages have no scripts.
        assert state != "met" or PATHS.search(why) or item == "6.2.7", item
        # Where one is open for another's reason it says for which.
        assert state != "open" or re.search(r"Risk|as \d|likewise|only, as", why) or item == "13.3.1", item


@pytest.mark.parametrize("paper", [ASVS, THREATS], ids=["asvs", "threat-model"])
def test_every_file_that_is_named_is_there(paper: Path) -> None:
    named = PATHS.findall(paper.read_text())
    assert len(named) > 40
    assert [path for path in named if not (PROJECT / path).exists()] == []


def test_each_threat_has_what_keeps_it_away_or_is_a_risk_that_stays() -> None:
    rows = re.findall(r"^\| [STRIDE]\d+ \|.*$", THREATS.read_text(), re.MULTILINE)
    assert len(rows) > 25
    assert [row for row in rows if not PATHS.search(row) and "[stays](#" not in row] == []
