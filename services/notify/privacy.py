"""What notify holds about people, and how it forgets them: the last mail goes out before the address goes."""

from datetime import timedelta
from typing import ClassVar

from pymongo import ASCENDING, IndexModel

from libs.common.clock import Clock, as_stored
from libs.common.events import notify
from libs.common.ids import derived_id
from libs.common.mongo.client import Database
from libs.common.mongo.jobs import Job
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy.holdings import Holding, Holdings, Person, by, renamed
from libs.common.privacy.keeper import APART, COLLECTIONS, Erasure, Keeper
from libs.common.privacy.retention import Period
from libs.common.privacy.tombstones import Tombstones
from services.notify import wishes, words
from services.notify.announcements import store as announcements
from services.notify.domain.mails import TOKEN, Template
from services.notify.editions import store as editions
from services.notify.hooks import store as hooks
from services.notify.letters import Cause
from services.notify.reminders import gathered, standings
from services.notify.rows import new_message
from services.notify.store import State

MIGRATION = Migration(
    3,
    "exports and erasures",
    declare(
        {
            **COLLECTIONS,
            "recipients": [
                IndexModel(
                    [("erased_at", ASCENDING)],
                    name="erased",
                    partialFilterExpression={"erased_at": {"$exists": True}},
                )
            ],
        }
    ),
)

PERIODS = (
    Period("messages", "created_at", timedelta(days=730), {"due_at": {"$exists": False}}),
    words.PERIOD,
    Period(gathered.COLLECTION, "created_at", timedelta(days=60), {"due_at": {"$exists": False}}),
    Period("soft_bounces", "last_at", timedelta(days=30)),
    hooks.PERIOD,
)
"""Mails that are settled; long enough to check a surprising one, and for the claims that follow from it."""

HOLDINGS = Holdings(
    items=(
        Holding(
            collection="recipients",
            find=by("_id"),
            kind="recipient",
            withheld=frozenset({"waits", "version"}),
            by_itself=True,
        ),
        Holding(
            collection="messages",
            find=by("candidate_id"),
            kind="mails",
            withheld=frozenset(
                {"claimed_by", "due_at", "cause_event_id", "correlation_id", "traceparent", f"context.{TOKEN}"}
            ),
            by_itself=True,
        ),
        wishes.HOLDING,
        Holding(collection=standings.COLLECTION, find=by("candidate_id")),
        Holding(collection=gathered.COLLECTION, find=by("candidate_id")),
        words.HOLDING,
        Holding(collection="suppressions", find=by("candidate_id"), kind="suppressed_addresses"),
        Holding(collection="soft_bounces", find=by("candidate_id"), kind="returned_mails"),
        Holding(collection="merges", find=by("candidate_id", "merged_id"), keep=renamed("candidate_id", "merged_id")),
        hooks.HOLDING,
    ),
    apart=APART
    | editions.APART
    | hooks.APART
    | {announcements.COLLECTION: "what programs tell many, and who of staff wrote it"},
)


class Forgetting:
    """Forgets a recipient once the mail about the erasure has gone, or cannot be sent for days."""

    EVERY: ClassVar = timedelta(seconds=10)
    PATIENCE: ClassVar = timedelta(days=3)
    SLICE: ClassVar = 100

    def __init__(self, database: Database, clock: Clock) -> None:
        self._recipients = database["recipients"]
        self._messages = database["messages"]
        self._clock = clock

    def job(self) -> Job:
        return Job("forgetting", self.EVERY, self.run)

    async def after(self, transaction: Transaction, erasure: Erasure, person: Person) -> None:
        """Write the last mail, and forget all others. Told again, it writes no second one."""
        session, first = transaction.session, erasure.data.candidate_id
        recipient = await self._recipients.find_one({"_id": first}, session=session) or {}
        last = derived_id("erased", first)
        others = {"candidate_id": {"$in": list(person.accounts)}, "_id": {"$ne": last}}
        await self._messages.delete_many(others, session=session)
        written = "erased_at" in recipient
        to_write = "email" in recipient and not written and not erasure.data.again
        kept = [first] if written or to_write else []
        gone = {"_id": {"$in": list(person.accounts), "$nin": kept}}
        await self._recipients.delete_many(gone, session=session)
        if not to_write:
            return
        message = new_message(
            last,
            program=erasure.event.program,
            template=Template.ERASED,
            candidate_id=first,
            context={"erased_at": erasure.data.erased_at},
            cause=Cause(erasure.event_id, erasure.correlation_id, erasure.traceparent, "CandidateErased"),
            now=transaction.now,
        )
        due = {"state": State.QUEUED, "due_at": as_stored(transaction.now)}
        await self._messages.insert_one(message | due, session=session)
        change = {"$set": {"erased_at": erasure.data.erased_at}}
        await self._recipients.update_one({"_id": first}, change, session=session)

    async def run(self) -> None:
        rows = self._recipients.find({"erased_at": {"$exists": True}}).sort("erased_at", ASCENDING)
        for row in await rows.to_list(self.SLICE):
            under_way = {"candidate_id": row["_id"], "due_at": {"$exists": True}}
            patient = row["erased_at"] > self._clock.now() - self.PATIENCE
            if patient and await self._messages.find_one(under_way, {"_id": 1}) is not None:
                continue
            await self._messages.delete_many({"candidate_id": row["_id"]})
            await self._recipients.delete_one({"_id": row["_id"]})


def keeper_of(database: Database, tombstones: Tombstones, unit_of_work: UnitOfWork, forgetting: Forgetting) -> Keeper:
    """The service's part in exports and erasures."""
    return Keeper(notify.PersonalDataPart, HOLDINGS, tombstones, database, unit_of_work, after=forgetting.after)
