"""The stored side of the exchange with a badge provider."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import DuplicateKeyError

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from services.certs.provider.chains import Link

CHAINS = "provider_badges"
NOTES = "provider_notes"
"""Credentials that have changed, a document for each batch: what is only added meets no conflict with anybody."""
STATES = "provider_states"
"""One for each program: how its provider is doing, and how far everything was compared."""
HOOKS = "provider_hooks"
STRAYS = "provider_strays"
"""Badges under keys of ours that we know nothing of."""

MIGRATION = Migration(
    14,
    "badges at providers",
    declare(
        {
            CHAINS: [
                IndexModel(
                    [("program", ASCENDING), ("due_at", ASCENDING)],
                    name="due",
                    partialFilterExpression={"due_at": {"$type": "date"}},
                ),
                IndexModel([("links.credential_id", ASCENDING)], name="credential"),
                IndexModel([("program", ASCENDING), ("links.badge.badge_id", ASCENDING)], name="badge"),
                IndexModel([("candidate_id", ASCENDING), ("certification", ASCENDING)], name="candidate"),
                IndexModel(
                    [("program", ASCENDING), ("_id", ASCENDING)],
                    name="trouble",
                    partialFilterExpression={"trouble.kind": {"$exists": True}},
                ),
            ],
            NOTES: [
                IndexModel([("program", ASCENDING), ("_id", ASCENDING)], name="program"),
                IndexModel([("candidates", ASCENDING)], name="candidate"),
            ],
            STATES: [],
            HOOKS: [
                IndexModel([("program", ASCENDING), ("done", ASCENDING), ("try_at", ASCENDING)], name="open"),
                IndexModel(
                    [("taken_at", ASCENDING)],
                    name="kept",
                    expireAfterSeconds=int(timedelta(days=30).total_seconds()),
                ),
            ],
            STRAYS: [IndexModel([("program", ASCENDING), ("_id", ASCENDING)], name="program")],
        }
    ),
)


class Standing(NamedTuple):
    """A credential, as far as a badge of it depends on that."""

    program: str
    candidate_id: str
    certification: str
    link: Link


class ProviderStore:
    """All queries about badges at providers. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._credentials = database["credentials"]
        self._chains = database[CHAINS]
        self._notes = database[NOTES]
        self._states = database[STATES]
        self._hooks = database[HOOKS]
        self._strays = database[STRAYS]

    # Credentials

    async def note(
        self, session: Session, program: str, *, credentials: Sequence[str] = (), candidates: Sequence[str] = ()
    ) -> None:
        row = {"program": program, "credentials": list(credentials), "candidates": list(candidates)}
        await self._notes.insert_one(row, session=session)

    async def notes(self, session: Session, program: str, most: int) -> list[Document]:
        """The oldest notes of a program."""
        found = self._notes.find({"program": program}, session=session).sort("_id", ASCENDING)
        return await found.to_list(most)

    async def noted(self, session: Session, notes: Iterable[Document]) -> None:
        await self._notes.delete_many({"_id": {"$in": [note["_id"] for note in notes]}}, session=session)

    async def credentials(self, session: Session, ids: Iterable[str]) -> list[Standing]:
        """These credentials, but for those whose person was erased."""
        found = self._credentials.find({"_id": {"$in": list(set(ids))}, "erased": False}, _FACTS, session=session)
        return [_standing(row) async for row in found]

    async def credentials_after(self, session: Session, program: str, after: str, most: int) -> list[Standing]:
        """The next credentials of a program in the order of their ids."""
        query = {"program": program, "erased": False, "_id": {"$gt": after}}
        found = self._credentials.find(query, _FACTS, session=session).sort("_id", ASCENDING)
        return [_standing(row) for row in await found.to_list(most)]

    # Chains

    async def chain(self, session: Session | None, key: str) -> Document | None:
        row: Document | None = await self._chains.find_one({"_id": key}, session=session)
        return row

    async def chains_of(self, session: Session, credentials: Iterable[str], own: Iterable[str]) -> list[Document]:
        """The chains that have one of these credentials, or one of these ids."""
        either = [{"links.credential_id": {"$in": list(credentials)}}, {"_id": {"$in": list(own)}}]
        return await self._chains.find({"$or": either}, session=session).to_list(None)

    async def chains_about(
        self, program: str, badges: Sequence[str], credentials: Sequence[str], session: Session | None = None
    ) -> list[Document]:
        """The chains that the provider speaks of, by its badges and by our credentials."""
        either = [
            {"program": program, "links.badge.badge_id": {"$in": list(badges)}},
            {"program": program, "links.credential_id": {"$in": list(credentials)}},
        ]
        return await self._chains.find({"$or": either}, session=session).to_list(None)

    async def chains_after(self, program: str, after: str, most: int) -> list[Document]:
        """The next chains of a program in the order of their ids."""
        found = self._chains.find({"program": program, "_id": {"$gt": after}}).sort("_id", ASCENDING)
        return await found.to_list(most)

    async def of_accounts(self, program: str, accounts: Sequence[str]) -> list[Document]:
        query = {"candidate_id": {"$in": list(accounts)}, "program": program}
        return await self._chains.find(query).sort("_id", ASCENDING).to_list(None)

    async def has_due(self, program: str, now: datetime) -> bool:
        return await self._chains.find_one(_due(program, now), {"_id": 1}) is not None

    async def due(self, session: Session, program: str, now: datetime) -> Document | None:
        """The chain that waits longest and that nobody has in hand."""
        query, order = _due(program, now), [("due_at", ASCENDING)]
        row: Document | None = await self._chains.find_one(query, sort=order, session=session)
        return row

    async def save(self, session: Session, row: Document) -> None:
        await self._chains.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)

    async def forget(self, session: Session, key: str) -> None:
        await self._chains.delete_one({"_id": key}, session=session)

    async def look_at_people(self, session: Session, program: str, candidates: Sequence[str], now: datetime) -> None:
        """Let the chains of these people be looked at; those that are refused too, for it may be mended now."""
        query = {"candidate_id": {"$in": list(candidates)}, "program": program, "due_at": None}
        if candidates:
            await self._chains.update_many(query, {"$set": {"due_at": now}}, session=session)

    async def look_at(self, program: str, chains: Sequence[str], now: datetime) -> None:
        """Let these be looked at, unless they are waiting already."""
        query = {"_id": {"$in": list(chains)}, "program": program, "due_at": None}
        await self._chains.update_many(query, {"$set": {"due_at": now, "trouble": None}})

    async def seen(self, program: str, badges: Sequence[str], walk: int) -> None:
        """Remember that a comparison has met these badges."""
        query = {"program": program, "links.badge.badge_id": {"$in": list(badges)}}
        await self._chains.update_many(query, {"$set": {"walk": walk}})

    async def unseen(self, program: str, walk: int, before: datetime, after: str, most: int) -> list[Document]:
        """Chains with a standing badge, known since before a comparison, that it has not met."""
        standing = {"badge.state": {"$in": ["pending", "accepted"]}, "badge.at": {"$lt": before}}
        query: Document = {"program": program, "_id": {"$gt": after}, "walk": {"$ne": walk}, "hand": None}
        query["links"] = {"$elemMatch": standing}
        return await self._chains.find(query).sort("_id", ASCENDING).to_list(most)

    async def troubled(self, program: str, kind: str | None, after: str | None, limit: int) -> list[Document]:
        """Chains that wait for a person, in the order of their ids."""
        query: Document = {"program": program, "trouble.kind": kind or {"$exists": True}}
        if after is not None:
            query["_id"] = {"$gt": after}
        return await self._chains.find(query).sort("_id", ASCENDING).to_list(limit)

    async def counts(self, program: str) -> Mapping[str, int]:
        """How many chains are `waiting` to be worked on, and how many are in `trouble`."""
        waiting = {"program": program, "due_at": {"$type": "date"}}
        trouble = {"program": program, "trouble.kind": {"$exists": True}}
        return {
            "waiting": await self._chains.count_documents(waiting),
            "trouble": await self._chains.count_documents(trouble),
        }

    # Providers

    async def state(self, program: str) -> Document:
        """How a program's provider is doing."""
        return await self._states.find_one({"_id": program}) or _NEW_STATE | {"_id": program}

    async def change_state(self, program: str, **fields: object) -> None:
        known = {name: value for name, value in _NEW_STATE.items() if name not in fields}
        await self._states.update_one({"_id": program}, {"$set": fields, "$setOnInsert": known}, upsert=True)

    # What the provider tells of itself

    async def add_hook(self, program: str, event_id: str, now: datetime) -> None:
        """Keep that something has happened; the same event again changes nothing."""
        row = {"program": program, "event": event_id, "taken_at": now, "try_at": now, "done": False}
        try:
            await self._hooks.insert_one({"_id": f"{program}:{event_id}", **row})
        except DuplicateKeyError:
            return

    async def count_hooks(self, program: str, most: int) -> int:
        """How many have not been looked into, counted up to `most`."""
        return await self._hooks.count_documents({"program": program, "done": False}, limit=most)

    async def next_hook(self, program: str, now: datetime) -> Document | None:
        query = {"program": program, "done": False, "try_at": {"$lte": now}}
        row: Document | None = await self._hooks.find_one(query, sort=[("try_at", ASCENDING)])
        return row

    async def put_hook_off(self, key: str, until: datetime) -> None:
        await self._hooks.update_one({"_id": key}, {"$set": {"try_at": until}})

    async def hook_done(self, key: str) -> None:
        await self._hooks.update_one({"_id": key}, {"$set": {"done": True}})

    # Badges of which we know nothing

    async def add_strays(self, program: str, rows: Sequence[Document], walk: int) -> None:
        writes = [
            UpdateOne(
                {"_id": f"{program}:{row['badge_id']}"}, {"$set": row | {"program": program, "walk": walk}}, upsert=True
            )
            for row in rows
        ]
        if writes:
            await self._strays.bulk_write(writes, ordered=False)

    async def drop_strays(self, program: str, walk: int) -> None:
        """Forget those that a comparison has not met."""
        await self._strays.delete_many({"program": program, "walk": {"$ne": walk}})

    async def strays(self, program: str, after: str | None, limit: int) -> list[Document]:
        query: Document = {"program": program}
        if after is not None:
            query["_id"] = {"$gt": after}
        return await self._strays.find(query).sort("_id", ASCENDING).to_list(limit)


_NEW_STATE: Document = {
    "failures": 0,
    "try_at": None,
    "error": None,
    "failing_since": None,
    "walk": None,
    "walks": 0,
    "walked_at": None,
}
_FACTS = dict.fromkeys(("program", "candidate_id", "certification", "earned_on", "expires_on", "state", "version"), 1)


def _due(program: str, now: datetime) -> Document:
    return {"program": program, "due_at": {"$type": "date", "$lte": now}, "lease_until": {"$lte": now}}


def _standing(row: Document) -> Standing:
    link = Link(
        credential_id=row["_id"],
        version=row["version"],
        valid=row["state"] == "valid",
        earned_on=date.fromisoformat(row["earned_on"]),
        ends=date.fromisoformat(row["expires_on"]) if row["expires_on"] else None,
    )
    return Standing(row["program"], row["candidate_id"], row["certification"], link)
