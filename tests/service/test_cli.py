"""The command line on a real broker, with the accounts that operators and vendors have."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aio_pika
import orjson
import pytest
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from structlog.testing import capture_logs
from typer.testing import CliRunner

from deploy.cli.access import Access
from deploy.cli.main import app
from deploy.cli.queues import depths
from deploy.cli.raw_messages import play_messages
from deploy.cli.trace import parked_of
from deploy.processes import APPS
from deploy.sample.messages import FORBIDDEN, FORGED, TOO_LARGE_FOR_BROKER, Composer, rejected
from libs.common.bus import failures, topology
from libs.common.events import BATCH, SINGLE
from libs.common.ids import new_id
from tests.servers import BrokerUnderTest

RESULT = "ExamResultReported.v1"
QUEUE = topology.vendors_queue("exams")
PARKED = topology.parked_queue("exams")
PATIENCE_SECONDS = 10
MORE_THAN_A_SMALL_MAP = 40
"""A broker that is given back more than 32 messages at once shuffles them."""

Run = Callable[..., Awaitable[Any]]
DATA = {
    "result_id": "R1",
    "revision": 1,
    "vendor_candidate_id": "C1",
    "registration_id": "G1",
    "exam_code": "200-301",
    "taken_at": "2026-05-04T10:00:00+02:00",
    "grade": "pass",
}


@pytest.fixture
async def certrail(broker: BrokerUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command as on a machine that knows the platform by its addresses only."""
    monkeypatch.setenv("CERTRAIL_STATE_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("CERTRAIL_OPERATOR_AMQP_URL", broker.url("operator"))
    monkeypatch.setenv("CERTRAIL_VENDOR_AMQP_URL", broker.url("vue"))
    monkeypatch.setenv("CERTRAIL_MANAGEMENT_URL", broker.management_url)

    async def run(*words: str, given: str | None = None) -> Any:
        with capture_logs():  # the command owns standard output while it runs
            result = await asyncio.to_thread(CliRunner().invoke, app, words, input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
async def exams(broker: BrokerUnderTest) -> AsyncIterator[AbstractConnection]:
    async with await aio_pika.connect(broker.url("exams")) as connection:
        yield connection


async def take_all(connection: AbstractConnection, queue: str, count: int) -> list[AbstractIncomingMessage]:
    """Exactly that many messages of a queue; fails the test where there are fewer or more."""
    found: list[AbstractIncomingMessage] = []
    async with asyncio.timeout(PATIENCE_SECONDS), connection.channel() as channel:
        source = await channel.get_queue(queue, ensure=False)
        while len(found) < count:
            message = await source.get(no_ack=True, fail=False)
            if message is None:
                await asyncio.sleep(0.02)
            else:
                found.append(message)
        assert await source.get(no_ack=True, fail=False) is None
    return found


async def publish(connection: AbstractConnection, exchange: str, key: str, *messages: aio_pika.Message) -> None:
    async with connection.channel(on_return_raises=True) as channel:
        target = await channel.get_exchange(exchange, ensure=False)
        for message in messages:
            await target.publish(message, key, timeout=PATIENCE_SECONDS)


def parked_message(event_id: str, code: str = "failed", minute: int = 0) -> aio_pika.Message:
    """What the retry ladder leaves after its last step."""
    return aio_pika.Message(
        orjson.dumps({"id": event_id, "type": f"vue.{RESULT}", "data": DATA}),
        content_type=SINGLE,
        message_id=event_id,
        type=f"vue.{RESULT}",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        headers={
            failures.TRIES: 5,
            failures.QUEUE: QUEUE,
            failures.KEY: f"vue.{RESULT}",
            failures.VENDOR: "vue",
            failures.FIRST_FAILURE: "2026-11-22T10:00:00+00:00",
            failures.LAST_FAILURE: f"2026-11-22T10:{minute:02}:00+00:00",
            failures.ERROR: "ValueError: no",
            failures.CODE: code,
            failures.STACK: "Traceback …",
        },
    )


async def park(exams: AbstractConnection, *event_ids: str, code: str = "failed") -> None:
    messages = [parked_message(event_id, code, minute) for minute, event_id in enumerate(event_ids)]
    await publish(exams, topology.retry_exchange("exams"), PARKED, *messages)


def without_delivery_count(message: AbstractIncomingMessage) -> dict[str, Any]:
    """The headers, without the one that the broker itself adds at each delivery."""
    return {name: value for name, value in message.headers.items() if name != "x-delivery-count"}


async def listed(certrail: Run, *options: str) -> list[str]:
    result = await certrail("parked", "list", "--service", "exams", "--limit", "1000", "--json", *options)
    return [row["id"] for row in json.loads(result.stdout)]


async def test_fed_rows_arrive_as_the_vendors_and_bad_ones_stay_behind(
    certrail: Run, exams: AbstractConnection, tmp_path: Path
) -> None:
    path = tmp_path / "results.jsonl"
    rows = [*({**DATA, "result_id": f"R{number}"} for number in range(300)), {**DATA, "exam_code": "999-999"}]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    options = ("--vendor", "vue", "--program", "cisco", "--type", RESULT, "--json")
    first = await certrail("feed", str(path), *options)
    assert first.exit_code == 1
    assert json.loads(first.stdout)["published"] == 300
    arrived = await take_all(exams, QUEUE, 300)
    assert {message.user_id for message in arrived} == {"vue"}
    assert [orjson.loads(message.body)["data"]["result_id"] for message in arrived] == [f"R{n}" for n in range(300)]


async def test_a_file_fed_twice_carries_the_same_ids(certrail: Run, exams: AbstractConnection, tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(f"{','.join(DATA)}\n{','.join(map(str, DATA.values()))}\n")
    for _ in range(2):
        fed = await certrail("feed", str(path), "--vendor", "vue", "--program", "cisco", "--type", RESULT)
        assert fed.exit_code == 0, fed.stderr
    first, second = await take_all(exams, QUEUE, 2)
    assert first.message_id == second.message_id == orjson.loads(second.body)["id"]


async def test_another_vendors_account_is_refused_before_anything_is_sent(certrail: Run, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(orjson.dumps(DATA))
    with pytest.raises(Exception, match="account of 'vue', not of 'psi'"):
        await certrail("feed", str(path), "--vendor", "psi", "--program", "cisco", "--type", RESULT)


async def test_messages_the_broker_refuses_are_counted_and_do_not_stop_the_others(
    broker: BrokerUnderTest, exams: AbstractConnection
) -> None:
    composer = Composer()
    event = composer.envelope("vue", "cisco", RESULT, DATA)
    huge = {"text": "x", "times": topology.MAX_MESSAGE_BYTES + 1}
    messages = [
        composer.message("too large", TOO_LARGE_FOR_BROKER, event, body_repeat=huge),
        composer.message("forged", FORGED, event, user_id="psi"),
        composer.message("another's key", FORBIDDEN, event, routing_key="psi.Anything.v1"),
        composer.message("no content type", rejected("content_type"), event, content_type=None),
        composer.message("not JSON", rejected("not_json"), event, body_base64="/wA="),
    ]
    refused = await play_messages(messages, broker.url, lambda: None)
    assert refused == {"precondition_failed": 2, "access_refused": 1}
    arrived = await take_all(exams, QUEUE, 2)
    assert [message.content_type for message in arrived] == [None, SINGLE]
    assert arrived[1].body == b"\xff\x00"


async def test_looking_at_parked_messages_neither_loses_nor_changes_them(
    certrail: Run, exams: AbstractConnection
) -> None:
    ids = [f"e{number:02}" for number in range(MORE_THAN_A_SMALL_MAP)]
    await park(exams, *ids)
    for _ in range(3):
        assert await listed(certrail) == ids
        assert len(await listed(certrail, "--limit", "3")) == 3
    await certrail("parked", "show", ids[-1], "--service", "exams")
    arrived = await take_all(exams, PARKED, len(ids))
    assert {message.message_id for message in arrived} == set(ids)
    assert all(message.headers[failures.TRIES] == 5 for message in arrived)


async def test_parked_messages_can_be_looked_at_more_often_than_a_new_brokers_default_limit(
    certrail: Run, exams: AbstractConnection
) -> None:
    await park(exams, "e1")
    for _ in range(25):
        assert await listed(certrail) == ["e1"]


async def test_a_shown_message_tells_its_failure_and_its_body(certrail: Run, exams: AbstractConnection) -> None:
    await park(exams, "e1")
    (row,) = json.loads((await certrail("parked", "show", "e1", "--json")).stdout)
    assert (row["service"], row["queue"], row["vendor"], row["tries"]) == ("exams", QUEUE, "vue", "5")
    assert (row["error"], row["stack"]) == ("ValueError: no", "Traceback …")
    assert orjson.loads(row["body"])["data"] == DATA


async def test_a_replayed_message_returns_as_for_its_first_try_with_its_vendor(
    certrail: Run, exams: AbstractConnection
) -> None:
    await park(exams, "e1", "e2")
    assert (await certrail("parked", "replay", "e2")).stdout == "replayed 1\n"
    (message,) = await take_all(exams, QUEUE, 1)
    assert without_delivery_count(message) == {failures.KEY: f"vue.{RESULT}", failures.VENDOR: "vue"}
    assert (message.message_id, message.type, message.content_type) == ("e2", f"vue.{RESULT}", SINGLE)
    assert await listed(certrail) == ["e1"]


async def test_a_message_parked_by_the_broker_itself_is_replayed_as_its_vendors(
    certrail: Run, broker: BrokerUnderTest, exams: AbstractConnection
) -> None:
    async with await aio_pika.connect(broker.url("vue")) as vendor:
        sent = aio_pika.Message(b"{}", user_id="vue", message_id="m1", content_type=SINGLE)
        await publish(vendor, topology.VENDORS, f"vue.{RESULT}", sent)
    async with exams.channel() as channel:
        queue = await channel.get_queue(QUEUE, ensure=False)
        message = await queue.get(timeout=PATIENCE_SECONDS)  # confirmed, so it is there
        assert message is not None
        await message.reject(requeue=False)  # as the broker does past the delivery limit
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await listed(certrail, "--code", "delivery_limit") != ["m1"]:  # noqa: ASYNC110 the broker's own time
            await asyncio.sleep(0.05)
    await certrail("parked", "replay", "--service", "exams")
    (again,) = await take_all(exams, QUEUE, 1)
    assert without_delivery_count(again) == {failures.KEY: f"vue.{RESULT}", failures.VENDOR: "vue"}


async def test_a_replay_ends_though_what_it_gives_back_is_parked_again_at_once(
    certrail: Run, exams: AbstractConnection
) -> None:
    ids = [f"e{number:02}" for number in range(50)]
    await park(exams, *ids)
    async with exams.channel() as channel:
        queue = await channel.get_queue(QUEUE, ensure=False)
        exchange = await channel.get_exchange(topology.retry_exchange("exams"), ensure=False)

        async def fail(message: AbstractIncomingMessage) -> None:
            await exchange.publish(parked_message(str(message.message_id)), PARKED, timeout=PATIENCE_SECONDS)
            await message.ack()

        await queue.consume(fail)
        # The limit ends what would not end by itself.
        assert (await certrail("parked", "replay", "--all", "--limit", "200")).stdout == "replayed 50\n"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sorted(await listed(certrail)) != ids:  # noqa: ASYNC110 the last ones are on their way
                await asyncio.sleep(0.05)


async def test_only_messages_of_the_named_code_are_replayed(certrail: Run, exams: AbstractConnection) -> None:
    await park(exams, "e1", "e2", code="schema")
    await park(exams, "e3")
    await certrail("parked", "replay", "--code", "schema")
    assert [message.message_id for message in await take_all(exams, QUEUE, 2)] == ["e1", "e2"]
    assert await listed(certrail) == ["e3"]


async def test_drop_asks_first_and_drops_only_what_was_asked_about(certrail: Run, exams: AbstractConnection) -> None:
    await park(exams, "e1", "e2")
    refused = await certrail("parked", "drop", "--all", given="n\n")
    assert refused.exit_code == 1
    assert await listed(certrail) == ["e1", "e2"]
    assert (await certrail("parked", "drop", "e1", "--yes")).stdout == "dropped 1\n"
    assert await listed(certrail) == ["e2"]


async def test_an_id_that_is_not_parked_is_an_error(certrail: Run, exams: AbstractConnection) -> None:
    await park(exams, "e1")
    with pytest.raises(Exception, match="not parked: e9"):
        await certrail("parked", "drop", "e1", "e9", "--yes")
    assert await listed(certrail) == ["e1"]


async def test_events_tail_explodes_batches_and_hides_data(certrail: Run, broker: BrokerUnderTest) -> None:
    candidate = f"CSCO{new_id()}"  # the log keeps what earlier tests have published
    trace = "0af7651916cd43dd8448eb211c80319c"
    events = [
        {
            "id": new_id(),
            "type": f"certrail.certs.Certification{what}.v1",
            "subject": candidate,
            "time": "2026-11-22T10:00:00Z",
            "program": "cisco",
            "subjectversion": version,
            "traceparent": f"00-{trace}-b7ad6b7169203331-01",
            "data": {"candidate_id": candidate, "title": "secret"},
        }
        for version, what in enumerate(("Awarded", "Renewed", "Expired"), 1)
    ]
    async with await aio_pika.connect(broker.url("certs")) as certs:
        batch = aio_pika.Message(orjson.dumps(events[:2]), content_type=BATCH)
        single = aio_pika.Message(orjson.dumps(events[2]), content_type=SINGLE)
        await publish(certs, topology.EVENTS, "certs.CertificationAwarded.v1", batch, single)
    shown = await certrail("events", "tail", "--candidate", candidate)
    lines = shown.stdout.splitlines()
    assert [line.split()[1:] for line in lines] == [
        [f"certs.Certification{what}.v1", "cisco", candidate, f"v{version}", trace]
        for version, what in enumerate(("Awarded", "Renewed", "Expired"), 1)
    ]
    assert "secret" not in shown.stdout
    chosen = await certrail(
        *("events", "tail", "--from", "first", "--candidate", candidate, "--type", "*Renewed*", "--json", "--data")
    )
    (row,) = [json.loads(line) for line in chosen.stdout.splitlines()]
    assert row["id"] == events[1]["id"]
    assert row["data"]["title"] == "secret"


async def test_depths_count_messages_and_pass_over_missing_queues(
    broker: BrokerUnderTest, exams: AbstractConnection
) -> None:
    await park(exams, "e1", "e2")
    async with await aio_pika.connect(broker.url("operator")) as operator:
        found = await depths(operator, ("no.such.queue", PARKED))
    assert list(found) == [PARKED]
    assert (found[PARKED].ready, found[PARKED].consumers) == (2, 0)


async def test_status_shows_what_is_parked_although_nothing_runs_here(certrail: Run, exams: AbstractConnection) -> None:
    await park(exams, "e1")
    shown = await certrail("status", "--json")
    assert shown.exit_code == 1
    state = json.loads(shown.stdout)
    assert state["parked"]["exams"] == 1
    assert {queue["name"] for queue in state["queues"]} >= {QUEUE, "certs.events"}
    away = {process["name"]: process["ready"] for process in state["processes"]}
    assert {app: away[app] for app in APPS} == dict.fromkeys(APPS, "not running")
    assert not state["well"]


async def test_trace_finds_what_was_set_aside_of_a_chain_and_nothing_else(
    certrail: Run, exams: AbstractConnection
) -> None:
    for event_id in ("p1", "p2"):
        await publish(exams, topology.retry_exchange("exams"), PARKED, parked_message(event_id))
    found = await parked_of(Access.load(), ["m0", "p2"])
    assert [(one["service"], one["id"], one["code"], one["routing_key"]) for one in found] == [
        ("exams", "p2", "failed", f"vue.{RESULT}")
    ]
