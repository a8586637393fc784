"""Vendors' credentials for the operator, and what became of vendors' messages for those whom they concern."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from libs.common.bus.ingress import Reason, Refusal, Trial
from libs.common.bus.messages import Delivery
from libs.common.events import SINGLE
from libs.common.programs import Program
from services.exams.onboarding.tally import SAMPLES, Folding, Tallies
from services.exams.onboarding.trials import MESSAGE_TYPE
from tests.service.conftest import OpenBase
from tests.service.rig import Base
from tests.service.samples import course, registration, reported, result
from tests.service.vendor_station import VendorStation, moved, notice, said_result


@pytest.fixture
async def base(base_of: OpenBase) -> AsyncIterator[Base]:
    async with base_of("exams") as base:
        yield base


@pytest.fixture
async def station(base: Base, programs: dict[str, Program]) -> AsyncIterator[VendorStation]:
    async with VendorStation(base, programs).serving() as station:
        yield station


def refused(code: str = "schema", program: str = "cisco", name: str = "m") -> Refusal:
    body = f'{{"program": "{program}"}}'.encode()
    key = "vue.ExamRegistered.v1"
    delivery = Delivery(body, "certrail.vendors", key, SINGLE, key, name, "vue", {})
    return Refusal("vue", (Reason("data", code, "is wrong"),), delivery)


async def verdicts(station: VendorStation, program: str = "cisco", **query: Any) -> dict[str, dict[str, int]]:
    """Counts by vendor and kind."""
    asked = f"?days={query['days']}" if query else ""
    status, body = await station.operator("GET", f"/programs/{program}/vendors{asked}", of=(program,))
    assert status == 200, body
    found: dict[str, dict[str, int]] = {}
    for vendor in body["items"]:
        counts = found.setdefault(vendor["vendor"], {})
        for day in vendor["days"]:
            for each in day["counts"]:
                key = ":".join(part for part in (each["channel"], each["verdict"], each["code"]) if part)
                counts[key] = counts.get(key, 0) + each["count"]
    return found


SENT = {
    "bus:new": 1,
    "bus:revised": 1,
    "bus:duplicate": 1,
    "bus:stale": 1,
    "bus:kept": 2,
    "bus:refused:revision_conflict": 1,
    "bus:refused:schema": 2,
    "notification:kept": 2,
    "notification:new": 1,
    "notification:repeated": 1,
    "notification:refused:unknown_exam": 1,
}


async def send_everything(station: VendorStation) -> None:
    token = await station.admit()
    conflict = reported(result(revision=3, grade="fail"))
    conflict = replace(conflict, delivery=replace(conflict.delivery, body=b'{"program": "cisco"}'))
    await station.take(reported(registration()), reported(course()), refused())
    await station.take(reported(result(revision=2)), reported(result(revision=2)), reported(result(revision=1)))
    await station.take(reported(result(revision=3)), conflict, refused(name="other"))
    first = said_result(result_id="R2", registration_id="G2")
    await station.notify(token, [first, notice("hold"), moved()])
    await station.notify(token, [first, said_result(exam_code="000-000")])


@pytest.mark.parametrize("folded", [False, True], ids=["as they come", "added up"])
async def test_each_message_is_counted_once_by_what_became_of_it(station: VendorStation, folded: bool) -> None:
    await send_everything(station)
    if folded:
        await station.run("verdicts")
        assert await station.base.rows("verdict_tallies") == []
    assert await verdicts(station) == {"vue": SENT}


async def test_adding_up_again_and_again_counts_nothing_twice(
    station: VendorStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Folding, "SLICE", 2)
    await send_everything(station)
    await asyncio.gather(*(station.run("verdicts") for _ in range(3)))
    assert await verdicts(station) == {"vue": SENT}
    assert len(await station.base.rows("verdict_days")) == 1


async def test_adding_up_that_dies_half_way_has_added_nothing(station: VendorStation, base: Base) -> None:
    await send_everything(station)

    async def work(transaction: Any) -> None:
        await Tallies(base.database).fold(transaction, 500)
        raise ConnectionResetError("died before the commit")

    with pytest.raises(ConnectionResetError):
        await base.unit_of_work.run(work)
    assert await verdicts(station) == {"vue": SENT}
    await station.run("verdicts")
    assert await verdicts(station) == {"vue": SENT}


async def test_dry_run_beside_the_same_for_real_in_one_batch_waits_for_nothing(station: VendorStation) -> None:
    """It locks what the batch itself writes: judged after that, it would wait for the batch, and the batch for it."""
    attempts = 0

    async def work(transaction: Any, items: Any) -> None:
        nonlocal attempts
        attempts += 1
        handle = next(each.work for each in station.parts.subscriptions if each.queue == "exams.vendors")
        await handle(transaction, items)

    await station.base.handle(work, reported(result()), Trial(reported(result())), reported(registration()))
    assert attempts == 1
    (answer,) = [each for each in station.base.relay.messages if each.type == MESSAGE_TYPE]  # type: ignore[union-attr]
    assert orjson.loads(answer.body)["would"] == "new"
    assert await verdicts(station) == {"vue": {"bus:new": 1, "bus:kept": 1, "dry_run:new": 1}}


async def test_counts_of_another_program_are_not_shown(station: VendorStation) -> None:
    await station.take(reported(result()), reported(result(exam_code="JN0-105"), program="juniper"))
    await station.take(refused("unknown_program", program="nowhere"), refused(program="{$}"))
    await station.run("verdicts")
    assert await verdicts(station) == {"vue": {"bus:new": 1}}
    assert await verdicts(station, "juniper") == {"vue": {"bus:new": 1}}
    assert (await station.operator("GET", "/programs/cisco/vendors", of=("juniper",)))[0] == 404
    assert (await station.operator("GET", "/programs/cisco/vendors/vue/samples", of=("juniper",)))[0] == 404
    (vendor,) = (await station.operator("GET", "/vendors"))[1]["items"]
    assert sum(each["count"] for each in vendor["in_all"]) == 4, "the operator sees what names no program too"


async def test_days_are_those_asked_for(station: VendorStation) -> None:
    await station.take(reported(result()))
    station.base.clock.advance(timedelta(days=2))
    await station.take(reported(result(result_id="R2")))
    assert await verdicts(station, days=2) == {"vue": {"bus:new": 1}}
    assert await verdicts(station, days=3) == {"vue": {"bus:new": 2}}
    (vendor,) = (await station.operator("GET", "/vendors"))[1]["items"]
    assert [vendor["today"][0]["count"], vendor["in_all"][0]["count"]] == [1, 2]
    assert vendor["state"] == "broker_only"


@pytest.mark.parametrize("folded", [False, True], ids=["as they come", "added up"])
async def test_last_few_of_each_kind_are_found_again(station: VendorStation, folded: bool) -> None:
    for number in range(SAMPLES + 3):
        await station.take(reported(result(result_id=f"R{number}"), event_id=f"e{number}"))
    await station.take(refused())
    if folded:
        await station.run("verdicts")
    status, body = await station.operator("GET", "/programs/cisco/vendors/vue/samples")
    assert status == 200
    new, wrong = body["items"]
    assert (new["channel"], new["verdict"], new["code"]) == ("bus", "new", None)
    latest = [f"e{number}" for number in reversed(range(3, SAMPLES + 3))]
    assert [each["message_id"] for each in new["messages"]] == latest
    assert new["messages"][0]["about"] == f"cisco:vue:R{SAMPLES + 2}"
    assert (wrong["verdict"], wrong["code"], wrong["messages"][0]["message_id"]) == ("refused", "schema", "m")


async def test_two_batches_at_once_never_wait_for_each_others_counts(
    station: VendorStation, base: Base, programs: dict[str, Program]
) -> None:
    """Each has counted before either commits: on one document, one of the two would have to begin again."""
    both = asyncio.Barrier(2)
    attempts = 0

    async def batch(name: str) -> None:
        async def work(transaction: Any, items: Any) -> None:
            nonlocal attempts
            attempts += 1
            handle = next(each.work for each in station.parts.subscriptions if each.queue == "exams.vendors")
            await handle(transaction, items)
            await both.wait()

        await base.handle(work, reported(result(name, f"R-{name}")))

    await asyncio.gather(batch("P1"), batch("P2"))
    assert attempts == 2
    assert await verdicts(station) == {"vue": {"bus:new": 2}}


async def test_vendor_is_admitted_listed_and_removed(station: VendorStation) -> None:
    await station.admit()
    await station.renew(kind="signing_secret")
    (vendor,) = (await station.operator("GET", "/vendors"))[1]["items"]
    assert (vendor["vendor"], vendor["state"], vendor["programs"]) == ("vue", "active", ["cisco"])
    assert [len(vendor[each]) for each in ("tokens", "signing_secrets", "in_all")] == [1, 1, 0]
    status, body = await station.operator("PUT", "/vendors/vue", programs=["juniper", "cisco"])
    assert (status, body["programs"], len(body["tokens"])) == (200, ["cisco", "juniper"], 1)
    assert (await station.operator("DELETE", "/vendors/vue"))[0] == 204
    assert (await station.operator("DELETE", "/vendors/vue"))[0] == 204
    (vendor,) = (await station.operator("GET", "/vendors"))[1]["items"]
    assert (vendor["state"], vendor["tokens"], vendor["signing_secrets"]) == ("removed", [], [])


async def test_what_is_not_there_cannot_be_changed(station: VendorStation) -> None:
    assert (await station.operator("DELETE", "/vendors/vue"))[0] == 404
    assert (await station.operator("POST", "/vendors/vue/credentials", kind="token"))[0] == 404
    status, body = await station.operator("PUT", "/vendors/vue", programs=["nowhere"])
    assert (status, body["errors"][0]["path"]) == (422, "body.programs.0")
    assert (await station.operator("PUT", "/vendors/V.U", programs=["cisco"]))[0] == 422


async def test_two_at_once_who_renew_a_token_do_not_lose_one(station: VendorStation) -> None:
    await station.admit()
    answers = await asyncio.gather(
        *(station.operator("POST", "/vendors/vue/credentials", kind="token") for _ in range(4))
    )
    shown = [body["secret"] for status, body in answers if status == 201]
    assert {status for status, _ in answers} <= {201, 409}
    assert (await station.notify(shown[-1], said_result()))[0] in {200, 401}
    (row,) = await station.base.rows("vendors")
    assert len(row["tokens"]) == 2


async def test_without_a_secret_of_its_own_exams_keeps_no_signing_secrets(
    base: Base, programs: dict[str, Program]
) -> None:
    async with VendorStation(base, programs, credentials_secret=None).serving() as station:
        token = await station.admit()
        status, body = await station.operator("POST", "/vendors/vue/credentials", kind="signing_secret")
        assert (status, body["detail"]) == (
            409,
            "exams has no CERTRAIL_CREDENTIALS_SECRET to keep a signing secret with",
        )
        assert (await station.notify(token, said_result()))[0] == 200


async def test_changed_secret_of_the_service_is_told_apart_from_a_wrong_signature(
    station: VendorStation, base: Base, programs: dict[str, Program]
) -> None:
    secret = await station.admit(kind="signing_secret")
    async with VendorStation(base, programs, credentials_secret=SecretStr("d" * 32)).serving() as other:
        assert (await other.notify_signed(secret, said_result()))[0] == 503
