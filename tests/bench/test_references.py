"""The references do the whole job and are as durable as they say: otherwise their figures mean nothing."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.processes import StartError
from tests.bench.feed_runs import IMPORTS, FeedImport, measure_import
from tests.bench.http_runs import measure_http
from tests.bench.load import KINDS, Publisher, prepare
from tests.bench.pipeline import Counts, HttpTarget, Pipeline
from tests.bench.processes import Running, running
from tests.bench.reference import ReferencePipeline
from tests.bench.reference_batched import Batched, BatchedAiosmtplib
from tests.bench.reference_faststream import OnFastStream
from tests.bench.reference_http_aiohttp import BareAiohttp
from tests.bench.reference_http_fastapi import OnFastApi
from tests.bench.reference_naive import Naive
from tests.bench.runs import measure_latency, measure_throughput
from tests.bench.servers import Bench, bench_servers

RESULTS = 60
ALL = Counts(RESULTS, RESULTS, RESULTS, 2 * RESULTS)

MESSAGING = [Naive(), OnFastStream(), Batched()]
"""The references that differ in more than how they send mails."""
each_messaging = pytest.mark.parametrize("pipeline", MESSAGING, ids=lambda pipeline: pipeline.name)
long = pytest.mark.skipif("CERTRAIL_TEST_REFERENCES" not in os.environ, reason="CERTRAIL_TEST_REFERENCES=1")
each_reference = pytest.mark.parametrize(
    "pipeline", [*MESSAGING, BatchedAiosmtplib()], ids=lambda pipeline: pipeline.name
)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    work: Path = tmp_path_factory.mktemp("bench")
    try:
        async with bench_servers(work) as servers:
            yield servers
    except StartError as error:
        pytest.skip(f"the benchmark needs MongoDB and RabbitMQ as programs on this machine: {error}")


def publish(pipeline: Pipeline, bench: Bench, times: int) -> None:
    door = pipeline.vendor_door(bench.environment)
    publisher = Publisher(door.amqp_url)
    publisher.open()
    for packet in prepare(door.exchange, KINDS["result"], publisher.user, 0, RESULTS):
        for _ in range(times):
            publisher.publish(packet)
    publisher.finish()


async def until_recorded(pipeline: Pipeline, bench: Bench, services: list[Running]) -> Counts:
    async with asyncio.timeout(40):
        while (seen := await pipeline.counts(bench.environment)).mails < ALL.mails or seen.kits < ALL.kits:
            for service in services:
                service.check()
            await asyncio.sleep(0.1)
    return seen


async def until_some_mails(bench: Bench) -> None:
    async with asyncio.timeout(20):
        while True:
            if (await bench.sink.ask("count"))["distinct"]:
                return
            await asyncio.sleep(0.01)


@each_reference
async def test_reference_records_and_mails_every_result_once(bench: Bench, pipeline: Pipeline) -> None:
    measured = await measure_throughput(bench, pipeline, RESULTS)
    assert measured.doubled_mails == 0
    assert set(measured.memory_end) == {"exams", "certs", "fulfillment", "notify"}
    assert all(measured.cpu_ms[part] > 0 for part in ("services", "mongod", "beam"))


@long
@each_messaging
async def test_redelivered_results_have_no_second_effect(bench: Bench, pipeline: Pipeline) -> None:
    await pipeline.set_up(bench.environment, RESULTS)
    await bench.sink.ask("reset")
    async with running(pipeline.services(bench.environment), bench.environment.work) as services:
        await pipeline.wait_ready(bench.environment)
        await asyncio.to_thread(publish, pipeline, bench, 3)
        assert await until_recorded(pipeline, bench, services) == ALL
        counted = await bench.sink.ask("count")
    await pipeline.tear_down(bench.environment)
    assert (counted["total"], counted["distinct"]) == (ALL.mails, ALL.mails)


@long
@each_messaging
async def test_killed_services_lose_nothing(bench: Bench, pipeline: ReferencePipeline) -> None:
    """Killed in mid-flow and started again; a mail in hand at the kill may come twice, and never not at all."""
    await pipeline.set_up(bench.environment, RESULTS)
    await bench.sink.ask("reset")
    services = pipeline.services(bench.environment)
    async with running(services, bench.environment.work) as first:
        await pipeline.wait_ready(bench.environment)
        await asyncio.to_thread(publish, pipeline, bench, 1)
        await until_some_mails(bench)
        await asyncio.gather(*(service.process.kill() for service in first))
    async with running(services, bench.environment.work) as second:
        assert await until_recorded(pipeline, bench, second) == ALL
        counted = await bench.sink.ask("count")
    await pipeline.tear_down(bench.environment)
    assert counted["distinct"] == ALL.mails


async def test_latency_is_measured_for_every_result(bench: Bench) -> None:
    measured = await measure_latency(bench, Batched(), rate=100, seconds=0.5)
    assert len(measured.samples) == 50
    assert all(sample > 0 for sample in measured.samples)


@pytest.mark.parametrize("target", [BareAiohttp(), OnFastApi()], ids=lambda target: target.name)
async def test_http_reference_answers_every_request(bench: Bench, target: HttpTarget) -> None:
    measured = await measure_http(bench, target, seconds=1)
    assert measured.per_second > 0


@pytest.mark.parametrize("each", IMPORTS, ids=lambda each: each.name)
async def test_import_records_every_row_of_the_file(bench: Bench, each: FeedImport) -> None:
    measured = await measure_import(bench, each, 1_200)
    assert measured.rows == 1_200
    assert measured.per_second > 0
