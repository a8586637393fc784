"""What somebody of staff has taken, in all queues of which items are taken, and how much it is."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from services.portal.languages import say
from services.portal.languages.days import spoken
from services.portal.staff.cases import words as cases
from services.portal.staff.cases.queues import CASES
from services.portal.staff.cases.shapes import CaseLine, CasePage
from services.portal.staff.claims import words as claims
from services.portal.staff.claims.queues import CLAIMS
from services.portal.staff.claims.shapes import Review, ReviewPage
from services.portal.staff.kit import PAST_PROMISE, Count, Queue
from services.portal.staff.owners import owned_by
from services.portal.staff.results import rulings
from services.portal.staff.results import words as results
from services.portal.staff.results.queues import CHALLENGES, UNMATCHED
from services.portal.staff.results.shapes import ChallengeLine, ChallengePage, Unmatched, UnmatchedPage
from services.portal.web.chips import Chip
from services.portal.web.vendor_names import vendor_name
from services.portal.web.visit import Visit, part

_MOST: Final = "100"
"""Of each kind. Nobody has as much in hand; what is beyond shows in the count."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An item that somebody is on.

    Attributes:
        queue: where it is worked on.
        item: its id there.
        name: what its queue calls it, with a smaller line below it.
        candidate: None where nobody knows yet.
    """

    queue: Queue
    item: str
    due_on: date
    name: str
    second: str
    candidate: str | None
    chip: Chip
    late: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is taken of one queue. `more`: whether that is not all."""

    items: list[Taken]
    more: bool


Ask = Callable[[Visit], Awaitable[Shelf]]


def _case(one: CaseLine) -> Taken:
    second, chip = cases.kind_of(one.kind), cases.chip_of(one)
    return Taken(CASES, one.case_id, one.due_on, one.reference, second, one.candidate_id, chip, one.overdue)


def _claim(one: Review) -> Taken:
    chip = claims.chip_of(one)
    return Taken(CLAIMS, one.submission_id, one.due_on, one.title, one.item, one.candidate_id, chip, one.overdue)


def _challenge(one: ChallengeLine) -> Taken:
    second, chip = say("taken on {day}", day=spoken(one.taken_on)), rulings.chip_of(one)
    return Taken(CHALLENGES, one.challenge_id, one.due_on, one.exam_code, second, one.candidate_id, chip, one.overdue)


def _result(one: Unmatched) -> Taken:
    late, second = results.is_late(one), vendor_name(one.vendor)
    chip = PAST_PROMISE if late else results.hint_of(one)
    return Taken(UNMATCHED, one.item_id, results.due_on(one), one.vendor_candidate_id, second, None, chip, late)


async def _cases(visit: Visit) -> Shelf:
    return _shelf(await visit.mine("identity", "/cases", CasePage, **_mine(visit)), _case)


async def _claims(visit: Visit) -> Shelf:
    return _shelf(await visit.mine("certs", "/reviews", ReviewPage, **_mine(visit)), _claim)


async def _challenges(visit: Visit) -> Shelf:
    return _shelf(await visit.mine("exams", "/challenges", ChallengePage, **_mine(visit)), _challenge)


async def _unmatched(visit: Visit) -> Shelf:
    return _shelf(await visit.mine("exams", "/unmatched", UnmatchedPage, **_mine(visit)), _result)


def _mine(visit: Visit) -> dict[str, str]:
    return {"limit": _MOST, **owned_by(visit, "me")}


def _shelf(page: CasePage | ReviewPage | ChallengePage | UnmatchedPage, taken: Callable[[Any], Taken]) -> Shelf:
    return Shelf([taken(one) for one in page.items], page.next is not None)


_SHELVES: Final[tuple[tuple[Queue, Ask], ...]] = (
    (CASES, _cases),
    (CLAIMS, _claims),
    (CHALLENGES, _challenges),
    (UNMATCHED, _unmatched),
)


async def shelves_of(visit: Visit) -> list[tuple[Queue, Shelf | None]]:
    """By queue what is taken of it; None where its service does not answer. Raises `SignedOut`, `Refused`."""
    theirs = _theirs(visit)
    found = await asyncio.gather(*(part(shelf(visit)) for _, shelf in theirs))
    return [(queue, shelf) for (queue, _), shelf in zip(theirs, found, strict=True)]


def counted(shelves: Sequence[Shelf]) -> Count:
    taken = [one for shelf in shelves for one in shelf.items]
    return Count(len(taken), sum(one.late for one in taken), more=any(shelf.more for shelf in shelves))


async def count(visit: Visit) -> Count:
    """Raises `Down` where one service does not answer: a smaller number would say that there is nothing more."""
    return counted(await asyncio.gather(*(shelf(visit) for _, shelf in _theirs(visit))))


def _theirs(visit: Visit) -> list[tuple[Queue, Ask]]:
    return [(queue, shelf) for queue, shelf in _SHELVES if visit.at_desk.may(*queue.scopes)]
