"""What staff do about unmatched results: take one on, say whose it is, take that back, note what they have asked."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from libs.common.casework.owner import give
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, invalid
from libs.common.mongo.client import Document
from libs.common.mongo.links import own_link
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.exams.reports import in_own_chain
from services.exams.results import appointments_of
from services.exams.store import ExamsStore
from services.exams.telling import announce, retract

MOST_STEPS = 200
"""Of one result, all that staff did about it."""

Step = Callable[[Transaction, Document], Awaitable[None]]


class Assigning:
    """Each act is a transaction, and is told as a mapping of the id would be."""

    def __init__(self, store: ExamsStore, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._unit_of_work = unit_of_work

    async def assign(self, program: str, key: str, *, to: str, by: str, reason: str) -> Document:
        """Give an unmatched result to a candidate; from then on it follows its id no more.

        Raises:
            Problem: `not-found`; `invalid-request` for nobody's ID; `conflict` where it is another candidate's.
        """

        async def step(transaction: Transaction, row: Document) -> None:
            owner = await self._owner(transaction, program, to)
            if row["candidate_id"] is not None:
                if row["assigned"]["to"] == owner:
                    return
                raise Problem(CONFLICT, "it is assigned to another candidate; take that back first")
            row["candidate_id"] = owner
            row["assigned"] = {"to": owner, "by": by, "at": transaction.now, "reason": reason}
            _note(row, "assigned", by, transaction.now, reason, owner)
            announce(transaction, row, in_own_chain(row["revisions"], None))

        return await self._change(program, key, step)

    async def unassign(self, program: str, key: str, *, by: str, reason: str) -> Document:
        """Take an assignment back: the result is again whose its id is, or waits for that.

        Raises:
            Problem: `not-found`; `conflict` where nobody has assigned it.
        """

        async def step(transaction: Transaction, row: Document) -> None:
            if "assigned" not in row:
                raise Problem(CONFLICT, "it is not assigned to anybody")
            _note(row, "unassigned", by, transaction.now, reason, row["assigned"]["to"])
            retract(transaction, row, None)
            del row["assigned"]
            owners = await self._store.links.candidates_of(transaction.session, [row["link"]])
            row["candidate_id"] = owners.get(row["link"])
            # Also where it has an owner: should the link move at this very moment, one of the two looks again.
            await self._store.links.wait_for(transaction.session, [row["link"]])
            announce(transaction, row, in_own_chain(row["revisions"], None))

        return await self._change(program, key, step)

    async def take(self, program: str, key: str, *, to: str | None, by: str) -> Document:
        """Let somebody of staff be on it, or nobody.

        Raises:
            Problem: `not-found`; `conflict` where it is assigned, so that nothing is left to do about it.
        """

        async def step(transaction: Transaction, row: Document) -> None:
            if row["candidate_id"] is not None:
                raise Problem(CONFLICT, "it is assigned to a candidate already")
            if give(row, to, transaction.now):
                _note(row, "taken" if to else "left", by, transaction.now, to or "", None)

        return await self._change(program, key, step)

    async def note(self, program: str, key: str, *, text: str, asked_vendor: bool, by: str) -> Document:
        """Note what is known, or what the vendor was asked. Raises as `assign` does for what is not there."""

        async def step(transaction: Transaction, row: Document) -> None:
            _note(row, "asked_vendor" if asked_vendor else "noted", by, transaction.now, text, None)
            if asked_vendor:
                row["asked_vendor_at"] = transaction.now

        return await self._change(program, key, step)

    async def _owner(self, transaction: Transaction, program: str, candidate_id: str) -> str:
        """The account that goes on for a candidate of the program."""
        session = transaction.session
        survivors = await self._store.merges.survivors(session, [candidate_id])
        owner = survivors.get(candidate_id, candidate_id)
        if not await self._store.links.known(session, program, [owner]):
            raise invalid("body.candidate_id", "unknown", "is no candidate of this program")
        # Touches what an erasure deletes, so that of an erasure and an assignment at once one looks again.
        await self._store.links.wait_for(session, [own_link(program, owner)])
        return owner

    async def _change(self, program: str, key: str, step: Step) -> Document:
        async def work(transaction: Transaction) -> Document:
            row = await self._store.unmatched_results.get(program, key, transaction.session)
            if row is None:
                raise Problem(NOT_FOUND)
            await step(transaction, row)
            await self._store.unmatched_results.save(transaction.session, row)
            await self._store.retakes_due.note(transaction.session, [row["_id"]])
            await self._store.watches.wake(transaction.session, appointments_of([row]), transaction.now)
            return row

        return await self._unit_of_work.run(work)


def _note(  # noqa: PLR0917 as they are read
    row: Document, what: str, by: str, now: datetime, text: str, candidate_id: str | None
) -> None:
    steps: list[Document] = row.setdefault("handling", [])
    if len(steps) >= MOST_STEPS:
        raise Problem(CONFLICT, f"a result has {MOST_STEPS} notes at most")
    steps.append({"what": what, "by": by, "at": now, "text": text, "candidate_id": candidate_id})
