"""The hooks of programs, and every message to one with its state.

A message is `waiting`, `sending` by the process that has claimed it, and at the end `delivered` or `dead`. As with
mails `due_at` exists while somebody has to do something.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from libs.common.clock import as_stored
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from libs.common.privacy.holdings import Holding, by
from libs.common.privacy.retention import Period
from services.notify.hooks.retries import Answer

HOOKS, DELIVERIES = "hooks", "hook_deliveries"
KEPT_TRIES = 20

MIGRATION = Migration(
    9,
    "web hooks",
    declare(
        {
            HOOKS: [IndexModel([("program", ASCENDING), ("_id", ASCENDING)], name="program")],
            DELIVERIES: [
                IndexModel(
                    [("hook_id", ASCENDING), ("due_at", ASCENDING)],
                    name="due",
                    partialFilterExpression={"due_at": {"$exists": True}},
                ),
                IndexModel([("hook_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="log"),
                IndexModel([("candidates", ASCENDING)], name="candidates"),
                IndexModel([("created_at", ASCENDING)], name="kept"),
            ],
        }
    ),
)

PERIOD = Period(DELIVERIES, "created_at", timedelta(days=30))
"""Long enough to ask for what was missed; also of what still waits, because its hook was paused."""

HOLDING = Holding(
    collection=DELIVERIES,
    find=by("candidates"),
    kind="told_to_systems",
    withheld=frozenset({"claimed_by", "due_at", "candidates"}),
)

APART = {HOOKS: "addresses of programs' systems"}


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of a hook, encrypted."""

    sealed: str
    until: datetime | None
    """Until when it signs; None where no other follows it."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook, as far as sending to it needs."""

    id: str
    program: str
    url: str
    events: frozenset[str]
    personal: bool
    state: str
    secrets: tuple[Secret, ...]
    failures: int
    failing_since: datetime | None
    rest_until: datetime | None


@dataclass(frozen=True, slots=True)
class Claim:
    """Who may send, and until when."""

    owner: str
    until: datetime


