"""Erasures: asked for, cancelled in time or carried out, and told to all services.

`requested`: two weeks in which it can be cancelled. `erasing`: identity holds nothing any more, and has told the
others. `done`: it was told again once no access token of the person was left, and identity has forgotten whom it was
about. Each step is one transaction, and any process does the next. A hold of staff keeps an erasure waiting.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

from pymongo import ASCENDING, DESCENDING

from libs.common.bus.messages import Received
from libs.common.clock import Clock
from libs.common.events import identity
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy.holdings import Person
from libs.common.privacy.pseudonyms import new_pseudonym
from libs.common.privacy.tombstones import Tombstones
from libs.common.versions import next_version
from services.identity.privacy.holdings import HOLDINGS
from services.identity.privacy.people import People
from services.identity.store import IdentityStore

COOLING_OFF = timedelta(days=14)
"""Time to notice a request that was a mistake or somebody else's, well below the month that the law allows
(GDPR, article 12, 3)."""

TOLD_AGAIN = timedelta(hours=1)
"""Access tokens last a quarter of an hour, and a service may remember one a minute longer."""

REQUESTED, CANCELLED, ERASING, DONE = "requested", "cancelled", "erasing", "done"


class ErasureStore:
    """All queries about erasures and holds. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._erasures = database["erasures"]
        self._holds = database["erasure_holds"]
        self._merges = database["merges"]

    async def get(self, session: Session, erasure_id: str) -> Document | None:
        row: Document | None = await self._erasures.find_one({"_id": erasure_id}, session=session)
        return row

    async def requested(self, session: Session, accounts: Sequence[str]) -> Document | None:
        query = {"candidate_id": {"$in": list(accounts)}, "state": REQUESTED}
        row: Document | None = await self._erasures.find_one(query, session=session)
        return row

    async def latest(self, accounts: Sequence[str]) -> Document | None:
        query = {"candidate_id": {"$in": list(accounts)}}
        row: Document | None = await self._erasures.find_one(query, sort=[("requested_at", DESCENDING)])
        return row

    async def add(self, session: Session, row: Document) -> None:
        await self._erasures.insert_one(row, session=session)

    async def save(self, session: Session, row: Document) -> None:
        await self._erasures.replace_one({"_id": row["_id"]}, row, session=session)

    async def forget_others(self, session: Session, accounts: Sequence[str], *, but: str) -> None:
        """What else was asked for of these accounts: cancelled, or by an account before it was merged."""
        query = {"_id": {"$ne": but}, "candidate_id": {"$in": list(accounts)}, "state": {"$in": [REQUESTED, CANCELLED]}}
        await self._erasures.delete_many(query, session=session)

    async def due(self, state: str, field: str, moment: datetime, limit: int) -> list[str]:
        """Erasures of a state whose moment has come; those that a hold keeps waiting are left out."""
        held = await self._holds.distinct("_id")
        query = {"state": state, field: {"$lte": moment}, "candidate_id": {"$nin": held}}
        rows = await self._erasures.find(query, {"_id": 1}).sort(field, ASCENDING).to_list(limit)
        return [row["_id"] for row in rows]

    async def hold(self, accounts: Sequence[str], session: Session | None = None) -> Document | None:
        row: Document | None = await self._holds.find_one({"_id": {"$in": list(accounts)}}, session=session)
        return row

    async def put_hold(self, session: Session, row: Document) -> None:
        await self._holds.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)

    async def lift_hold(self, session: Session, accounts: Sequence[str]) -> bool:
        result = await self._holds.delete_many({"_id": {"$in": list(accounts)}}, session=session)
        return bool(result.deleted_count)

    async def merging(self, session: Session, accounts: Sequence[str]) -> bool:
        """Whether a merge of one of these is half-way."""
        either = [{name: {"$in": list(accounts)}} for name in ("candidate_id", "merged_id")]
        query = {"state": {"$in": ["requested", "announced"]}, "$or": either}
        return await self._merges.find_one(query, {"_id": 1}, session=session) is not None


