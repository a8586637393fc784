"""After a restore: what the services have said since, from the broker's log, told to a database that has lost it.

Others' events go to the restored service's queue again; its inbox and the keys of its states pass over what it has. Its
own are noted in its collection `said_before`, so that it says nothing twice. Both before it is started.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from pymongo import UpdateOne
from pymongo.database import Database

from deploy.backup.catalogue import ErasedAccount, Erasure
from deploy.backup.changes import Client
from deploy.backup.errors import BackupError
from deploy.mongo.users import database_name
from libs.common.bus.messages import Outgoing
from libs.common.bus.publisher import Publisher, Refused
from libs.common.bus.topology import EVENT_BINDINGS, events_queue, retry_exchange
from libs.common.events import SINGLE, EventData, identity, notify, service_event
from libs.common.events.audit import Seal
from libs.common.events.personal_data import Part
from libs.common.ids import new_id
from libs.common.mongo.links import link_id
from libs.common.mongo.said_before import COLLECTION, INDEXES, SAID_AGAIN, meaning
from services.notify.domain.mails import SENT_TO, TOKEN
from services.notify.sent_before import settlement
from services.notify.store import State

MARGIN: Final = timedelta(minutes=5)
"""Events are told this long before the moment of a restore, too: one may have been on its way."""
_BATCH = 200
_CONNECT_SECONDS = 30
_UNTOLD = (Seal, Part, identity.AccessRequested)
"""Own events that nobody misses: seals are told each minute, exports and links that open an account asked for again."""

Event = Mapping[str, Any]


@dataclass
class Told:
    """How many events of others were told to each service again, and how many of its own were noted."""

    again: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    mails: int = 0
    erasures: int = 0


class CatchingUp:
    """Works for services that were restored and do not run yet.

    Args:
        client: an administrator's.
        url: the broker's, as its user `operator`.
        since: by service, the moment to which its database was restored.
    """

    def __init__(self, client: Client, url: str, since: Mapping[str, datetime]) -> None:
        self._client = client
        self._url = url
        self._since = since
        self._notes = {service: Notes(client[database_name(service)], service) for service in since}
        self.told = Told()

    async def run(self, log: AsyncIterator[tuple[int, Event]]) -> Told:
        """Tell everything in the log that came since. Raises `BackupError` where the broker does not take it."""
        async with publishing(self._url) as publisher:
            async for _, event in log:
                await publisher.add(self._hear(event))
        for notes in self._notes.values():
            notes.write()
            self.told.mails += notes.mails
        return self.told

    async def erase_again(self, erasures: Iterable[Erasure]) -> Told:
        """Tell the restored services of everybody who was erased before."""
        async with publishing(self._url) as publisher:
            for erasure in erasures:
                self.told.erasures += 1
                await publisher.add([to_service(service, _event_of(erasure)) for service in self._since])
        return self.told

    def _hear(self, event: Event) -> list[Outgoing]:
        model = service_event(str(event.get("type")))
        if model is None:
            return []
        at = datetime.fromisoformat(event["time"])
        messages = []
        for service, since in self._since.items():
            if model.publisher == service and at > since:
                self.told.noted[service] += self._notes[service].take(model, event, at)
            elif model in EVENT_BINDINGS[service] and at > since - MARGIN:
                messages.append(to_service(service, event))
                self.told.again[service] += 1
        return messages


class Notes:
    """The collection `said_before` of one service, as it is filled."""

    def __init__(self, database: Database[dict[str, Any]], service: str) -> None:
        self._database = database
        self._service = service
        self._rows: list[dict[str, Any]] = []
        self._versions: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._sent: set[str] = set()
        self.mails = 0
        database[COLLECTION].create_indexes(INDEXES)

    def take(self, model: type[EventData], event: Event, at: datetime) -> int:
        """Note an event that the service has said. Returns how many were noted."""
        data = model.model_validate_json(orjson.dumps(event["data"]))
        if isinstance(data, notify.EmailSent | notify.EmailBounced):
            self._take_mail(event, data)
            return 0
        if issubclass(model, _UNTOLD):
            return 0
        row = {"_id": event["id"], "type": event["type"], "program": event["program"], "subject": event["subject"]}
        row["at"] = at
        if model in SAID_AGAIN:
            row["meaning"] = meaning({**event, "time": at}, data)
        if isinstance(data, identity.ExternalIdLinked) and data.verified_by == "registration":
            row["link"] = link_id(event["program"], data.system, data.external_id)
        if isinstance(data, identity.CandidateRegistered) and (found := re.fullmatch(r"\D*(\d+)\d", data.candidate_id)):
            number = int(found[1])
            self._numbers[event["program"]] = max(number, self._numbers.get(event["program"], 0))
        if self._service == "certs":
            self._versions[event["subject"]] = max(event["subjectversion"], self._versions.get(event["subject"], 0))
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self.write()
        return 1

    def write(self) -> None:
        """Write what was noted since."""
        if self._rows:
            writes = [UpdateOne({"_id": row.pop("_id")}, {"$setOnInsert": row}, upsert=True) for row in self._rows]
            self._database[COLLECTION].bulk_write(writes, ordered=False)
        # What is told next shall outweigh what was told and is lost.
        raised = [UpdateOne({"_id": one}, {"$max": {"version": top}}) for one, top in self._versions.items()]
        if raised:
            self._database["candidates"].bulk_write(raised, ordered=False)
        for program, number in self._numbers.items():
            self._database["counters"].update_one({"_id": program}, {"$max": {"last": number}}, upsert=True)
        self._rows, self._versions, self._numbers = [], {}, {}

    def _take_mail(self, event: Event, data: notify.EmailSent | notify.EmailBounced) -> None:
        mail = data.message_id.strip("<>").partition("@")[0]
        if mail in self._sent:
            return  # what comes back later says nothing of whether it went
        self._sent.add(mail)
        self.mails += 1
        row = {"_id": event["id"], "type": event["type"], "program": event["program"], "subject": event["subject"]}
        if isinstance(data, notify.EmailSent):
            row |= {"mail": mail, "at": data.accepted_at}
        else:
            row |= {"mail": mail, "at": data.refused_at, "error": data.reason}
        messages = self._database["messages"]
        if messages.find_one({"_id": mail}, {"_id": 1}) is None:
            self._rows.append(row)
            return
        under_way = {"_id": mail, "state": {"$in": [State.WAITING, State.QUEUED, State.SENDING]}}
        gone = dict.fromkeys(("due_at", "claimed_by", f"context.{TOKEN}", f"context.{SENT_TO}"), "")
        messages.update_one(under_way, {"$set": settlement(row), "$unset": gone})


class Publishing:
    """Publishes messages in batches, each until the broker has confirmed it."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._waiting: list[Outgoing] = []

    async def add(self, messages: Iterable[Outgoing]) -> None:
        """Take messages. Raises `BackupError` where the broker refuses one or stays away."""
        self._waiting += messages
        if len(self._waiting) >= _BATCH:
            await self.finish()

    async def finish(self) -> None:
        """Publish what was taken. Raises `BackupError` as `add`."""
        for _ in range(_CONNECT_SECONDS * 10):
            results = await self._publisher.publish_all(self._waiting)
            refused = next((error for error in results if isinstance(error, Refused)), None)
            if refused is not None:
                raise BackupError(f"the broker refuses an event: {refused}", hint="set up its queues: certrail up")
            left = zip(self._waiting, results, strict=True)
            self._waiting = [message for message, error in left if error is not None]
            if not self._waiting:
                return
            await asyncio.sleep(0.1)
        raise BackupError("the broker does not take the events", hint="run the same command again: it doubles nothing")


