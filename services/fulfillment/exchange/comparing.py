"""Compares a house's list of orders with ours, and reads its figures of stock. Pure.

Lists are CSV in UTF-8 with a header. Columns are known by their names, whatever the case and the signs between words;
those unknown are left alone.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from io import StringIO
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from libs.common.clock import as_stored
from libs.common.events.types import Code, Line, PartnerId

ListState = Literal["accepted", "in_production", "dispatched", "delivered", "returned", "cancelled"]

_SIGNS = re.compile(r"[^a-z0-9]")
_STATES: Mapping[str, ListState] = {
    "accepted": "accepted",
    "ordered": "accepted",
    "open": "accepted",
    "inproduction": "in_production",
    "dispatched": "dispatched",
    "shipped": "dispatched",
    "delivered": "delivered",
    "returned": "returned",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
_OURS: Mapping[str, ListState] = {
    "ordered": "accepted",
    "in_production": "in_production",
    "shipped": "dispatched",
    "delivered": "delivered",
    "returned": "returned",
    "cancelled": "cancelled",
}


class NoList(ValueError):
    """A file that is no list, as a whole."""


class Kind(StrEnum):
    """What a comparison finds."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    DIFFERENT = "different"
    UNREADABLE = "unreadable"


def _empty(value: object) -> object:
    return None if value == "" else value


def _state(value: object) -> object:
    return _STATES.get(_SIGNS.sub("", value.lower()), value) if isinstance(value, str) else value


def _with_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its offset, like 2026-11-20T09:31:00Z")
    return as_stored(moment)


Moment = Annotated[datetime, AfterValidator(_with_zone)]
OptionalLine = Annotated[Line | None, BeforeValidator(_empty)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Theirs(_Row):
    """An order as a house lists it."""

    order_id: PartnerId
    status: Annotated[ListState, BeforeValidator(_state)]
    at: Annotated[Moment | None, BeforeValidator(_empty)] = None
    carrier: OptionalLine = None
    tracking_number: OptionalLine = None


class StockLine(_Row):
    """What a house has of an item."""

    item: Code
    on_hand: Annotated[int, Field(ge=0, le=100_000_000)]
    at: Annotated[Moment | None, BeforeValidator(_empty)] = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that says nothing that could be used; counted from 1, with the header."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ours:
    """An order as we have it.

    Attributes:
        expected: whether the house should have it: it was sent there, and nothing has ended it.
    """

    order_id: str
    candidate_id: str
    state: str
    tracking_number: str | None
    expected: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """An order about which the two sides do not say the same."""

    kind: Kind
    order_id: str
    theirs: Theirs | None
    ours: Ours | None
    differences: tuple[Literal["state", "tracking_number"], ...] = ()


def read_orders(content: bytes) -> Iterator[Theirs | Unreadable]:
    """The lines of a list of orders. Raises `NoList`."""
    return _read(content, Theirs, ("order_id", "status"))


def read_stock(content: bytes) -> Iterator[StockLine | Unreadable]:
    """The lines of a list of stock. Raises `NoList`."""
    return _read(content, StockLine, ("item", "on_hand"))


def compare(theirs: Mapping[str, Theirs], ours: Mapping[str, Ours]) -> Iterator[Finding]:
    """What the two sides do not say alike, in the order of order numbers.

    Ours that the house need not know any more are compared only where the list has them. A list is of an earlier moment
    than the comparison, so an order further on with us than in the list is no difference.
    """
    for key in sorted({*theirs, *ours}):
        their, our = theirs.get(key), ours.get(key)
        if our is None:
            yield Finding(Kind.MISSING_HERE, key, their, None)
        elif their is None:
            if our.expected:
                yield Finding(Kind.MISSING_THERE, key, None, our)
        elif found := tuple(_differences(their, our)):
            yield Finding(Kind.DIFFERENT, key, their, our, found)


_STEPS: tuple[ListState, ...] = ("accepted", "in_production", "dispatched")


def _differences(theirs: Theirs, ours: Ours) -> Iterator[Literal["state", "tracking_number"]]:
    here = _OURS.get(ours.state)
    ahead = here in _STEPS and theirs.status in _STEPS and _STEPS.index(here) > _STEPS.index(theirs.status)
    ended = here in {"delivered", "returned"} and theirs.status in _STEPS
    if here != theirs.status and not ahead and not ended:
        yield "state"
    if theirs.tracking_number is not None and theirs.tracking_number != ours.tracking_number:
        yield "tracking_number"


R = TypeVar("R", bound=_Row)


def _read(content: bytes, model: type[R], needed: tuple[str, ...]) -> Iterator[R | Unreadable]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoList("the file is not UTF-8") from None
    lines = csv.reader(StringIO(text, newline=""), strict=True)
    fields = {_SIGNS.sub("", name): name for name in model.model_fields}
    try:
        header = [fields.get(_SIGNS.sub("", name.lower()), "") for name in next(lines, [])]
    except csv.Error as error:
        raise NoList(f"the header cannot be read: {error}") from None
    for name in needed:
        if header.count(name) != 1:
            raise NoList(f"the header needs the column {name} once")
    return _lines(lines, header, model)


def _lines(lines: Any, header: list[str], model: type[R]) -> Iterator[R | Unreadable]:
    while True:
        try:
            cells = next(lines, None)
        except csv.Error as error:
            yield Unreadable(lines.line_num, str(error))
            continue
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        given = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}
        try:
            yield model.model_validate(given)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            reason = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:3])
            yield Unreadable(lines.line_num, reason)