class HookStore:
    """All queries about hooks."""

    def __init__(self, database: Database) -> None:
        self._hooks = database[HOOKS]
        self._deliveries = database[DELIVERIES]

    # Hooks

    async def hooks(self) -> list[Hook]:
        """Those of all programs that take events in."""
        return [hook_of(row) async for row in self._hooks.find({"state": {"$ne": "off"}})]

    async def of_program(self, program: str) -> list[Document]:
        return await self._hooks.find({"program": program}).sort("_id", ASCENDING).to_list(None)

    async def count(self, program: str) -> int:
        return await self._hooks.count_documents({"program": program})

    async def get(self, program: str, hook_id: str) -> Document | None:
        return await self._hooks.find_one({"_id": hook_id, "program": program})

    async def add(self, row: Document) -> None:
        await self._hooks.insert_one(row)

    async def change(self, program: str, hook_id: str, fields: Document) -> Document | None:
        """The hook as it is then; None where there is none."""
        change = {"$set": fields}
        return await self._hooks.find_one_and_update({"_id": hook_id, "program": program}, change, return_document=True)

    async def set_secrets(self, row: Document, secrets: Sequence[Document]) -> bool:
        """Returns whether nobody else has changed them meanwhile."""
        unchanged = {"_id": row["_id"], "secrets": row["secrets"]}
        result = await self._hooks.update_one(unchanged, {"$set": {"secrets": list(secrets)}})
        return result.matched_count == 1

    async def remove(self, program: str, hook_id: str) -> bool:
        """Remove a hook with all that was kept for it. Returns whether it was there."""
        result = await self._hooks.delete_one({"_id": hook_id, "program": program})
        await self._deliveries.delete_many({"hook_id": hook_id, "program": program})
        return result.deleted_count == 1

    async def failed(self, hook_id: str, now: datetime, error: str) -> Document | None:
        """Count a failure. Returns the hook as it is then."""
        more = {
            "failures": {"$add": ["$failures", 1]},
            "failing_since": {"$ifNull": ["$failing_since", as_stored(now)]},
            "last_error": {"$literal": error},
        }
        return await self._hooks.find_one_and_update({"_id": hook_id}, [{"$set": more}], return_document=True)

    async def rest(self, hook_id: str, until: datetime) -> None:
        await self._hooks.update_one({"_id": hook_id}, {"$set": {"rest_until": until}})

    async def answered(self, hook_id: str) -> None:
        """It takes messages again."""
        await self._hooks.update_one({"_id": hook_id}, {"$set": dict(WELL)})

    async def switch_off(self, hook_id: str, because: str, now: datetime) -> bool:
        """Returns whether it was on."""
        change = {"state": "off", "off_because": because, "changed_at": as_stored(now)}
        result = await self._hooks.update_one({"_id": hook_id, "state": {"$ne": "off"}}, {"$set": change})
        return result.modified_count == 1

    # Messages

    async def put(self, session: Session | None, rows: Sequence[Document]) -> None:
        """Keep messages; one that is there already stays as it is."""
        writes = [
            UpdateOne({"_id": row["_id"]}, {"$setOnInsert": {k: v for k, v in row.items() if k != "_id"}}, upsert=True)
            for row in rows
        ]
        if writes:
            await self._deliveries.bulk_write(writes, ordered=False, session=session)

    async def with_due(self, hooks: Collection[str], now: datetime) -> list[str]:
        """Those of the hooks for which something is to be sent."""
        due = {"hook_id": {"$in": list(hooks)}, "due_at": {"$lte": now}}
        return list(await self._deliveries.distinct("hook_id", due))

    async def claim(self, hook_id: str, claim: Claim, now: datetime, limit: int) -> list[Document]:
        """Claim messages that are due; two claimants never get the same one."""
        due = {"hook_id": hook_id, "due_at": {"$lte": now}}
        found = await self._deliveries.find(due, {"_id": 1}).sort("due_at", ASCENDING).to_list(limit)
        if not found:
            return []
        ids = [row["_id"] for row in found]
        mine = {"state": "sending", "claimed_by": claim.owner, "due_at": claim.until}
        await self._deliveries.update_many({"_id": {"$in": ids}, **due}, {"$set": mine})
        return await self._deliveries.find({"_id": {"$in": ids}, **mine}).to_list(None)

    async def settle(self, row: Document, answer: Answer, due_at: datetime | None) -> bool:
        """Write down what came of a message; it is over, or due again. Returns whether it was still ours to settle."""
        tried = {
            "at": as_stored(answer.at),
            "status": answer.status,
            "error": answer.error,
            "milliseconds": answer.milliseconds,
        }
        fields: Document = {"state": "delivered" if answer.taken else "dead"}
        if answer.taken:
            fields["delivered_at"] = as_stored(answer.at)
        change: Document = {
            "$set": fields,
            "$unset": {"claimed_by": ""},
            "$inc": {"attempts": 1},
            "$push": {"tries": {"$each": [tried], "$slice": -KEPT_TRIES}},
        }
        if due_at is None:
            change["$unset"]["due_at"] = ""
        else:
            fields |= {"state": "waiting", "due_at": as_stored(due_at)}
        mine = {"_id": row["_id"], "claimed_by": row["claimed_by"], "due_at": row["due_at"]}
        result = await self._deliveries.update_one(mine, change)
        return result.matched_count == 1

    async def hurry(self, hook_id: str, now: datetime) -> None:
        """Let all that waits for its next try be sent now."""
        waiting = {"hook_id": hook_id, "state": "waiting", "due_at": {"$gt": now}}
        await self._deliveries.update_many(waiting, {"$set": {"due_at": as_stored(now)}})

    async def again(self, hook_id: str, among: Mapping[str, Any], now: datetime) -> int:
        """Send messages again that are over. Returns how many."""
        over = {"hook_id": hook_id, "state": {"$in": ["delivered", "dead"]}, **among}
        anew = {"state": "waiting", "due_at": as_stored(now), "since": as_stored(now), "attempts": 0}
        result = await self._deliveries.update_many(over, {"$set": anew})
        return result.modified_count

    async def log(
        self, hook_id: str, *, state: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        """Messages to a hook, latest first, from the position `before` on."""
        query: Document = {"hook_id": hook_id} | ({"state": state} if state else {})
        if before is not None:
            at, key = before
            query["$or"] = [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": key}}]
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        return await self._deliveries.find(query, {"body": 0}).sort(order).to_list(limit)


WELL: Mapping[str, Any] = {"failures": 0, "failing_since": None, "rest_until": None, "last_error": None}
"""Of a hook that takes its messages, or is to be tried as if it did."""


def hook_of(row: Document) -> Hook:
    return Hook(
        id=row["_id"],
        program=row["program"],
        url=row["url"],
        events=frozenset(row["events"]),
        personal=row["personal_data"],
        state=row["state"],
        secrets=tuple(Secret(one["sealed"], one["valid_until"]) for one in row["secrets"]),
        failures=row["failures"],
        failing_since=row["failing_since"],
        rest_until=row["rest_until"],
    )


def new_delivery(
    key: str,
    *,
    hook: Hook,
    event_key: str,
    event_id: str,
    candidates: Sequence[str],
    body: str,
    now: datetime,
) -> Document:
    """A message that is due at once.

    Args:
        key: its id, the same for the same event and hook.
        hook: whom it goes to.
        event_key: the kind of event, like `certs.CertificationAwarded.v1`.
        event_id: the event's own id.
        candidates: whom it is about, so that it is found when they ask, or are erased.
        body: what is sent.
        now: the present moment.
    """
    moment = as_stored(now)
    return {
        "_id": key,
        "hook_id": hook.id,
        "program": hook.program,
        "event": event_key,
        "event_id": event_id,
        "candidates": list(candidates),
        "body": body,
        "state": "waiting",
        "due_at": moment,
        "since": moment,
        "created_at": moment,
        "delivered_at": None,
        "attempts": 0,
        "tries": [],
    }
