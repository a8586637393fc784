"""A vendor's list of registrations, line by line: tab-separated, CSV, or JSON lines. Pure.

No line break stands within a value. Columns are known by their names, whatever the case and the signs between words;
those unknown are left alone.
"""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from libs.common.clock import as_stored
from libs.common.events.types import Code, Identifier, PartnerId

Format = Literal["tsv", "csv", "jsonl"]
State = Literal["open", "cancelled", "no_show", "delivered"]

_NAMES: Mapping[str, str] = {
    "registrationid": "registration_id",
    "candidateid": "candidate_id",
    "clientcandidateid": "candidate_id",
    "vendorcandidateid": "vendor_candidate_id",
    "examcode": "exam_code",
    "examseriescode": "exam_code",
    "state": "state",
    "status": "state",
    "scheduledat": "scheduled_at",
    "appointmentdate": "scheduled_at",
    "delivery": "delivery",
}
_STATES: Mapping[str, State] = {
    "open": "open",
    "scheduled": "open",
    "rescheduled": "open",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "noshow": "no_show",
    "delivered": "delivered",
    "complete": "delivered",
    "completed": "delivered",
    "taken": "delivered",
}
_DELIVERIES: Mapping[str, Literal["test_center", "online"]] = {
    "": "test_center",
    "testcenter": "test_center",
    "testcentre": "test_center",
    "online": "online",
}
_SIGNS = re.compile(r"[^a-z0-9]")
_PARTNER = TypeAdapter[str](PartnerId)
_IDENTIFIER = TypeAdapter[str](Identifier)
_CODE = TypeAdapter[str](Code)
_EARLIEST, _LATEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Theirs:
    """A registration as the vendor lists it.

    Attributes:
        line: of the list, from 1.
        candidate_id: ours, where the list has it.
        vendor_candidate_id: the vendor's, likewise; one of the two is there.
        offset: the minutes by which its moment was written ahead of UTC.
    """

    line: int
    registration_id: str
    candidate_id: str | None
    vendor_candidate_id: str | None
    exam_code: str
    state: State
    scheduled_at: datetime
    offset: int = 0
    delivery: Literal["test_center", "online"] = "test_center"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that says nothing that could be compared."""

    line: int
    reason: str


class NoList(ValueError):
    """What should be a line of a list, or its header, is none."""


def header_of(line: str, form: Format) -> list[str]:
    """The fields of a list in the order of its columns; empty names for columns that are left alone.

    Raises:
        NoList: a column is missing, or stands twice.
    """
    cells = _cells(line.removeprefix("\ufeff"), form)
    fields = [_NAMES.get(_plain(cell), "") for cell in cells]
    named = [field for field in fields if field]
    missing = [name for name in ("registration_id", "exam_code", "state", "scheduled_at") if name not in named]
    if missing:
        raise NoList(f"there is no column {missing[0]}")
    if not {"candidate_id", "vendor_candidate_id"} & set(named):
        raise NoList("there is neither a column candidate_id nor vendor_candidate_id")
    if len(set(named)) != len(named):
        raise NoList("a column stands twice")
    return fields


def read_line(line: int, text: str, fields: Sequence[str], form: Format, zone: tzinfo) -> Theirs | Unreadable | None:
    """What a line says; None for an empty one. Moments without an offset are of `zone`."""
    if not text.strip():
        return None
    try:
        values = _values(text, fields, form)
        return _row(line, values, zone)
    except ValueError as error:
        return Unreadable(line, str(error))


def _values(text: str, fields: Sequence[str], form: Format) -> dict[str, str]:
    if form != "jsonl":
        cells = _cells(text, form)
        return {field: cell.strip() for field, cell in zip(fields, cells, strict=False) if field}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ValueError("is no JSON") from None
    if not isinstance(found, dict):
        raise NoList("is no JSON object")
    named = {_NAMES.get(_plain(name), ""): value for name, value in found.items()}
    return {field: value.strip() for field, value in named.items() if field and isinstance(value, str)}


def _row(line: int, values: Mapping[str, str], zone: tzinfo) -> Theirs:
    ours, theirs = values.get("candidate_id"), values.get("vendor_candidate_id")
    if not ours and not theirs:
        raise ValueError("names no candidate")
    moment = _moment(values.get("scheduled_at", ""), zone)
    offset = moment.utcoffset()
    return Theirs(
        line=line,
        registration_id=_checked(_PARTNER.validate_python, "registration_id", values.get("registration_id")),
        candidate_id=_checked(_IDENTIFIER.validate_python, "candidate_id", ours) if ours else None,
        vendor_candidate_id=_checked(_PARTNER.validate_python, "vendor_candidate_id", theirs) if theirs else None,
        exam_code=_checked(_CODE.validate_python, "exam_code", values.get("exam_code")),
        state=_known(_STATES, "state", values.get("state", "")),
        scheduled_at=as_stored(moment),
        offset=int(offset.total_seconds() // 60) if offset is not None else 0,
        delivery=_known(_DELIVERIES, "delivery", values.get("delivery", "")),
    )


def _checked(check: Callable[[Any], str], name: str, value: str | None) -> str:
    if not value:
        raise ValueError(f"{name} is missing")
    try:
        return check(value)
    except ValidationError:
        raise ValueError(f"{name} is not of the form it should be") from None


def _known(words: Mapping[str, Any], name: str, value: str) -> Any:
    found = words.get(_plain(value))
    if found is None:
        raise ValueError(f"{name} is none that is known")
    return found


def _moment(text: str, zone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("/", "-"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        if _EARLIEST <= moment < _LATEST:
            return moment
    except (ValueError, OverflowError):
        pass
    raise ValueError("scheduled_at is no moment like 2026-11-20T09:00:00+01:00")


def _cells(line: str, form: Format) -> list[str]:
    if form == "tsv":
        return line.split("\t")
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise NoList(f"is no line of CSV: {error}") from None


def _plain(text: str) -> str:
    return _SIGNS.sub("", text.lower())
