"""Comparing accounts that are new or have changed with those that may be of the same person."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import ClassVar

from libs.common.clock import Clock
from libs.common.mongo.client import Document
from libs.common.mongo.jobs import Job
from libs.common.name_keys import name_keys
from services.identity.domain.name_keys import keys_of
from services.identity.domain.similarity import Likeness, Person, compare
from services.identity.domain.suspicions import CROWD, is_offered, place_keys
from services.identity.duplicates.store import DuplicateStore


class Comparing:
    """Looks at each such account once, soon after it came or changed: registrations do not wait for that.

    One after the other, and each can be found only once it was compared: so of two that come together the later one
    finds the earlier. What dies half-way is done again.
    """

    EVERY: ClassVar = timedelta(seconds=5)
    SLICE: ClassVar = 500
    """Accounts of a program compared at a time: some seconds' work, where a platform has just learnt to compare."""

    def __init__(self, store: DuplicateStore, programs: Collection[str], clock: Clock) -> None:
        self._store = store
        self._programs = programs
        self._clock = clock

    def job(self) -> Job:
        return Job("duplicates", self.EVERY, self.run)

    async def run(self) -> None:
        for program in self._programs:
            for account in await self._store.uncompared(program, self.SLICE):
                await self._compare(account)

    async def _compare(self, account: Document) -> None:
        keys: list[str] = []
        found: list[Likeness] = []
        before = await self._store.suspected_with(account["_id"])
        if not account.get("merged_into"):
            keys = place_keys(keys_of(account), account.get("address"))
            sharing = await self._store.sharing_address(account)
            others = [*sharing, *await self._store.near(account, keys)]
            if before:
                others += await self._store.standing(before)
            if any(row["_id"] != account["_id"] for row in others):
                crowded = len(sharing) > CROWD
                found = await asyncio.to_thread(worth_offering, account, others, crowded=crowded)
        if found or before:  # most accounts are and were like no other
            await self._record(account, found)
        await self._store.compared(account, keys)

    async def _record(self, account: Document, found: Sequence[Likeness]) -> None:
        await self._store.record(account, found, self._clock.now())
        # Whoever was erased while they were compared has not taken along what was written of it just now.
        concerned = {account["_id"], *(each.id for each in found)}
        if gone := concerned - await self._store.present(concerned):
            await self._store.forget(gone)


def worth_offering(account: Document, others: Iterable[Document], *, crowded: bool) -> list[Likeness]:
    """Those of the others that staff are asked about, each once."""
    person = person_of(account)
    likenesses = {row["_id"]: compare(person, person_of(row)) for row in others if row["_id"] != account["_id"]}
    return [each for each in likenesses.values() if is_offered(each, crowded=crowded)]


def person_of(account: Document) -> Person:
    """What of an account is compared: all names that it has and had, in Latin letters too, and its address."""
    names: list[str] = []
    for name in (account, *account.get("former_names", ())):
        names.append(f"{name['given_name']} {name['family_name']}")
        if native := name.get("native_name"):
            names.append(f"{native['given_name']} {native['family_name']}")
    names += [latin for name in names if not name.isascii() and (latin := " ".join(name_keys([name])))]
    address = account.get("address") or {}
    where = [*address.get("lines", []), address.get("city"), address.get("postal_code")]
    return Person(
        id=account["_id"],
        names=tuple(names),
        email=account["email_key"],
        country=account["country"],
        address=" ".join(part for part in where if part),
        merged=bool(account.get("merged_into")),
    )
