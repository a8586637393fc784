"""`kill -9` of senders in the middle of many mails: each arrives, and what may have come twice is counted."""

import os
from collections import Counter
from datetime import UTC, datetime

import pytest

from libs.common.events import notify
from libs.common.mongo.client import open_client, open_database
from services.notify.domain.mails import Template
from services.notify.letters import Cause
from services.notify.rows import new_message
from services.notify.sender import UNSETTLED
from services.notify.store import State
from tests.chaos.sink import accepted, counted
from tests.e2e.event_log import of_type, read_log
from tests.e2e.stage import open_stage
from tests.e2e.waiting import eventually
from tests.servers import BrokerUnderTest, MongoUnderTest

MAILS = int(os.environ.get("CERTRAIL_CHAOS_MAILS", "10000"))
SECONDS = 180.0
"""For all of them: a dead sender's claims last for twenty."""


@pytest.mark.timeout(300)
async def test_kill_9_among_many_mails_loses_none_and_repeats_few(
    mongo_server: MongoUnderTest, broker_server: BrokerUnderTest
) -> None:
    async with open_stage(mongo_server, broker_server) as stage:
        client = open_client(mongo_server.url("notify"), application="test")
        messages = open_database(client)["messages"]
        await stage.start_sink()
        await stage.start([("notify", "relay"), ("notify", "worker"), ("notify", "worker")])
        now = datetime.now(UTC)
        letters = [f"{number:032x}" for number in range(MAILS)]
        people = [f"KILLED{number}" for number in range(MAILS)]
        await open_database(client)["recipients"].insert_many(map(_recipient, people))
        due = {"state": State.QUEUED, "due_at": now}
        await messages.insert_many(
            _message(letter, person, now) | due for letter, person in zip(letters, people, strict=True)
        )
        workers = stage.services("notify-worker")
        for number, worker in enumerate(workers, start=1):
            share = MAILS * number // (len(workers) + 1)
            await eventually(lambda: counted(stage), lambda seen, share=share: seen >= share, seconds=SECONDS)  # type: ignore[misc]
            await stage.processes.kill(worker)
        sent = {"state": State.SENT}
        await eventually(lambda: messages.count_documents(sent), lambda seen: seen == MAILS, seconds=SECONDS)
        came = Counter(mail.letter for mail in await accepted(stage, "killed"))
        doubtful = {row["_id"]: row["doubtful"] async for row in messages.find({"doubtful": {"$gt": 0}})}
        await eventually(
            lambda: open_database(client)["outbox"].count_documents({}), lambda left: left == 0, seconds=SECONDS
        )
        told = of_type(await read_log(broker_server), notify.EmailSent)
        client.close()
    assert set(came) == set(letters)
    assert max(came.values()) <= 1 + len(workers)
    again = {letter: times - 1 for letter, times in came.items() if times > 1}
    assert sum(again.values()) <= UNSETTLED * len(workers)
    assert {letter for letter, times in again.items() if times > doubtful.get(letter, 0)} == set(), "all are counted"
    assert Counter(event["data"]["message_id"].strip("<>").partition("@")[0] for event in told) == Counter(letters)
    print(f"{sum(again.values())} of {MAILS} came again, {sum(doubtful.values())} counted as in doubt")


def _recipient(person: str) -> dict[str, object]:
    return {
        "_id": person,
        "program": "cisco",
        "email": f"{person.lower()}@example.com",
        "given_name": "Ada",
        "family_name": person,
        "language": None,
        "version": 1,
        "waits": 0,
    }


def _message(letter: str, person: str, now: datetime) -> dict[str, object]:
    return new_message(
        letter,
        program="cisco",
        template=Template.EXAM_PASSED,
        candidate_id=person,
        context={"exam": "CCNA (200-301)", "taken_on": "2026-03-10"},
        cause=Cause(letter, letter, None),
        now=now,
    )
