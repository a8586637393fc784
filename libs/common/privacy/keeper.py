"""A service's part in exports and erasures, around what it does with its events."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from typing import Any, ClassVar

from pymongo import ASCENDING, IndexModel

from libs.common.bus.consumer import Work
from libs.common.bus.messages import Received
from libs.common.events import CloudEvent, EventData, identity
from libs.common.events.personal_data import Part
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.jobs import Job
from libs.common.mongo.links import LINK_EVENTS, link_id
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy import tombstones
from libs.common.privacy.holdings import Holdings, Opening, Person, plain
from libs.common.privacy.pseudonyms import is_pseudonym
from libs.common.privacy.sealing import Piece, pieces, seal
from libs.common.privacy.tombstones import Erased, Tombstones
from libs.common.versions import next_version

PERSONAL_EVENTS = (identity.PersonalDataRequested, identity.CandidateErased)
Erasure = Received[identity.CandidateErased]

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    tombstones.COLLECTION: tombstones.INDEXES,
    "export_requests": [
        IndexModel([("answered", ASCENDING), ("asked_at", ASCENDING)], name="unanswered"),
        IndexModel([("asked_at", ASCENDING)], name="kept", expireAfterSeconds=int(timedelta(days=7).total_seconds())),
    ],
}
APART = {
    "tombstones": "hashes under a secret key, and pseudonyms",
    "export_requests": "questions that are answered, for seven days; an erasure takes the person's along",
    "inbox": "ids of events, for 30 days",
    "outbox": "messages until the broker has them: seconds",
    "idempotency": "answers to requests, for 24 hours",
    "jobs": "names of jobs",
    "audit_sealed": "numbers of records of the audit log, which is a database of its own",
    "said_before": "ids of events and mails that a restored database has lost, for 30 days",
    "schema_version": "a number",
}
"""Collections that every service has, and why no erasure looks at them."""


After = Callable[[Transaction, Erasure, Person], Awaitable[None]]
"""What a service does beside, in the transaction of an erasure and after everything else in it."""


class Keeper:
    """Answers identity's questions for all that is held about a person, and erases it.

    Args:
        holdings: what the service holds.
        links: the collection that says whose a partner's id is; None where the service has none.
        facts_go_on: whether what is said of somebody erased still counts, under the pseudonym.
        after: what the service does beside.
        opening: opens files that lie sealed.
    """

    EVERY: ClassVar = timedelta(seconds=2)
    """How often questions are looked for that wait for an answer."""

    def __init__(
        self,
        part: type[Part],
        holdings: Holdings,
        found: Tombstones,
        database: Database,
        unit_of_work: UnitOfWork,
        *,
        links: str | None = None,
        facts_go_on: bool = False,
        after: After | None = None,
        opening: Opening = plain,
    ) -> None:
        self._part = part
        self._holdings = holdings
        self._tombstones = found
        self._database = database
        self._requests = database["export_requests"]
        self._unit_of_work = unit_of_work
        self._links = links
        self._facts_go_on = facts_go_on
        self._after = after
        self._opening = opening

    def job(self) -> Job:
        return Job("exports", self.EVERY, self.answer)

    def around(self, work: Work) -> Work:
        """`work`, for what is left to it: every event in which somebody erased goes by their pseudonym, if at all."""

        async def handle(transaction: Transaction, items: Sequence[Any]) -> None:
            erasures = [item for item in items if isinstance(item.data, identity.CandidateErased)]
            for erasure in erasures:
                await self._erase(transaction, erasure)
            for item in items:
                if isinstance(item.data, identity.PersonalDataRequested):
                    await self._ask(transaction, item)
            others = [item for item in items if not isinstance(item.data, PERSONAL_EVENTS)]
            left = await self._renamed(transaction, others, erasures)
            if left:
                await work(transaction, left)

        return handle

    # Erasure

    async def _erase(self, transaction: Transaction, erasure: Erasure) -> None:
        data = erasure.data
        names = {one.candidate_id: one.pseudonym for one in data.accounts}
        owners = await self._owners(transaction.session, list(names))
        person = Person(list(names), list(owners))
        ids = names | {link: names[owner] for link, owner in owners.items()}
        await self._tombstones.add(transaction, ids, data.erased_at)
        await self._holdings.erase(self._database, transaction.session, person, names)
        await self._requests.delete_many({"accounts": {"$in": list(names)}}, session=transaction.session)
        if self._after is not None:
            await self._after(transaction, erasure, person)

    async def _owners(self, session: Session | None, accounts: Sequence[str]) -> dict[str, str]:
        """Partners' ids of these accounts, each with its account."""
        if self._links is None:
            return {}
        rows = self._database[self._links].find({"candidate_id": {"$in": list(accounts)}}, session=session)
        return {row["_id"]: row["candidate_id"] async for row in rows}

    async def _renamed(
        self, transaction: Transaction, items: Sequence[Received[Any]], erasures: Sequence[Erasure]
    ) -> list[Received[Any]]:
        named = [(item, _named(item)) for item in items]
        erased = await self._tombstones.find(one for _, about in named for one in about.values())
        for each in erasures:
            erased |= {one.candidate_id: Erased(one.pseudonym, each.data.erased_at) for one in each.data.accounts}
        left: list[Received[Any]] = []
        for item, about in named:
            if not any(one in erased or is_pseudonym(one) for one in about.values()):
                left.append(item)
            elif self._facts_go_on and isinstance(item.data, LINK_EVENTS):
                # It would name the person again: by their id at a partner.
                link = link_id(item.event.program, item.data.system, item.data.external_id)
                found = erased[item.data.candidate_id]
                await self._tombstones.add(transaction, {link: found.pseudonym}, found.at)
            elif self._facts_go_on:
                names = {name: erased[one].pseudonym if one in erased else one for name, one in about.items()}
                left.append(replace(item, event=_about(item.event, names)))
        return left

    # Export

    async def _ask(self, transaction: Transaction, item: Received[identity.PersonalDataRequested]) -> None:
        data = item.data
        if self._part.publisher not in data.services:
            return
        row: Document = {
            "export_id": data.export_id,
            "attempt": data.attempt,
            "program": item.event.program,
            "accounts": data.accounts,
            "public_key": data.public_key,
            "asked_at": transaction.now,
            "said": 0,
            "files": None,
            "answered": False,
        }
        key = {"_id": f"{data.export_id}.{data.attempt}"}
        await self._requests.update_one(key, {"$setOnInsert": row}, upsert=True, session=transaction.session)

    async def answer(self) -> None:
        """Answer what is asked, one file a transaction; whoever takes over goes on where it stopped."""
        while (row := await self._requests.find_one({"answered": False}, sort=[("asked_at", ASCENDING)])) is not None:
            while not await self._unit_of_work.run(partial(self._step, key=row["_id"])):
                pass

    async def _step(self, transaction: Transaction, *, key: str) -> bool:
        """Say the next file, or that there is no more. Returns whether it was the last."""
        row = await self._requests.find_one({"_id": key}, session=transaction.session)
        if row is None or row["answered"]:
            return True
        if row["files"] is None:
            owners = await self._owners(transaction.session, row["accounts"])
            person = Person(row["accounts"], list(owners))
            records = await self._holdings.records(self._database, person, transaction.session)
            said = [piece for path, content in sorted(records.items()) for piece in pieces(path, content)]
            row["files"] = await self._holdings.files(self._database, person)
        elif row["files"]:
            collection, one, path = row["files"].pop(0)
            content = await self._holdings.file(self._database, collection, one, self._opening)
            said = list(pieces(path, content)) if content is not None else []
        else:
            self._emit(transaction, row, number=row["said"] + 1, total=row["said"])
            row["answered"], said = True, []
        self._say(transaction, row, said)
        await self._requests.replace_one({"_id": key}, row, session=transaction.session)
        return bool(row["answered"])

    def _say(self, transaction: Transaction, row: Document, said: Sequence[Piece]) -> None:
        for piece in said:
            row["said"] += 1
            self._emit(transaction, row, number=row["said"], sealed=seal(piece, row["public_key"]))

    def _emit(self, transaction: Transaction, row: Document, **more: Any) -> None:
        event = self._part(export_id=row["export_id"], attempt=row["attempt"], **more)
        version = next_version(None, transaction.now)
        transaction.emit(event, program=row["program"], subject=row["export_id"], version=version)


def _about(event: CloudEvent[Any], names: Mapping[str, str]) -> CloudEvent[Any]:
    """The event about others."""
    return event.model_copy(update={"data": event.data.model_copy(update=dict(names))})


def _named(item: Received[Any]) -> dict[str, str]:
    """The candidates that an event names, by field."""
    data: EventData = item.data
    return {name: getattr(data, name) for name in _naming(type(data))}


@cache
def _naming(model: type[EventData]) -> tuple[str, ...]:
    """The fields of an event in which a candidate is named."""
    return tuple(name for name in ("candidate_id", "merged_id") if name in model.model_fields)
