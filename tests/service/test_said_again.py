"""A service whose database was restored says again what it had said: under the first ids, and nothing happens twice."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from pymongo import MongoClient

from deploy.backup.catching_up import Notes
from deploy.mongo.users import database_name
from libs.common.clock import FixedClock
from libs.common.events import EventData, exams, identity, notify
from libs.common.mongo.said_before import COLLECTION, SaidBefore
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.identity.consumers import VendorMessages
from services.identity.registration_store import RegistrationStore
from services.identity.store import IdentityStore
from services.notify.letters import Cause
from services.notify.rows import new_message
from services.notify.sent_before import SentBefore
from services.notify.store import NotifyStore, State
from tests.servers import MongoUnderTest
from tests.service.conftest import OpenBase
from tests.service.identity_station import IdentityStation
from tests.service.rig import Base, Kept
from tests.service.samples import passed, registration, reported
from tests.service.test_privacy_identity import take

Event = dict[str, Any]


def said(base: Base) -> list[Event]:
    """The events that were handed over to be published since it was last asked."""
    assert isinstance(base.relay, Kept)
    found: list[Event] = []
    for message in base.relay.messages:
        content = orjson.loads(message.body)
        found += content if isinstance(content, list) else [content]
    base.relay.messages.clear()
    return found


def restored(base: Base) -> UnitOfWork:
    """The work of a process that begins after a restore."""
    return UnitOfWork(
        base.client,
        base.database,
        service=base.service,
        owner=base.owner,
        clock=base.clock,
        relay=base.relay,
        said_before=SaidBefore(base.database),
    )


def note(mongo: MongoUnderTest, service: str, events: list[Event]) -> None:
    """Note events as the restore does."""
    with MongoClient[dict[str, Any]](mongo.admin_url) as client:
        notes = Notes(client[database_name(service)], service)
        for event in events:
            notes.take(EVENTS[event["type"]], event, datetime.fromisoformat(event["time"]))
        notes.write()


EVENTS: dict[str, type[EventData]] = {
    model.event_type: model
    for model in (
        *(exams.ExamPassed, identity.PasswordChanged, identity.CandidateRegistered, identity.ExternalIdLinked),
        *(identity.AccessRequested, notify.EmailSent, notify.EmailBounced),
    )
}


async def say(unit_of_work: UnitOfWork, data: EventData) -> None:
    async def work(transaction: Transaction) -> None:
        told = data.model_copy(update={"known_at": transaction.now}) if hasattr(data, "known_at") else data
        transaction.emit(told, program="cisco", subject="C1", version=1)

    await unit_of_work.run(work)


async def test_what_is_said_again_goes_under_its_first_id_once(
    base_of: OpenBase, mongo: MongoUnderTest, clock: FixedClock
) -> None:
    async with base_of("exams") as base:
        await say(base.unit_of_work, passed())
        (first,) = said(base)
        note(mongo, "exams", [first])
        await base.database["outbox"].delete_many({})  # it was published, long ago
        clock.advance(timedelta(hours=1))
        for data in (passed(), passed(), passed(result_id="R2")):
            await say(restored(base), data)
        again, third, other = said(base)
        assert again["id"] == first["id"]
        assert again["time"] != first["time"]
        assert len({first["id"], third["id"], other["id"]}) == 3
        assert await SaidBefore.waiting(base.database) is None


async def test_what_people_do_is_told_each_time(base_of: OpenBase, mongo: MongoUnderTest, clock: FixedClock) -> None:
    async with base_of("identity") as base:
        data = identity.PasswordChanged(candidate_id="C1", changed_at=clock.now())
        await say(base.unit_of_work, data)
        (first,) = said(base)
        note(mongo, "identity", [first])
        await say(restored(base), data)
        (again,) = said(base)
        assert again["id"] != first["id"]
        assert await base.rows(COLLECTION, type=identity.PasswordChanged.event_type)


async def test_accounts_come_back_under_the_ids_that_all_know(
    base_of: OpenBase, mongo: MongoUnderTest, programs: dict[str, Program]
) -> None:
    async with base_of("identity") as base:
        store, registrations = IdentityStore(base.database), RegistrationStore(base.database)
        await base.handle(
            VendorMessages(store, registrations, programs).handle,
            *(reported(registration(one, f"G-{one}")) for one in ("P1", "P2")),
        )
        events = said(base)
        before = {row["_id"]: row["candidate_id"] for row in await base.rows("external_ids")}
        for name in ("candidates", "external_ids", "links", "registrations", "counters"):
            await base.database[name].delete_many({})
        note(mongo, "identity", events)
        messages = VendorMessages(store, registrations, programs, SaidBefore(base.database))
        for one in ("P3", "P2", "P1"):  # in another order, and a stranger first
            item = reported(registration(one, f"G-{one}"))
            await restored(base).run(lambda transaction, item=item: messages.handle(transaction, [item]))
        after = {row["_id"]: row["candidate_id"] for row in await base.rows("external_ids")}
        assert {key: after[key] for key in before} == before
        assert len(set(after.values())) == 3
        ids = {event["id"] for event in events if "AccessRequested" not in event["type"]}
        assert ids < {event["id"] for event in said(base)}


@pytest.mark.parametrize("bounced", [False, True], ids=["sent", "refused"])
async def test_a_mail_that_went_before_goes_no_more(
    base_of: OpenBase, mongo: MongoUnderTest, clock: FixedClock, *, bounced: bool
) -> None:
    def mail(key: str) -> dict[str, Any]:
        cause = Cause("e", "e", None)
        context = {"token": "open-sesame", "exam": "x"}
        made = new_message(
            key,
            program="cisco",
            template="activation",
            candidate_id="C1",
            context=context,
            cause=cause,
            now=clock.now(),
        )
        return made | {"state": State.SENDING, "claimed_by": "me", "due_at": clock.now()}

    def settled(key: str) -> Event:
        common = {"candidate_id": "C1", "message_id": f"<{key}@mail.example>", "template": "activation"}
        data: notify.EmailSent | notify.EmailBounced = (
            notify.EmailBounced(**common, reason="no such user", refused_at=clock.now())
            if bounced
            else notify.EmailSent(**common, accepted_at=clock.now())
        )
        content = data.model_dump(mode="json")
        now = clock.now().isoformat()
        return {
            "id": f"e-{key}",
            "type": data.event_type,
            "program": "cisco",
            "subject": "C1",
            "time": now,
            "data": content,
        }

    async with base_of("notify") as base:
        store = NotifyStore(base.database)
        store.settle_first = SentBefore(SaidBefore(base.database)).settle
        await base.database["messages"].insert_one(mail("under way"))
        note(mongo, "notify", [settled("under way"), settled("told again")])
        rows = [mail("told again"), mail("new")]
        await base.unit_of_work.run(lambda transaction: store.add_messages(transaction.session, rows))
        kept = {row["_id"]: row for row in await base.rows("messages")}
        for key in ("under way", "told again"):
            assert kept[key]["state"] == (State.REFUSED if bounced else State.SENT)
            assert not {"due_at", "claimed_by"} & kept[key].keys()
            assert kept[key]["context"] == {"exam": "x"}
        assert kept["new"]["state"] == State.SENDING
        assert not await base.rows(COLLECTION)


async def test_whoever_was_erased_is_erased_again(station: IdentityStation) -> None:
    await station.register()
    (account,) = await station.base.rows("candidates")
    erased = identity.ErasedAccount(candidate_id=account["_id"], pseudonym="erased-1")
    event = identity.CandidateErased(
        candidate_id=account["_id"], accounts=[erased], erased_at=station.base.clock.now(), again=True
    )
    await take(station, event)
    assert not await station.base.rows("candidates")
    assert not await station.base.rows("external_ids", candidate_id=account["_id"])
    assert "erased-1" in {row["pseudonym"] for row in await station.base.rows("tombstones")}
