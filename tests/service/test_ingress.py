"""The border on the real bus: every kind of bad message refused with its reason, and nothing held up behind it."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed

from deploy.sample.invalid import invalid_messages
from deploy.sample.rows import REPORTED, Row
from libs.common.bus import topology
from libs.common.clock import FixedClock
from libs.common.programs import Program
from services.certs.app import SERVICE as CERTS
from services.exams.app import SERVICE as EXAMS
from services.exams.consumers import KEPT_CHARACTERS
from services.identity.app import SERVICE as IDENTITY
from tests.servers import BrokerUnderTest, MongoUnderTest
from tests.service.bus import Bus
from tests.service.rig import Base, eventually, open_base
from tests.service.samples import Letter, course, letter, person, registration, result
from tests.service.world import World

VENDORS = ("vue", "psi")
_numbers = count(1)


def plain(vendor: str) -> Row:
    """A result the vendor has reported, for a message to contradict."""
    data = result(f"plain-{vendor}", f"R-plain-{vendor}").model_dump(mode="json", exclude_none=True)
    return Row(f"plain-{vendor}", REPORTED, "cisco", datetime(2025, 3, 11, tzinfo=UTC), data)


MESSAGES = invalid_messages({vendor: plain(vendor) for vendor in VENDORS})
REFUSALS: dict[str, type[Exception]] = {
    "precondition_failed": ChannelPreconditionFailed,
    "access_refused": ChannelAccessRefused,
}


def of(expected: str) -> list[Any]:
    """The messages of which that is expected, as parameters."""
    chosen = [message for message in MESSAGES if message["expect"] == expected]
    return [pytest.param(message, id=f"{message['message_id']} {message['why']}") for message in chosen]


def as_letter(message: dict[str, Any]) -> Letter:
    if "body_base64" in message:
        body = base64.b64decode(message["body_base64"])
    elif "body_repeat" in message:
        body = str(message["body_repeat"]["text"]).encode() * int(message["body_repeat"]["times"])
    else:
        body = str(message["body"]).encode()
    return Letter(message["vendor"], message["routing_key"], body, message["message_id"], message["content_type"])


@dataclass
class Border:
    """The workers of exams and identity, and the vendors' side of the bus."""

    bus: Bus
    exams: Base
    identity: Base
    certs: Base

    async def send(self, message: dict[str, Any]) -> None:
        await self.bus.send(as_letter(message), user_id=message["user_id"])

    async def good_one_passes(self, vendor: str) -> None:
        """A registration and a result sent now are handled by both services."""
        number = next(_numbers)
        person, result_id = f"good-{number}", f"R-good-{number}"
        await self.bus.send(letter(registration(person, f"G-good-{number}"), vendor=vendor))
        await self.bus.send(letter(result(person, result_id), vendor=vendor))
        await self.stored(self.exams, "results", result_id=result_id)
        await self.stored(self.identity, "external_ids", external_id=person)

    @staticmethod
    async def stored(base: Base, collection: str, **query: Any) -> dict[str, Any]:
        (row,) = await eventually(lambda: base.rows(collection, **query), lambda rows: len(rows) == 1)
        return row

    async def nothing_stuck(self) -> None:
        for service in ("exams", "identity", "certs"):
            for queue in (topology.parked_queue(service), *topology.consumed_queues(service)):
                # A message on its way to a reader lies here for a moment; one that is stuck stays.
                await eventually(partial(self.bus.ready, queue), lambda ready: ready == 0)
                for step in range(1, len(topology.RETRY_DELAYS) + 1):
                    if queue != topology.parked_queue(service):
                        assert await self.bus.ready(topology.retry_queue(queue, step)) == 0

    async def no_rejection(self) -> None:
        for vendor in VENDORS:
            assert await self.bus.ready(topology.rejections_queue(vendor)) == 0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def border(
    mongo_server: MongoUnderTest,
    broker_server: BrokerUnderTest,
    programs: dict[str, Program],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Border]:
    """One process of each service for all the messages, so that one of them would harm those after it."""
    await mongo_server.empty()
    await broker_server.empty()
    bus, clock = Bus(broker_server), FixedClock(datetime.now(UTC))
    folder: Path = tmp_path_factory.mktemp("border")
    world = World(mongo_server, broker_server, bus, clock, programs, folder)
    async with (
        world.running(EXAMS),
        world.running(IDENTITY),
        world.running(CERTS),
        open_base("exams", mongo_server.url("exams"), clock) as exams,
        open_base("identity", mongo_server.url("identity"), clock) as identity,
        open_base("certs", mongo_server.url("certs"), clock) as certs,
    ):
        border = Border(bus, exams, identity, certs)
        for vendor in VENDORS:
            await bus.send(letter(result(f"plain-{vendor}", f"R-plain-{vendor}"), vendor=vendor))
            await border.stored(exams, "results", result_id=f"R-plain-{vendor}")
        yield border
    await bus.close()


