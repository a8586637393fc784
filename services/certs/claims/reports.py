"""Courses that providers report over the bus: known ones count at once, the others go to a reviewer."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.common.bus.failures import vendor_of
from libs.common.bus.messages import Received
from libs.common.events import vendors
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.links import LinkEvent, link_id, owner_of
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.certs.claims.submissions import Submissions, new_submission
from services.certs.domain.submissions import REPORTED, SubmissionKind

Completion = Received[vendors.CourseCompleted]

OWN_ID = "candidate_id"
"""A reference by Certrail's own candidate ID."""
PROVIDER_ID = "vendor_candidate_id"
"""A reference by the provider's id of the person, as identity has linked it."""


class VendorMessages:
    """Takes in completions. What the border refuses is answered by exams and passed over here.

    A completion is told apart by provider and `completion_id`, so a repetition changes nothing. Nobody is found by
    name or mail address alone: a reference of another kind waits for a reviewer.
    """

    def __init__(self, submissions: Submissions, programs: Mapping[str, Program]) -> None:
        self._submissions = submissions
        self._store = submissions.store
        self._programs = programs

    async def handle(self, transaction: Transaction, items: Sequence[Any]) -> None:
        found: dict[str, Completion] = {}
        for item in items:
            if isinstance(item, Received) and isinstance(item.data, vendors.CourseCompleted):
                found.setdefault(_key(item), item)
        for known in await self._store.present(transaction.session, found):
            del found[known]
        people = await self._people(transaction, found.values())
        rows = []
        for key, item in found.items():
            policy = self._programs[item.event.program]
            row = _submission(key, item, policy, transaction)
            row["candidate_id"] = people.get(key)
            if row["candidate_id"] is not None:
                row["state"] = settled_state(row)
            rows.append((row, item))
        unmatched = [row["link"] for row, _ in rows if row["candidate_id"] is None and row["link"] is not None]
        await self._store.links.wait_for(transaction.session, unmatched)
        await self._submissions.add(transaction, rows)

    async def _people(self, transaction: Transaction, items: Any) -> dict[str, str]:
        """Whose completions they are, by key, as far as that is known."""
        links: dict[str, str] = {}
        own: dict[str, dict[str, str]] = {}
        for item in items:
            reference = item.data.candidate_ref
            if reference.kind == PROVIDER_ID:
                links[_key(item)] = _link(item)
            elif reference.kind == OWN_ID:
                own.setdefault(item.event.program, {})[_key(item)] = reference.value
        linked = await self._store.links.candidates_of(transaction.session, links.values()) if links else {}
        people = {key: linked[link] for key, link in links.items() if link in linked}
        for program, named in own.items():
            known = await self._store.links.known(transaction.session, program, named.values())
            people |= {key: candidate for key, candidate in named.items() if candidate in known}
        return people


class Links:
    """Takes in whose a partner's id is, and gives waiting completions to their candidates.

    What was given to a candidate stays with them when the id moves: a reviewer may have decided on it since.
    """

    def __init__(self, submissions: Submissions) -> None:
        self._submissions = submissions
        self._store = submissions.store

    async def handle(self, transaction: Transaction, items: Sequence[Received[LinkEvent]]) -> None:
        news = await self._store.links.link(transaction.session, items)
        linked = {link: item for link, item in news.items() if owner_of(item) is not None}
        waiting = await self._store.waiting(transaction.session, linked) if linked else []
        for row in waiting:
            row["candidate_id"] = owner_of(linked[row["link"]])
            row["state"] = settled_state(row)
        if waiting:
            await self._submissions.change(transaction, [(row, linked[row["link"]]) for row in waiting])


def settled_state(row: Document) -> str:
    """The state of a report whose candidate is known: it counts where what it is worth is known too."""
    complete = row["credits"] is not None if row["kind"] == "credits" else row["level"] is not None
    return "accepted" if complete else "pending"


def _key(item: Completion) -> str:
    return derived_id("completion", item.event.program, _vendor(item), item.data.completion_id)


def _vendor(item: Completion) -> str:
    vendor = vendor_of(item.delivery)
    if vendor is None:
        raise ValueError("the border lets no message without a vendor pass")
    return vendor


def _link(item: Completion) -> str:
    return link_id(item.event.program, _vendor(item), item.data.candidate_ref.value)


def _submission(key: str, item: Completion, policy: Program, transaction: Transaction) -> Document:
    data = item.data
    rules = policy.policy
    # A program with course rules renews by the course itself, the others by the credits it gives.
    kind: SubmissionKind = "course" if rules.courses is not None else "credits"
    worth: Document = {}
    if rules.courses is not None:
        course = rules.courses.items.get(data.course_code)
        worth = {"delivery": REPORTED} | ({"level": course.level, "track": course.track} if course else {})
    elif rules.credits is not None:
        known = rules.credits.items.get(data.course_code)
        worth = {"credits": known.credits if known else data.credits or None}
    return new_submission(
        key,
        policy,
        transaction.now,
        kind=kind,
        origin="report",
        state="unmatched",
        item=data.course_code,
        title=data.title,
        completed_on=data.completed_on,
        candidate_id=None,
        vendor=_vendor(item),
        reference=data.candidate_ref.model_dump(),
        link=_link(item) if data.candidate_ref.kind == PROVIDER_ID else None,
        **worth,
    )
