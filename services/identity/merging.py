"""Merging two accounts of one person, in steps that each commit by themselves, and undoing it.

`requested`: the old ID opens the account that goes on. `announced`: the other services are told. `done`: the partners'
ids have moved. A process that dies between two steps leaves a merge that any other takes up where it stands.
`reversed` is one step from `done`: all of it is undone and told in one transaction, or nothing is.
"""

from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import ClassVar

from libs.common.clock import Clock
from libs.common.events import identity
from libs.common.http.problems import NOT_FOUND, Problem, ProblemType
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.identity.mapping import Mapping
from services.identity.merge_store import MergeStore
from services.identity.store import IdentityStore

MERGE_REFUSED = ProblemType("merge-refused", "These accounts cannot be merged as they are", 409)
NOT_REVERSIBLE = ProblemType("merge-not-done", "The merge is still under way", 409)


class State(StrEnum):
    """How far a merge has come."""

    REQUESTED = "requested"
    ANNOUNCED = "announced"
    DONE = "done"
    REVERSED = "reversed"


class Merging:
    """Carries merges through."""

    EVERY: ClassVar = timedelta(seconds=10)
    """How often merges are looked for that stopped half-way."""
    PATIENCE: ClassVar = timedelta(seconds=30)
    """How long whoever began one is left to finish it."""
    SLICE: ClassVar = 100

    def __init__(
        self, store: MergeStore, accounts: IdentityStore, mapping: Mapping, unit_of_work: UnitOfWork, clock: Clock
    ) -> None:
        self.store = store
        self._accounts = accounts
        self._clock = clock
        self._mapping = mapping
        self._unit_of_work = unit_of_work

    async def merge(self, merge_id: str, *, program: str, source: str, into: str, by: str, reason: str) -> Document:
        """Merge one account into another; the same `merge_id` again goes on with the same merge.

        Raises:
            Problem: `merge-refused`, or `not-found` where one of them is no account of the program.
        """
        await self._unit_of_work.run(
            partial(self.request, merge_id=merge_id, program=program, source=source, into=into, by=by, reason=reason)
        )
        return await self.advance(merge_id)

    async def request(
        self, transaction: Transaction, *, merge_id: str, program: str, source: str, into: str, by: str, reason: str
    ) -> None:
        """The first step of `merge`, for what has more to commit with it. Raises as `merge` does."""
        if await self.store.get(transaction.session, merge_id) is not None:
            return
        refusal = await self.refusal(transaction, program, source, into)
        if refusal is not None:
            raise Problem(MERGE_REFUSED, refusal)
        await self._accounts.join(transaction.session, source, into)
        await self.store.add(
            transaction.session,
            {
                "_id": merge_id,
                "program": program,
                "state": State.REQUESTED,
                "merged_id": source,
                "candidate_id": into,
                "reason": reason,
                "by": by,
                "requested_at": transaction.now,
                "moved": [],
            },
        )

    async def preview(self, program: str, source: str, into: str) -> str | None:
        """Why the two cannot be merged; None where they can. Raises the problem `not-found`."""
        return await self._unit_of_work.run(lambda transaction: self.refusal(transaction, program, source, into))

    async def refusal(self, transaction: Transaction, program: str, source: str, into: str) -> str | None:
        """As `preview`."""
        ends = await self._accounts.candidate(program, source, transaction.session)
        goes_on = await self._accounts.candidate(program, into, transaction.session)
        if ends is None or goes_on is None:
            raise Problem(NOT_FOUND)
        if source == into:
            return "an account cannot be merged into itself"
        if ends.get("merged_into"):
            return f"{source} was merged into {ends['merged_into']} before"
        if goes_on.get("merged_into"):
            return f"{into} was merged into {goes_on['merged_into']}; merge into that one"
        if ends.get("merged_from"):
            return f"{', '.join(ends['merged_from'])} was merged into {source}; undo that first, or merge the other way"
        return None

    async def advance(self, merge_id: str) -> Document:
        """Do what is left of a merge, and return it as it then is. Raises `LookupError` where there is none."""
        while True:
            row = await self._unit_of_work.run(partial(self._step, merge_id=merge_id))
            if row["state"] in {State.DONE, State.REVERSED}:
                return row

    async def resume(self) -> None:
        """Finish the merges that somebody began and did not finish."""
        since = self._clock.now() - self.PATIENCE
        for merge_id in await self.store.begun_before(since, self.SLICE):
            await self.advance(merge_id)

    async def reverse(self, merge_id: str, *, program: str, by: str, reason: str) -> Document:
        """Undo a merge; one that is undone already stays as it is.

        Raises:
            Problem: `not-found`, or `merge-not-done`.
        """

        async def undo(transaction: Transaction) -> Document:
            row = await self.store.get(transaction.session, merge_id)
            if row is None or row["program"] != program:
                raise Problem(NOT_FOUND)
            if row["state"] == State.REVERSED:
                return row
            if row["state"] != State.DONE:
                raise Problem(NOT_REVERSIBLE, "try again in a minute")
            source, into = row["merged_id"], row["candidate_id"]
            await self._accounts.part(transaction.session, source, into)
            version = await self._accounts.next_version(transaction.session, into, transaction.now)
            event = identity.CandidatesSeparated(
                merge_id=merge_id, candidate_id=into, merged_id=source, separated_at=transaction.now
            )
            transaction.emit(event, program=program, subject=into, version=version)
            await self._move_back(transaction, row, by)
            row |= {"state": State.REVERSED, "reversed_by": by, "reversed_at": transaction.now}
            row["reversal_reason"] = reason
            await self.store.save(transaction.session, row)
            return row

        return await self._unit_of_work.run(undo)

    async def _step(self, transaction: Transaction, *, merge_id: str) -> Document:
        row = await self.store.get(transaction.session, merge_id)
        if row is None:
            raise LookupError(merge_id)
        if row["state"] == State.REQUESTED:
            await self._announce(transaction, row)
        elif row["state"] == State.ANNOUNCED:
            await self._move_ids(transaction, row)
        else:
            return row
        await self.store.save(transaction.session, row)
        return row

    async def _announce(self, transaction: Transaction, row: Document) -> None:
        into = row["candidate_id"]
        event = identity.CandidatesMerged(
            merge_id=row["_id"], candidate_id=into, merged_id=row["merged_id"], merged_at=transaction.now
        )
        version = await self._accounts.next_version(transaction.session, into, transaction.now)
        transaction.emit(event, program=row["program"], subject=into, version=version)
        row |= {"state": State.ANNOUNCED, "announced_at": transaction.now}

    async def _move_ids(self, transaction: Transaction, row: Document) -> None:
        for external in await self._mapping.store.of_candidate(transaction.session, row["merged_id"]):
            moved = await self._mapping.point(
                transaction,
                external,
                row["candidate_id"],
                verified_by=external["verified_by"],
                by=row["by"],
                reason=row["reason"],
                merge_id=row["_id"],
            )
            row["moved"].append({"link": external["_id"], "since": moved["since"]})
        row |= {"state": State.DONE, "done_at": transaction.now}

    async def _move_back(self, transaction: Transaction, row: Document, by: str) -> None:
        """Give the ids back that the merge moved, but for those that somebody has moved since."""
        since = {moved["link"]: moved["since"] for moved in row["moved"]}
        for external in await self._mapping.store.some(transaction.session, since):
            if external["candidate_id"] == row["candidate_id"] and external["since"] == since[external["_id"]]:
                await self._mapping.point(
                    transaction,
                    external,
                    row["merged_id"],
                    verified_by=external["verified_by"],
                    by=by,
                    reason="the merge was undone",
                )
