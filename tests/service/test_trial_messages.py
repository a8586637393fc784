"""Dry runs of vendors on the real bus: judged as the message itself would be, answered, and without any effect."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator

from libs.common.bus import topology
from libs.common.clock import FixedClock
from libs.common.events import EventData, identity
from libs.common.events.asyncapi import asyncapi_document
from libs.common.programs import Program
from services.certs.app import SERVICE as CERTS
from services.exams.app import SERVICE as EXAMS
from services.identity.app import SERVICE as IDENTITY
from tests.servers import BrokerUnderTest, MongoUnderTest
from tests.service.bus import Bus
from tests.service.rig import Base, eventually, open_base
from tests.service.samples import Letter, course, letter, registration, result
from tests.service.world import World

KEEPING_HOUSE = {"jobs", "policies", "schema_version", "audit_sealed", "verdict_tallies", "verdict_days", "outbox"}
"""Collections that change by themselves; and counts, which are what a dry run leaves."""


class Vendor:
    """The services at work, and a vendor's side of the bus."""

    def __init__(self, bus: Bus, *bases: Base) -> None:
        self.bus = bus
        self.exams, self.identity, self.certs = self.bases = bases

    async def tries(self, sent: Letter, **changes: Any) -> dict[str, Any]:
        """The answer to a message sent as a dry run."""
        body = orjson.dumps(orjson.loads(sent.body) | {"dryrun": True} | changes)
        await self.bus.send(replace(sent, body=body))
        answer = await self.bus.take(topology.rejections_queue(sent.vendor))
        assert answer.type == "certrail.DryRunJudged.v1"
        found: dict[str, Any] = orjson.loads(answer.body)
        assert (found["dryrun"], found["message_id"], found["original"]) == (True, sent.message_id, body.decode())
        return found

    async def says(self, data: EventData, **more: Any) -> None:
        await self.bus.send(letter(data, **more))

    async def stored(self, base: Base, collection: str, **query: Any) -> dict[str, Any]:
        (row,) = await eventually(lambda: base.rows(collection, **query), lambda rows: len(rows) == 1)
        return row

    async def everything(self) -> dict[str, Any]:
        found = {}
        for base in self.bases:
            for name in await base.database.list_collection_names():
                if name not in KEEPING_HOUSE and name != "verdict_samples":
                    found[f"{base.service}.{name}"] = await base.rows(name)
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def vendor(
    mongo: MongoUnderTest, broker: BrokerUnderTest, programs: dict[str, Program], tmp_path: Path
) -> AsyncIterator[Vendor]:
    bus, clock = Bus(broker), FixedClock(datetime.now(UTC))
    world = World(mongo, broker, bus, clock, programs, tmp_path)
    async with (
        world.running(EXAMS),
        world.running(IDENTITY),
        world.running(CERTS),
        open_base("exams", mongo.url("exams"), clock) as exams,
        open_base("identity", mongo.url("identity"), clock) as people,
        open_base("certs", mongo.url("certs"), clock) as certs,
    ):
        yield Vendor(bus, exams, people, certs)
    await bus.close()


async def test_dry_runs_are_answered_and_nothing_happens_anywhere(vendor: Vendor) -> None:
    async with vendor.bus.listening() as heard:
        before = await vendor.everything()
        tried = [
            (registration("new-1", "G-new"), "new", False),
            (result("new-1", "R-new"), "new", False),
            (course(completion_id="K-new"), "kept", None),
        ]
        for data, would, known in tried:
            answer = await vendor.tries(letter(data))
            assert (answer["verdict"], answer["would"], answer["candidate_known"]) == ("accepted", would, known)
            assert answer["reasons"] == []
        # The same for real, behind them in every queue: by then the dry runs have been handled everywhere.
        await vendor.says(registration("real-1", "G-real"))
        await vendor.says(course(completion_id="K-real"))
        await vendor.stored(vendor.exams, "registrations", registration_id="G-real")
        await heard.until(identity.CandidateRegistered)
        await eventually(lambda: vendor.certs.rows("submissions"), bool)
        after = await vendor.everything()
        assert "G-new" not in str(after)
        assert "new-1" not in str(after)
        assert "K-new" not in str(after)
        assert len(after["certs.submissions"]) == 1
        assert before["exams.results"] == after["exams.results"] == []
        assert "new-1" not in str(heard.events)


async def test_dry_run_is_judged_by_what_is_known(vendor: Vendor) -> None:
    await vendor.says(registration())
    await vendor.says(result(revision=2))
    await vendor.stored(vendor.exams, "results", result_id="R1")
    await eventually(lambda: vendor.exams.rows("results", candidate_id={"$ne": None}), bool)
    await eventually(lambda: vendor.certs.rows("status_lists", revision={"$gt": 0}), bool)
    await eventually(lambda: vendor.certs.rows("credentials", signed=True), bool)
    before = await vendor.everything()
    for data, would in (
        (result(revision=3, grade="fail"), "revised"),
        (result(revision=2), "duplicate"),
        (result(revision=1, grade="fail"), "stale"),
        (registration(), "duplicate"),
    ):
        answer = await vendor.tries(letter(data))
        assert (answer["would"], answer["candidate_known"]) == (would, True)
    conflict = await vendor.tries(letter(result(revision=2, grade="fail")))
    assert (conflict["verdict"], conflict["would"]) == ("refused", None)
    assert [reason["code"] for reason in conflict["reasons"]] == ["revision_conflict"]
    assert await vendor.everything() == before


async def test_faults_of_a_dry_run_are_told_and_are_no_rejection(vendor: Vendor) -> None:
    wrong = await vendor.tries(letter(result(exam_code="000-000")))
    assert [(each["path"], each["code"]) for each in wrong["reasons"]] == [("data.exam_code", "unknown_exam")]
    nowhere = await vendor.tries(letter(result()), program="nowhere")
    assert [each["code"] for each in nowhere["reasons"]] == ["unknown_program"]
    assert await vendor.exams.rows("rejections") == []
    assert await vendor.exams.rows("results") == []


async def test_dry_run_and_the_same_for_real_in_one_go_do_not_hold_each_other_up(vendor: Vendor) -> None:
    sent = letter(result())
    trial = replace(sent, body=orjson.dumps(orjson.loads(sent.body) | {"dryrun": True}))
    for each in (sent, trial, sent, trial):
        await vendor.bus.send(each)
    answers = [orjson.loads((await vendor.bus.take("vue.rejections")).body) for _ in range(2)]
    assert {answer["verdict"] for answer in answers} == {"accepted"}
    assert answers[0]["id"] == answers[1]["id"], "of one message"
    await vendor.stored(vendor.exams, "results", result_id="R1")
    assert await vendor.bus.ready("exams.parked") == 0


async def test_answers_are_as_the_bus_document_says(vendor: Vendor, asyncapi: dict[str, Any]) -> None:
    schemas = asyncapi["components"]["schemas"]
    for name, sent in (("DryRunJudged", {"dryrun": True}), ("MessageRejected", {})):
        schema = {"$ref": f"#/components/schemas/rejections-{name}-v1", "components": {"schemas": schemas}}
        for data in (result(exam_code="000-000"), result(result_id="R9")):
            made = letter(data)
            if name == "MessageRejected" and data.result_id == "R9":
                continue
            await vendor.bus.send(replace(made, body=orjson.dumps(orjson.loads(made.body) | sent)))
            answer = await vendor.bus.take("vue.rejections")
            assert answer.type == f"certrail.{name}.v1"
            Draft202012Validator(schema).validate(orjson.loads(answer.body))


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, Any]:
    return asyncapi_document()