class Erasures:
    """Takes requests, and carries them out when their time has come."""

    EVERY: ClassVar = timedelta(minutes=1)
    SLICE: ClassVar = 100

    def __init__(  # noqa: PLR0917 a composition root's own
        self,
        store: ErasureStore,
        people: People,
        accounts: IdentityStore,
        tombstones: Tombstones,
        database: Database,
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self.store = store
        self.people = people
        self._accounts = accounts
        self._tombstones = tombstones
        self._database = database
        self._unit_of_work = unit_of_work
        self._clock = clock

    def job(self) -> Job:
        return Job("erasures", self.EVERY, self.run)

    async def ask(
        self, erasure_id: str, program: str, candidate_id: str, *, asked_by: str, by: str, reason: str | None
    ) -> Document:
        """Ask for a person to be erased; one that is asked for already stays as it is. Raises `not-found`."""

        async def work(transaction: Transaction) -> Document:
            person = await self.people.of(program, candidate_id, transaction.session)
            known = await self.store.requested(transaction.session, person.accounts)
            if known is not None:
                return known
            first = person.accounts[0]
            row: Document = {
                "_id": erasure_id,
                "program": program,
                "candidate_id": first,
                "state": REQUESTED,
                "asked_by": asked_by,
                "by": by,
                "reason": reason,
                "requested_at": transaction.now,
                "due_at": transaction.now + COOLING_OFF,
                "erased_at": None,
                "ended_at": None,
            }
            await self.store.add(transaction.session, row)
            event = identity.ErasureRequested(candidate_id=first, asked_by=asked_by, due_at=row["due_at"])
            version = await self._accounts.next_version(transaction.session, first, transaction.now)
            transaction.emit(event, program=program, subject=first, version=version)
            return row

        return await self._unit_of_work.run(work)

    async def cancel(self, program: str, candidate_id: str) -> None:
        """Let an erasure not happen. Raises the problem `not-found` where none is asked for, or where it has begun."""

        async def work(transaction: Transaction) -> None:
            person = await self.people.of(program, candidate_id, transaction.session)
            row = await self.store.requested(transaction.session, person.accounts)
            if row is None:
                raise Problem(NOT_FOUND)
            while row is not None:  # accounts may each have asked before they were merged
                await self.store.save(transaction.session, row | {"state": CANCELLED, "ended_at": transaction.now})
                row = await self.store.requested(transaction.session, person.accounts)
            first = person.accounts[0]
            event = identity.ErasureCancelled(candidate_id=first, cancelled_at=transaction.now)
            version = await self._accounts.next_version(transaction.session, first, transaction.now)
            transaction.emit(event, program=program, subject=first, version=version)

        await self._unit_of_work.run(work)

    async def hold(self, program: str, candidate_id: str, *, reason: str, by: str) -> Document:
        """Let nobody be erased until the hold is lifted. Raises the problem `not-found`."""

        async def work(transaction: Transaction) -> Document:
            person = await self.people.of(program, candidate_id, transaction.session)
            known = await self.store.hold(person.accounts, transaction.session)
            row = {"_id": person.accounts[0], "reason": reason, "by": by, "since": transaction.now}
            if known is not None:
                row |= {"_id": known["_id"], "since": known["since"]}
            await self.store.put_hold(transaction.session, row)
            # An erasure at the same moment reads holds and writes none: they meet at the account.
            await self._accounts.next_version(transaction.session, person.accounts[0], transaction.now)
            return row

        return await self._unit_of_work.run(work)

    async def lift(self, program: str, candidate_id: str) -> None:
        """Lift a hold; what is due is erased in the next minute. Raises the problem `not-found`."""

        async def work(transaction: Transaction) -> bool:
            person = await self.people.of(program, candidate_id, transaction.session)
            return await self.store.lift_hold(transaction.session, person.accounts)

        if not await self._unit_of_work.run(work):
            raise Problem(NOT_FOUND)

    # Carrying out

    async def run(self) -> None:
        """Erase what is due, and tell again what was told long enough ago."""
        now = self._clock.now()
        for erasure_id in await self.store.due(REQUESTED, "due_at", now, self.SLICE):
            await self._unit_of_work.run(partial(self._erase, erasure_id=erasure_id))
        for erasure_id in await self.store.due(ERASING, "erased_at", now - TOLD_AGAIN, self.SLICE):
            await self._unit_of_work.run(partial(self._finish, erasure_id=erasure_id))

    async def _erase(self, transaction: Transaction, *, erasure_id: str) -> None:
        session = transaction.session
        row = await self.store.get(session, erasure_id)
        if row is None or row["state"] != REQUESTED or row["due_at"] > transaction.now:
            return
        person = await self.people.of(row["program"], row["candidate_id"], session)
        if await self.store.hold(person.accounts, session) or await self.store.merging(session, person.accounts):
            return
        names = {account: new_pseudonym() for account in person.accounts}
        owners = await self.people.owners(person, session)
        await self._tombstones.add(
            transaction, names | {link: names[owner] for link, owner in owners.items()}, transaction.now
        )
        row |= {
            "state": ERASING,
            "candidate_id": person.accounts[0],
            "erased_at": transaction.now,
            "accounts": [{"candidate_id": one, "pseudonym": name} for one, name in names.items()],
            "links": list(owners),
        }
        version = await self._accounts.next_version(session, row["candidate_id"], transaction.now)
        await self._forget(transaction, person, row)
        self._tell(transaction, row, version, again=False)
        await self.store.save(session, row)

    async def _finish(self, transaction: Transaction, *, erasure_id: str) -> None:
        row = await self.store.get(transaction.session, erasure_id)
        if row is None or row["state"] != ERASING:
            return
        person = Person([one["candidate_id"] for one in row["accounts"]], row.get("links", ()))
        await self._forget(transaction, person, row)
        self._tell(transaction, row, next_version(None, transaction.now), again=True)
        kept = {name: row[name] for name in ("_id", "program", "asked_by", "requested_at", "erased_at")}
        await self.store.save(transaction.session, kept | {"state": DONE, "ended_at": transaction.now})

    async def hear(self, transaction: Transaction, items: Sequence[Received[identity.CandidateErased]]) -> None:
        """Erase again whom a restored database has brought back, under the pseudonyms that all services know."""
        for item in items:
            names = {one.candidate_id: one.pseudonym for one in item.data.accounts}
            owners = await self.people.owners(Person(list(names)), transaction.session)
            links = {link: names[owner] for link, owner in owners.items()}
            await self._tombstones.add(transaction, names | links, item.data.erased_at)
            person = Person(list(names), list(owners))
            await HOLDINGS.erase(self._database, transaction.session, person, names)
            await self.store.forget_others(transaction.session, person.accounts, but="")

    async def _forget(self, transaction: Transaction, person: Person, row: Document) -> None:
        names = {one["candidate_id"]: one["pseudonym"] for one in row["accounts"]}
        await HOLDINGS.erase(self._database, transaction.session, person, names)
        await self.store.forget_others(transaction.session, person.accounts, but=row["_id"])

    def _tell(self, transaction: Transaction, row: Document, version: int, *, again: bool) -> None:
        event = identity.CandidateErased(
            candidate_id=row["candidate_id"],
            accounts=[identity.ErasedAccount(**one) for one in row["accounts"]],
            erased_at=row["erased_at"],
            again=again,
        )
        transaction.emit(event, program=row["program"], subject=row["candidate_id"], version=version)
