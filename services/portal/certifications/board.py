"""All certifications on one axis: their words, and their places in the picture. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from libs.common.languages import READER
from services.portal.backend.shapes import Certification, Line
from services.portal.home.answer import SOON, chip_of
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import in_days, spoken
from services.portal.timeline.lanes import Held, Lane, days_of, lane_of
from services.portal.timeline.scale import Scale, Year, scale_of
from services.portal.web.chips import Chip

_EXTENDS: Final = frozenset({"renewed", "extended", "reactivated"})
_HELD: Final = frozenset({"active", "pending_agreement", "suspended"})
_KEPT: Final = frozenset({"emeritus", "lifetime_emeritus"})
_GROUPS: Final = (mark("Active"), mark("Emeritus"), mark("Expired"), mark("Retired names"))


@dataclass(frozen=True, slots=True)
class Row:
    """A certification, in words and as a lane."""

    certification: str
    title: str
    chip: Chip
    earned_on: date
    expires_on: date | None
    ends: str
    """What the end of it is called: Expires, Expired, Never expires."""
    left: str
    renewed_on: tuple[date, ...]
    lane: Lane
    cause: str = ""
    group: str = ""
    """What stands above it where a group begins."""


@dataclass(frozen=True, slots=True)
class SideRow:
    """Days that belong to a certification: passes, reminders."""

    title: str
    about: str
    lane: Lane


@dataclass(frozen=True, slots=True)
class Board:
    """The picture, and its story in words."""

    rows: tuple[Row, ...]
    years: tuple[Year, ...]
    today: str
    cut: bool
    story: str
    mirrored: bool = False
    before: tuple[SideRow, ...] = ()
    after: tuple[SideRow, ...] = ()


def board_of(
    held: Sequence[Certification],
    lines: Iterable[Line],
    today: date,
    *,
    retired: Iterable[str] | None = None,
    around: Callable[[Scale], tuple[Sequence[SideRow], Sequence[SideRow]]] | None = None,
    more: Iterable[date] = (),
) -> Board | None:
    """The board; None where nothing was ever held.

    Args:
        held: what the candidate holds or has held.
        lines: what has happened to it.
        today: in the program.
        retired: certifications that are awarded no more; where given, rows are grouped.
        around: rows before and after those of certifications, once the axis is known.
        more: further days that the axis has to hold.
    """
    if not held:
        return None
    known = list(lines)
    times = {one.certification: _times(one, known) for one in held}
    days = [day for held_times in times.values() for day in days_of(held_times)]
    scale = scale_of([*days, *more], today, mirrored=READER.get().direction == "rtl")
    gone = frozenset(retired or ())
    ordered = sorted(held, key=lambda one: (_group(one, gone), one.expires_on or date.max, one.title))
    rows = [_row(one, times[one.certification], scale, today) for one in ordered]
    if retired is not None:
        rows = _grouped(rows, [_group(one, gone) for one in ordered])
    before, after = around(scale) if around else ((), ())
    return Board(
        tuple(rows),
        tuple(scale.years()),
        scale.at(scale.x(today)),
        scale.cut,
        _story(ordered, today),
        scale.mirrored,
        tuple(before),
        tuple(after),
    )


def _group(one: Certification, retired: frozenset[str]) -> int:
    if one.status in _HELD:
        return 0
    if one.status in _KEPT:
        return 1
    return 3 if one.certification in retired else 2


def _grouped(rows: Sequence[Row], groups: Sequence[int]) -> list[Row]:
    """Rows with the names of their groups, where there is more than one."""
    if len(set(groups)) < 2:  # noqa: PLR2004 one group needs no name
        return list(rows)
    before = [-1, *groups]
    return [
        replace(row, group=say(_GROUPS[group])) if group != last else row
        for row, group, last in zip(rows, groups, before, strict=False)
    ]


def _times(one: Certification, lines: Iterable[Line]) -> list[Held]:
    mine = [line for line in lines if line.certification == one.certification and line.withdrawn_at is None]
    renewed = {line.on for line in mine if line.kind in _EXTENDS}
    aside = suspensions(mine)
    times = []
    for holding in sorted(one.holdings, key=lambda each: each.earned_on):
        last = holding.expires_on or date.max
        within = tuple(sorted(day for day in renewed if holding.earned_on < day <= last))
        times.append(Held(holding.earned_on, holding.expires_on, within))
    times = times or [Held(one.earned_on, one.expires_on)]
    if one.status == "suspended" and not aside:
        # Its history is away: that it is set aside is known, since when is not.
        aside = ((times[-1].earned_on, None),)
    return [replace(held, suspended=aside) for held in times]


def suspensions(lines: Iterable[Line]) -> tuple[tuple[date, date | None], ...]:
    """The times of one certification during which it was set aside; the last may go on."""
    found: list[tuple[date, date | None]] = []
    since: date | None = None
    for line in sorted(lines, key=lambda each: (each.on, each.known_at)):
        if line.kind == "suspend" and since is None:
            since = line.on
        elif line.kind in ("reinstate", "revoke") and since is not None:
            found.append((since, line.on))
            since = None
    return (*found, *([(since, None)] if since is not None else []))


def _row(one: Certification, times: Sequence[Held], scale: Scale, today: date) -> Row:
    if one.expires_on is None:
        ends, left = say("Never expires"), ""
    elif one.expires_on < today:
        ends, left = say("Revoked") if one.status == "revoked" else say("Expired"), ""
    else:
        ends, left = say("Expires"), in_days(one.expires_on, today)
    renewed = tuple(day for held in times for day in held.renewed_on)
    return Row(
        certification=one.certification,
        title=one.title,
        chip=chip_of(one, today),
        earned_on=one.earned_on,
        expires_on=one.expires_on,
        ends=ends,
        left=left,
        renewed_on=renewed,
        lane=lane_of(times, scale, today, soon=SOON),
        cause=one.text,
    )


def _story(held: Sequence[Certification], today: date) -> str:
    """The picture in two sentences, for whoever does not see it."""
    active = [one for one in held if one.status == "active"]
    first = say_many(
        "{count} certification over time, {active} active.",
        "{count} certifications over time, {active} of them active.",
        len(held),
        active=len(active),
    )
    ending = min((one for one in active if one.expires_on), key=lambda one: one.expires_on or date.max, default=None)
    if ending is None or ending.expires_on is None:
        return first
    second = say(
        "{title} is the next to expire, on {day}, {left}.",
        title=ending.title,
        day=spoken(ending.expires_on),
        left=in_days(ending.expires_on, today),
    )
    return f"{first} {second}"