@asynccontextmanager
async def publishing(url: str) -> AsyncIterator[Publishing]:
    """Publishes as the broker's user `operator`; what was taken is confirmed at the end of the block."""
    stopping, publisher = asyncio.Event(), Publisher(url, name="certrail-restore")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publisher.run(stopping))
        try:
            made = Publishing(publisher)
            yield made
            await made.finish()
        finally:
            stopping.set()


def to_service(service: str, event: Event) -> Outgoing:
    """An event for one service's queue and nobody else's."""
    kind = str(event["type"])
    return Outgoing(
        id=str(event["id"]),
        exchange=retry_exchange(service),
        routing_key=events_queue(service),
        type=kind,
        content_type=SINGLE,
        body=orjson.dumps(event),
    )


def erasure_of(event: Event) -> Erasure | None:
    """The erasure that an event tells of; None where it tells of something else."""
    if event.get("type") != identity.CandidateErased.event_type:
        return None
    data = identity.CandidateErased.model_validate_json(orjson.dumps(event["data"]))
    accounts = [ErasedAccount(candidate_id=one.candidate_id, pseudonym=one.pseudonym) for one in data.accounts]
    return Erasure(
        program=event["program"], candidate_id=data.candidate_id, accounts=accounts, erased_at=data.erased_at
    )


def _event_of(erasure: Erasure) -> Event:
    data = erasure.model_dump(mode="json", exclude={"program"}) | {"again": True}
    return {
        "specversion": "1.0",
        "id": new_id(),
        "source": "certrail/identity",
        "type": identity.CandidateErased.event_type,
        "subject": erasure.candidate_id,
        "time": data["erased_at"],
        "datacontenttype": "application/json",
        "program": erasure.program,
        "data": data,
    }
