"""The notify database: whom to write to, and every mail with its state.

A mail is `waiting` for its recipient, `queued` for whoever takes it, `sending` by the process that has claimed it,
and at the end `sent`, `refused`, `withheld` where it must not or need not go any more, or `suppressed` where nothing is
sent to its address. What is heard of a mail after it was sent stands beside, in `heard`. `due_at` exists while somebody
has to do something: for a queued mail it is when it may be taken, for one being sent it is when the claim runs out. So
one index finds all work that is due, and settled mails are not in it.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from libs.common.clock import as_stored
from libs.common.mongo import merges
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.merges import Merges
from libs.common.mongo.migrations import COMMON, Migration, declare
from services.notify import wishes, words
from services.notify.domain.delivery import Paced, Postponed, Refused, Withheld
from services.notify.domain.mails import SENT_TO, TOKEN, Template
from services.notify.domain.recipients import Recipient
from services.notify.letters import Wording
from services.notify.rows import recipient_row

MIGRATIONS = [
    Migration(
        1,
        "collections and indexes",
        declare(
            {
                **COMMON,
                "recipients": [],
                "messages": [
                    IndexModel(
                        [("candidate_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)],
                        name="candidate",
                    ),
                    IndexModel(
                        [("due_at", ASCENDING)], name="due", partialFilterExpression={"due_at": {"$exists": True}}
                    ),
                ],
            }
        ),
    ),
    Migration(2, "merges", declare({merges.COLLECTION: merges.INDEXES})),
    Migration(6, "wishes, and later words", declare({wishes.COLLECTION: [], words.COLLECTION: words.INDEXES})),
]


Settle = Callable[[Session, Sequence[Document]], Awaitable[None]]
"""Brings mails that are about to be stored into the state that they had."""


class State(StrEnum):
    """Where a mail is."""

    WAITING = "waiting"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    WITHHELD = "withheld"
    SUPPRESSED = "suppressed"
    """Not sent: nothing is sent to the address (`feedback.suppressions`)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who may send, and until when."""

    owner: str
    until: datetime

    def fields(self) -> Document:
        return {"state": State.SENDING, "claimed_by": self.owner, "due_at": self.until}


class NotifyStore:
    """All queries of the service. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self.merges = Merges(database)
        self.settle_first: Settle | None = None
        """After a restore: settles mails that went before it."""
        self._recipients = database["recipients"]
        self._messages = database["messages"]

    # Recipients

    async def recipients(self, session: Session | None, candidates: Iterable[str]) -> dict[str, Document]:
        """What is known of candidates; without `email` where only mails are known that wait for them."""
        found = self._recipients.find({"_id": {"$in": list(set(candidates))}}, session=session)
        return {row["_id"]: row async for row in found}

    async def recipient(self, candidate_id: str) -> Document | None:
        return await self._recipients.find_one({"_id": candidate_id})

    async def save_recipients(self, session: Session, recipients: Iterable[Recipient]) -> None:
        writes = [
            UpdateOne(
                {"_id": recipient.candidate_id},
                {"$set": recipient_row(recipient), "$setOnInsert": {"waits": 0}},
                upsert=True,
            )
            for recipient in recipients
        ]
        await self._recipients.bulk_write(writes, ordered=False, session=session)

    async def note_moves(self, session: Session, candidates: Sequence[str], at: datetime) -> None:
        """Note since when candidates have their address: what comes back later may be of mails to the one before."""
        if candidates:
            since = {"$set": {"email_since": as_stored(at)}}
            await self._recipients.update_many({"_id": {"$in": list(candidates)}}, since, session=session)

    async def wait_for(self, session: Session, candidates: Iterable[str]) -> None:
        """Note that mails wait for these candidates.

        The note changes the very document that the candidate's profile is written to. Without it a mail and its
        recipient, arriving at the same moment in two transactions, could each miss the other. It counts, because a
        write that leaves a document as it was is none, and would meet no conflict.
        """
        notes = [
            UpdateOne({"_id": candidate}, {"$inc": {"waits": 1}}, upsert=True) for candidate in sorted(set(candidates))
        ]
        await self._recipients.bulk_write(notes, ordered=False, session=session)

    # Mails, as they come in

    async def known(self, session: Session, ids: Collection[str]) -> set[str]:
        """Those of the ids that are mails already."""
        found = self._messages.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=session)
        return {row["_id"] async for row in found}

    async def unsent(self, session: Session, template: Template, limit: int) -> int:
        """How many mails of a kind are neither sent nor given up, counted up to `limit`."""
        query = {"due_at": {"$exists": True}, "template": template}
        return await self._messages.count_documents(query, session=session, limit=limit)

    async def add_messages(self, session: Session, rows: Sequence[Document]) -> None:
        if self.settle_first is not None:
            await self.settle_first(session, rows)
        await self._messages.insert_many(rows, session=session, ordered=False)

    async def take_waiting(self, session: Session, candidates: Sequence[str], state: Document) -> list[Document]:
        """Bring the mails that waited for these candidates into `state`, and return them, oldest first."""
        waiting = {"candidate_id": {"$in": list(candidates)}, "state": State.WAITING}
        order = [("created_at", ASCENDING), ("_id", ASCENDING)]
        rows = await self._messages.find(waiting, session=session).sort(order).to_list(None)
        if rows:
            await self._messages.update_many(waiting, {"$set": state}, session=session)
        return [row | state for row in rows]

    # Mails, as they are sent

    async def claim_due(
        self, claim: Claim, now: datetime, limit: int, *, waiting: Collection[str] = ()
    ) -> list[Document]:
        """Claim mails that are due; two claimants never get the same one.

        One whose claim ran out may have been sent by whoever held it, and that is counted in its `doubtful`.
        `waiting` are those that this process itself holds and has not begun.
        """
        due = {"due_at": {"$lte": now}}
        found = await self._messages.find(due, {"_id": 1}).sort("due_at", ASCENDING).to_list(limit)
        if not found:
            return []
        ids = [row["_id"] for row in found]
        # Each document is changed at once or not at all, and is then due no more: the second claimant misses it.
        lost = {"$and": [{"$eq": ["$state", State.SENDING]}, {"$not": {"$in": ["$_id", list(waiting)]}}]}
        doubtful = {"$add": [{"$ifNull": ["$doubtful", 0]}, {"$cond": [lost, 1, 0]}]}
        change = [{"$set": {**claim.fields(), "doubtful": doubtful}}]
        await self._messages.update_many({"_id": {"$in": ids}, **due}, change)
        mine = {"_id": {"$in": ids}, "claimed_by": claim.owner, "due_at": claim.until}
        return await self._messages.find(mine).to_list(None)

    async def extend(self, ids: Sequence[str], claim: Claim) -> None:
        """Keep the claim on mails that are still in hand."""
        mine = {"_id": {"$in": list(ids)}, "state": State.SENDING, "claimed_by": claim.owner}
        await self._messages.update_many(mine, {"$set": {"due_at": claim.until}})

    async def release(self, ids: Sequence[str], owner: str, now: datetime) -> None:
        """Give back mails that this process will not send, for another to take at once."""
        mine = {"_id": {"$in": list(ids)}, "state": State.SENDING, "claimed_by": owner}
        await self._messages.update_many(
            mine, {"$set": {"state": State.QUEUED, "due_at": now}, "$unset": {"claimed_by": ""}}
        )

    async def reword(self, message_id: str, context: Mapping[str, Any]) -> None:
        """Let a mail that is not sent yet state other facts, for itself and for the log."""
        unsent = {"_id": message_id, "due_at": {"$exists": True}}
        await self._messages.update_one(unsent, {"$set": {"context": dict(context)}})

    async def still_claimed(self, session: Session, ids: Collection[str], owner: str) -> set[str]:
        """Those of the mails that nobody has taken over or settled meanwhile."""
        mine = {"_id": {"$in": list(ids)}, "state": State.SENDING, "claimed_by": owner}
        found = self._messages.find(mine, {"_id": 1}, session=session)
        return {row["_id"] async for row in found}

    async def mark_sent(self, session: Session, ids: Sequence[str], owner: str, at: datetime) -> int:
        """Settle those of the mails that are still the owner's. Returns how many were."""
        result = await self._messages.update_many(
            {"_id": {"$in": list(ids)}, "state": State.SENDING, "claimed_by": owner},
            {
                "$set": {"state": State.SENT, "sent_at": at, "error": None},
                "$inc": {"attempts": 1},
                "$unset": _SETTLED,
            },
            session=session,
        )
        return result.matched_count

    async def mark_refused(self, session: Session, refusals: Mapping[str, Refused], owner: str) -> int:
        """As `mark_sent`."""
        return await self._mark(
            session,
            owner,
            {
                key: {
                    "$set": {"state": State.REFUSED, "error": refused.reason},
                    "$inc": {"attempts": 1},
                    "$unset": _SETTLED,
                }
                for key, refused in refusals.items()
            },
        )

    async def mark_postponed(self, session: Session, postponed: Mapping[str, Postponed], owner: str) -> int:
        """Leave mails to be taken again when they are due. Otherwise as `mark_sent`."""
        return await self._mark(
            session,
            owner,
            {
                key: {
                    "$set": {"state": State.QUEUED, "error": outcome.reason, "due_at": outcome.due_at},
                    "$inc": {"attempts": 1, "doubtful": int(outcome.doubtful)},
                    "$unset": {"claimed_by": ""},
                }
                for key, outcome in postponed.items()
            },
        )

    async def mark_withheld(self, session: Session, withheld: Mapping[str, Withheld], owner: str) -> int:
        """As `mark_sent`, of mails that were not tried."""
        return await self._mark(
            session,
            owner,
            {
                key: {"$set": {"state": _stopped(outcome), "error": outcome.reason}, "$unset": _SETTLED}
                for key, outcome in withheld.items()
            },
        )

    async def mark_paced(self, session: Session, paced: Mapping[str, Paced], owner: str) -> int:
        """Leave mails that were not tried for their turn. Otherwise as `mark_sent`."""
        return await self._mark(
            session,
            owner,
            {
                key: {
                    "$set": {"state": State.QUEUED, "due_at": as_stored(outcome.due_at), "paced_at": outcome.at},
                    "$unset": {"claimed_by": ""},
                }
                for key, outcome in paced.items()
            },
        )

    async def _mark(self, session: Session, owner: str, changes: Mapping[str, Document]) -> int:
        writes = [
            UpdateOne({"_id": key, "state": State.SENDING, "claimed_by": owner}, change)
            for key, change in changes.items()
        ]
        if not writes:
            return 0
        result = await self._messages.bulk_write(writes, ordered=False, session=session)
        return result.matched_count

    async def pin(self, wordings: Mapping[str, Wording]) -> None:
        """Keep the words of mails that have none yet."""
        for wording in set(wordings.values()):
            ids = [key for key, one in wordings.items() if one == wording]
            await self._messages.update_many(
                {"_id": {"$in": ids}, "wording": {"$exists": False}}, {"$set": {"wording": wording._asdict()}}
            )

    # Mails, as people ask for them

    async def log_of(
        self,
        program: str,
        candidate_id: str,
        *,
        before: tuple[datetime, str] | None,
        limit: int,
        filters: Mapping[str, Any] = MappingProxyType({}),
    ) -> list[Document]:
        """A person's mails, of all accounts that are one with this, latest first, from the position `before` on."""
        accounts = await self.merges.family(None, candidate_id)
        query: Document = {"candidate_id": {"$in": accounts}, "program": program, **filters}
        if before is not None:
            at, key = before
            query["$or"] = [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": key}}]
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        return await self._messages.find(query).sort(order).to_list(limit)

    async def of_chain(self, ids: Sequence[str], candidate_id: str | None, *, limit: int) -> list[Document]:
        """Mails of these ids, and those to a person that these events or chains have led to, earliest first."""
        wanted: list[Document] = [{"_id": {"$in": list(ids)}}]
        if candidate_id is not None:
            accounts = {"candidate_id": {"$in": await self.merges.family(None, candidate_id)}}
            wanted += [{**accounts, field: {"$in": list(ids)}} for field in ("correlation_id", "cause_event_id")]
        return await self._messages.find({"$or": wanted}).sort("created_at", ASCENDING).to_list(limit)

    async def backlog(self) -> tuple[int, datetime | None]:
        """How many mails somebody has to do something about, and when the first of them was to be taken."""
        due: Document = {"due_at": {"$exists": True}}
        first = await self._messages.find_one(due, {"due_at": 1}, sort=[("due_at", ASCENDING)])
        return await self._messages.count_documents(due), first["due_at"] if first else None

    async def message(self, message_id: str, session: Session | None = None) -> Document | None:
        return await self._messages.find_one({"_id": message_id}, session=session)

    async def totals(self, programs: Sequence[str]) -> list[Document]:
        """How many mails there are of each template in each state."""
        groups = self._messages.aggregate(
            [
                {"$match": {"program": {"$in": list(programs)}}},
                {"$group": {"_id": {"template": "$template", "state": _HEARD_OR_STATE}, "count": {"$sum": 1}}},
                {"$sort": {"_id.template": 1, "_id.state": 1}},
            ]
        )
        return [{**row["_id"], "count": row["count"]} async for row in groups]


_HEARD_OR_STATE = {"$ifNull": ["$heard.what", "$state"]}
"""What was heard of a mail after it was sent says more than that it was."""

_SETTLED = {"due_at": "", "claimed_by": "", "paced_at": "", f"context.{TOKEN}": "", f"context.{SENT_TO}": ""}
"""What a mail no longer has once it is settled: above all the link that opens an account."""


def _stopped(outcome: Withheld) -> State:
    return State.SUPPRESSED if outcome.reason == State.SUPPRESSED else State.WITHHELD
