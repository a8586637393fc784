"""Follows credentials: what has changed is noted with the change, and taken into the chains a moment later."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Protocol

from libs.common.bus.messages import Received
from libs.common.events import identity
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.provider.chains import held
from services.certs.provider.rows import chain_id, chain_of, fields_of, new_row
from services.certs.provider.store import ProviderStore, Standing


class Changed(Protocol):
    """A credential that has changed."""

    @property
    def credential_id(self) -> str: ...

    @property
    def program(self) -> str: ...


class ProviderFollower:
    """Is told of credentials in the transaction that changes them, and keeps that cheap: one insert for all of them."""

    def __init__(self, store: ProviderStore, programs: Mapping[str, Program]) -> None:
        self._store = store
        self._programs = programs

    async def changed(self, transaction: Transaction, credentials: Sequence[Changed]) -> None:
        """Note them. Of a program without provider nothing is noted: once it has one, everything is compared."""
        by_program: dict[str, list[str]] = {}
        for one in credentials:
            by_program.setdefault(one.program, []).append(one.credential_id)
        for program, ids in by_program.items():
            if self._has_provider(program):
                await self._store.note(transaction.session, program, credentials=ids)

    async def named(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        """Note people whose profile has changed: their names stand on badges."""
        by_program: dict[str, set[str]] = {}
        for item in items:
            if isinstance(item.data, identity.CandidateProfileChanged):
                by_program.setdefault(item.event.program, set()).add(item.data.candidate_id)
        for program, candidates in by_program.items():
            if self._has_provider(program):
                await self._store.note(transaction.session, program, candidates=sorted(candidates))

    def _has_provider(self, program: str) -> bool:
        policy = self._programs.get(program)
        return policy is not None and policy.badge_provider is not None


class Following:
    """Takes credentials into chains."""

    SLICE: ClassVar = 100

    def __init__(self, store: ProviderStore, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._unit_of_work = unit_of_work

    async def take_in(self, program: str) -> None:
        """Work off what is noted."""
        while await self._unit_of_work.run(partial(self._noted, program=program)) == self.SLICE:
            pass

    async def take_all(self, program: str, after: str) -> str | None:
        """Take in the next credentials of the program, noted or not. Returns the last one's id; None at the end."""
        return await self._unit_of_work.run(partial(self._next, program=program, after=after))

    async def _noted(self, transaction: Transaction, *, program: str) -> int:
        notes = await self._store.notes(transaction.session, program, self.SLICE)
        if notes:
            ids = [one for note in notes for one in note["credentials"]]
            await self._take(transaction, await self._store.credentials(transaction.session, ids))
            candidates = [one for note in notes for one in note["candidates"]]
            await self._store.look_at_people(transaction.session, program, candidates, transaction.now)
            await self._store.noted(transaction.session, notes)
        return len(notes)

    async def _next(self, transaction: Transaction, *, program: str, after: str) -> str | None:
        found = await self._store.credentials_after(transaction.session, program, after, self.SLICE)
        await self._take(transaction, found)
        return found[-1].link.credential_id if len(found) == self.SLICE else None

    async def _take(self, transaction: Transaction, credentials: Sequence[Standing]) -> None:
        rows = await self._rows(transaction, credentials)
        for row, links in rows:
            before = chain_of(row)
            after = held(before, [one.link for one in links])
            if after != before:
                due = {"due_at": transaction.now, "trouble": None}
                await self._store.save(transaction.session, row | fields_of(after) | due)

    async def _rows(
        self, transaction: Transaction, credentials: Sequence[Standing]
    ) -> list[tuple[Document, list[Standing]]]:
        """The chain of each credential: the one that has it, or that of its person and certification.

        One that was never valid here needs none.
        """
        own = {
            one.link.credential_id: chain_id(one.program, one.candidate_id, one.certification) for one in credentials
        }
        known = await self._store.chains_of(transaction.session, own, own.values())
        rows = {row["_id"]: row for row in known}
        of = {link.credential_id: row["_id"] for row in known for link in chain_of(row).links}
        found: dict[str, list[Standing]] = {}
        for one in credentials:
            key = of.get(one.link.credential_id, own[one.link.credential_id])
            if key not in rows and not one.link.valid:
                continue
            rows.setdefault(key, new_row(one.program, one.candidate_id, one.certification))
            found.setdefault(key, []).append(one)
        return [(rows[key], links) for key, links in found.items()]
