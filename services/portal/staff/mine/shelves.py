"""What somebody of staff has taken, in all queues of which items are taken, and how much it is."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.portal.languages import say
from services.portal.languages.days import spoken
from services.portal.staff.cases import words as cases
from services.portal.staff.cases.queues import CASES
from services.portal.staff.cases.shapes import CasePage
from services.portal.staff.claims import words as claims
from services.portal.staff.claims.queues import CLAIMS
from services.portal.staff.claims.shapes import ReviewPage
from services.portal.staff.kit import PAST_PROMISE, Count, Queue
from services.portal.staff.owners import owned_by
from services.portal.staff.results import rulings
from services.portal.staff.results import words as results
from services.portal.staff.results.queues import CHALLENGES, UNMATCHED
from services.portal.staff.results.shapes import ChallengePage, UnmatchedPage
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


async def _cases(visit: Visit) -> Shelf:
    page = await visit.mine("identity", "/cases", CasePage, limit=_MOST, **owned_by(visit, "me"))
    return Shelf(
        [
            Taken(
                CASES,
                one.case_id,
                one.due_on,
                one.reference,
                cases.kind_of(one.kind),
                one.candidate_id,
                cases.chip_of(one),
                one.overdue,
            )
            for one in page.items
        ],
        page.next is not None,
    )


async def _claims(visit: Visit) -> Shelf:
    page = await visit.mine("certs", "/reviews", ReviewPage, limit=_MOST, **owned_by(visit, "me"))
    return Shelf(
        [
            Taken(
                CLAIMS,
                one.submission_id,
                one.due_on,
                one.title,
                one.item,
                one.candidate_id,
                claims.chip_of(one),
                one.overdue,
            )
            for one in page.items
        ],
        page.next is not None,
    )


async def _challenges(visit: Visit) -> Shelf:
    page = await visit.mine("exams", "/challenges", ChallengePage, limit=_MOST, **owned_by(visit, "me"))
    return Shelf(
        [
            Taken(
                CHALLENGES,
                one.challenge_id,
                one.due_on,
                one.exam_code,
                say("taken on {day}", day=spoken(one.taken_on)),
                one.candidate_id,
                rulings.chip_of(one),
                one.overdue,
            )
            for one in page.items
        ],
        page.next is not None,
    )


async def _unmatched(visit: Visit) -> Shelf:
    page = await visit.mine("exams", "/unmatched", UnmatchedPage, limit=_MOST, **owned_by(visit, "me"))
    return Shelf(
        [
            Taken(
                UNMATCHED,
                one.item_id,
                results.due_on(one),
                one.vendor_candidate_id,
                vendor_name(one.vendor),
                None,
                PAST_PROMISE if results.is_late(one) else results.hint_of(one),
                results.is_late(one),
            )
            for one in page.items
        ],
        page.next is not None,
    )


_SHELVES: Final[tuple[tuple[Queue, Callable[[Visit], Awaitable[Shelf]]], ...]] = (
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


def _theirs(visit: Visit) -> list[tuple[Queue, Callable[[Visit], Awaitable[Shelf]]]]:
    return [(queue, shelf) for queue, shelf in _SHELVES if visit.at_desk.may(*queue.scopes)]