@pytest.mark.parametrize("message", of("rejected"))
async def test_invalid_message_is_answered_with_its_reason(border: Border, message: dict[str, Any]) -> None:
    sent = as_letter(message)
    await border.send(message)
    answer = await border.bus.take(topology.rejections_queue(message["vendor"]))
    rejection = orjson.loads(answer.body)
    assert {reason["code"] for reason in rejection["reasons"]} == {message["code"]}
    assert all(reason["message"] for reason in rejection["reasons"])
    assert rejection["routing_key"] == sent.routing_key
    assert rejection["message_id"] == sent.message_id
    original = sent.body[:KEPT_CHARACTERS].decode("utf-8", errors="backslashreplace")
    assert rejection["original"] == original
    assert rejection["truncated"] == (len(sent.body) > KEPT_CHARACTERS)
    await border.good_one_passes(message["vendor"])
    await border.nothing_stuck()
    await border.no_rejection()
    await Border.stored(border.exams, "rejections", _id=rejection["id"])


@pytest.mark.parametrize("message", of("refused_by_broker"))
async def test_message_against_the_rules_of_the_bus_is_refused_by_the_broker(
    border: Border, message: dict[str, Any]
) -> None:
    with pytest.raises(REFUSALS[message["code"]]):
        await border.send(message)
    await border.good_one_passes(message["vendor"])
    await border.nothing_stuck()
    await border.no_rejection()


@pytest.mark.parametrize("message", of("accepted"))
async def test_unusual_message_is_accepted(border: Border, message: dict[str, Any]) -> None:
    await border.send(message)
    data = orjson.loads(as_letter(message).body)["data"]
    if "result_id" in data:
        row = await Border.stored(border.exams, "results", result_id=data["result_id"])
        assert row["grade"] == data["grade"]
    else:
        await Border.stored(border.exams, "registrations", registration_id=data["registration_id"])
        account = await eventually(
            lambda: border.identity.rows("external_ids", external_id=data["vendor_candidate_id"]), bool
        )
        row = await Border.stored(border.identity, "candidates", _id=account[0]["candidate_id"])
        assert (row["given_name"], row["family_name"]) == (
            data["candidate"]["given_name"],
            data["candidate"]["family_name"],
        )
    await border.good_one_passes(message["vendor"])
    await border.nothing_stuck()
    await border.no_rejection()


async def test_message_under_a_key_nobody_knows_is_answered(border: Border) -> None:
    sent = Letter("vue", "vue.NoSuchThing.v7", b"{}", "unknown-key")
    await border.bus.send(sent)
    rejection = orjson.loads((await border.bus.take(topology.rejections_queue("vue"))).body)
    assert rejection["reasons"]
    await border.good_one_passes("vue")
    await border.nothing_stuck()


async def test_same_bad_message_twice_is_one_rejection(border: Border) -> None:
    bad = Letter("psi", "psi.ExamResultReported.v1", b"bad, and again", "bad-twice")
    await border.bus.send(bad)
    await border.bus.take(topology.rejections_queue("psi"))
    await border.bus.send(bad)
    await border.good_one_passes("psi")
    await border.no_rejection()
    await border.nothing_stuck()


async def test_rejected_message_says_where_its_fault_is(border: Border) -> None:
    data = registration("where").model_dump(mode="json", exclude_none=True)
    data["candidate"]["email"] = "nobody@"
    good = letter(registration("where"))
    event = orjson.loads(good.body) | {"data": data}
    await border.bus.send(Letter("vue", good.routing_key, orjson.dumps(event), good.message_id))
    rejection = orjson.loads((await border.bus.take(topology.rejections_queue("vue"))).body)
    assert [(reason["path"], reason["code"]) for reason in rejection["reasons"]] == [("data.candidate.email", "schema")]


async def test_course_reaches_its_candidate_and_a_bad_one_is_answered_once(border: Border) -> None:
    """A course is read by certs and answered by exams, so a faulty one must not be answered by both."""
    good = letter(course(candidate_ref=person("learner"), completed_on=date(2026, 1, 5)), vendor="psi")
    ahead = letter(course(candidate_ref=person("learner"), completed_on=date(2100, 1, 5)), vendor="psi")
    await border.bus.send(letter(registration("learner", "G-learner"), vendor="psi"))
    await border.bus.send(letter(result("learner", "R-learner"), vendor="psi"))
    await border.bus.send(good)
    await border.bus.send(ahead)
    rejection = orjson.loads((await border.bus.take(topology.rejections_queue("psi"))).body)
    assert [reason["path"] for reason in rejection["reasons"]] == ["data.completed_on"]
    await border.good_one_passes("psi")
    await border.no_rejection()
    row = await border.stored(border.certs, "submissions", state="accepted")
    ledgers = await eventually(
        lambda: border.certs.rows("candidates", _id=row["candidate_id"]), lambda rows: len(rows[0]["facts"]) == 2
    )
    assert ledgers[0]["certifications"][0]["expires_on"] == "2029-01-05"
    await border.nothing_stuck()
