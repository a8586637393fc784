"""How each language writes days, moments and grades in a mail."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

DEFAULT = "en"

_ENGLISH_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ENGLISH_GRADES = {"pass": "pass", "fail": "fail", "pending": "under review", "invalidated": "withdrawn"}

_ENGLISH_CASES = {
    "name": "a change of your name",
    "mapping": "an ID of a partner's",
    "duplicate": "a second account of yours",
    "missing_result": "a result that is missing",
    "kit": "a kit or a delivery",
}


def _english_case(kind: str) -> str:
    return _ENGLISH_CASES.get(kind, "a question of yours")  # kinds may be added before their words are


def _english_day(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {_ENGLISH_MONTHS[day.month - 1]} {day.year}"


def _english_moment(moment: datetime) -> str:
    # Where the reader's clock stands is not known, so the zone is said.
    utc = moment.astimezone(UTC)
    return f"{_english_day(utc.date().isoformat())}, {utc:%H:%M} UTC"


FILTERS: Mapping[str, Mapping[str, Callable[[Any], str]]] = {
    "en": {"day": _english_day, "moment": _english_moment, "grade": _ENGLISH_GRADES.__getitem__, "case": _english_case},
}
"""Jinja filters by language; a language has a folder under `templates` and an entry here."""


def choose(wanted: str | None) -> str:
    """The language to write in for a BCP 47 tag: its primary subtag if there are templates for it."""
    primary = (wanted or DEFAULT).partition("-")[0].lower()
    return primary if primary in FILTERS else DEFAULT
