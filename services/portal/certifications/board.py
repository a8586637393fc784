"""All certifications on one axis: their words, and their places in the picture. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from libs.common.spoken import spoken
from services.portal.backend.shapes import Certification, Line
from services.portal.home.answer import SOON, chip_of, in_days
from services.portal.timeline.lanes import Held, Lane, days_of, lane_of
from services.portal.timeline.scale import Scale, Year, percent, scale_of
from services.portal.web.chips import Chip

_GROUPS: Final = {"active": 0, "pending_agreement": 0, "suspended": 0, "emeritus": 1, "lifetime_emeritus": 1}
_EXTENDS: Final = frozenset({"renewed", "extended", "reactivated"})


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


@dataclass(frozen=True, slots=True)
class Board:
    """The picture, and its story in words."""

    rows: tuple[Row, ...]
    years: tuple[Year, ...]
    today: str
    cut: bool
    story: str


def board_of(held: Sequence[Certification], lines: Iterable[Line], today: date) -> Board | None:
    """The board; None where nothing was ever held."""
    if not held:
        return None
    renewed = _renewals(lines)
    times = {one.certification: _times(one, renewed.get(one.certification, ())) for one in held}
    scale = scale_of((day for held_times in times.values() for day in days_of(held_times)), today)
    ordered = sorted(held, key=_order)
    rows = tuple(_row(one, times[one.certification], scale, today) for one in ordered)
    return Board(rows, tuple(scale.years()), percent(scale.x(today)), scale.cut, _story(rows, today))


def _order(one: Certification) -> tuple[int, date, str]:
    return _GROUPS.get(one.status, 2), one.expires_on or date.max, one.title


def _renewals(lines: Iterable[Line]) -> dict[str, list[date]]:
    """The days on which something was extended, of what still stands."""
    found: dict[str, list[date]] = {}
    for line in lines:
        if line.kind in _EXTENDS and line.withdrawn_at is None:
            found.setdefault(line.certification, []).append(line.on)
    return found


def _times(one: Certification, renewed: Sequence[date]) -> list[Held]:
    times = []
    for holding in sorted(one.holdings, key=lambda each: each.earned_on):
        last = holding.expires_on or date.max
        within = tuple(sorted(day for day in set(renewed) if holding.earned_on < day <= last))
        times.append(Held(holding.earned_on, holding.expires_on, within))
    return times or [Held(one.earned_on, one.expires_on)]


def _row(one: Certification, times: Sequence[Held], scale: Scale, today: date) -> Row:
    if one.expires_on is None:
        ends, left = "Never expires", ""
    elif one.expires_on < today:
        ends, left = "Expired", ""
    else:
        ends, left = "Expires", in_days(one.expires_on, today)
    lane = lane_of(times, scale, today, soon=SOON, suspended=one.status == "suspended")
    renewed = tuple(day for held in times for day in held.renewed_on)
    return Row(
        one.certification, one.title, chip_of(one, today), one.earned_on, one.expires_on, ends, left, renewed, lane
    )


def _story(rows: Sequence[Row], today: date) -> str:
    """The picture in two sentences, for whoever does not see it."""
    active = [row for row in rows if row.chip.word.startswith("Active")]
    ending = min((row for row in active if row.expires_on), key=lambda row: row.expires_on or date.max, default=None)
    first = f"{len(rows)} certifications over time, {len(active)} of them active."
    if ending is None or ending.expires_on is None:
        return first
    when = f"on {spoken(ending.expires_on)}, {in_days(ending.expires_on, today)}"
    return f"{first} {ending.title} is the next to expire, {when}."
