"""The main job on platforms of growing size: what a registration, a result and a look cost, and how much is stored."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

import aiohttp
import psutil

from deploy.capacity.figures import Growth, Work
from deploy.local.ports import free_ports
from deploy.mongo.users import audit_database_name, database_name
from libs.common.events import SERVICES
from libs.common.http.scopes import CERTS_READ
from libs.common.mongo.client import Client
from services.identity.duplicates import store as duplicates
from tests.bench import population
from tests.bench.copies import SPAN, Collections, fill, read_all
from tests.bench.pipeline import Counts, Environment, Service
from tests.bench.processes import BenchError, CpuMeter, CpuSpent, Running, memory_mb, running
from tests.bench.product import ALL, Product, candidate_token, prepare, signing_key
from tests.bench.reference import databases
from tests.bench.report import table
from tests.bench.runs import Started, load_report, percentile, start_load, until_mails, until_ready
from tests.bench.servers import Bench

STALL_TURNS = 150
"""Seconds: the watch looks once a minute."""
ORIGINALS = 1_000
"""Candidates who went through it all, and are then copied."""
READS = 1_000
STALL_SECONDS = 150.0
"""Longer than a claim on a credential lasts that nobody goes on with."""


class Everybody(Product):
    """All five services, so that people register first."""

    name = "all services"
    hops = ALL

    def __init__(self) -> None:
        keys, self.api_port = free_ports(2)
        self._variables = {
            "identity": {"CERTRAIL_API_PORT": str(keys)},
            "certs": {
                "CERTRAIL_API_PORT": str(self.api_port),
                "CERTRAIL_JWKS_URL": f"http://127.0.0.1:{keys}/api/identity/v1/jwks.json",
            },
        }

    def services(self, environment: Environment) -> Sequence[Service]:
        return [
            Service(each.name, each.argv, {**each.environment, **self._variables.get(each.name, {})})
            for each in super().services(environment)
        ]


async def measure_growth(bench: Bench, sizes: Sequence[int], results: int) -> AsyncIterator[Growth]:
    """The same work, `results` registrations and as many results, on platforms of each size.

    Raises:
        BenchError: something stood still, or a record is missing or one too many.
    """
    originals = await _originals(bench)
    for size in sizes:
        print(f"  growth: {size:,} candidates", flush=True)
        yield await _measure(bench, originals, size, results)


async def _originals(bench: Bench) -> Collections:
    """What the first candidates leave behind in the databases."""
    pipeline = Everybody()
    environment = bench.environment
    await pipeline.tear_down(environment)
    await prepare(environment)
    async with running(pipeline.services(environment), environment.work) as services:
        await until_ready(bench, pipeline, services)
        await bench.sink.ask("reset")
        await main_job(bench, services, ORIGINALS)
        await until_recorded(pipeline, environment, ORIGINALS)
        await _until_looked_at(environment)
    async with databases(environment) as client:
        return await read_all(client)


async def _measure(bench: Bench, originals: Collections, size: int, results: int) -> Growth:
    pipeline = Everybody()
    environment = bench.environment
    await pipeline.tear_down(environment)
    await prepare(environment)
    copies = size // ORIGINALS
    async with databases(environment) as client:
        await fill(client, originals, range(1, copies + 1))
        await client[database_name("identity")]["counters"].update_one(
            # Of the digits that copies move on, the last is an ID's check digit and no part of its number.
            {"_id": population.PROGRAM},
            {"$set": {"last": (copies + 1) * SPAN // 10}},
            upsert=True,
        )
        data, indexes = await _stored(client)
    log_before = _log_size(environment)
    async with running(pipeline.services(environment), environment.work) as services:
        await until_ready(bench, pipeline, services)
        await bench.sink.ask("reset")
        first = (copies + 1) * SPAN
        registrations, recorded = await main_job(bench, services, results, first)
        await until_recorded(pipeline, environment, copies * ORIGINALS + results)
        reads, times = await _reads(bench, services, pipeline.api_port, originals, copies)
        for service in services:
            service.check()
        servers = {
            name: sum(psutil.Process(pid).memory_info().rss for pid in pids) / 1e6
            for name, pids in bench.server_pids().items()
        }
        memory = memory_mb(services) | servers
    await pipeline.tear_down(environment)
    return Growth(
        candidates=size,
        registrations=registrations,
        results=recorded,
        reads=reads,
        read_ms={"p50": percentile(times, 0.5), "p99": percentile(times, 0.99)},
        data_bytes=data,
        index_bytes=indexes,
        memory_mb=memory,
        broker_bytes=(_log_size(environment) - log_before) // results,
    )


def _log_size(environment: Environment) -> int:
    """Bytes that the broker's log takes on the disk.

    Its streams only: what else the broker writes belongs to queues, and it shrinks again once they are empty.
    """
    folders = (environment.work / "rabbitmq").rglob("stream/*/*")
    return sum(path.stat().st_blocks * 512 for path in folders if path.is_file())


async def main_job(bench: Bench, services: list[Running], count: int, first: int = 0) -> tuple[Work, Work]:
    """So many candidates, from the number `first` on, register and have a result: what either cost."""
    registrations = await _work(bench, services, "registration", count, mails=count, first=first)
    results = await _work(bench, services, "result", count, mails=3 * count, first=first)
    return registrations, results


async def _until_looked_at(environment: Environment) -> None:
    """Wait for what comes later and once for each candidate, which copies would all be due for at once.

    exams looks at a registration when its result is due, and identity compares accounts that are new with others.
    """
    async with databases(environment) as client:
        registrations = client[database_name("exams")]["registrations"]
        accounts = client[database_name("identity")]["candidates"]
        for _ in range(STALL_TURNS):
            waiting = await registrations.count_documents({"watch.next_at": {"$lte": datetime.now(UTC)}})
            if not waiting + await accounts.count_documents({duplicates.KEYS: None}):
                return
            await asyncio.sleep(1)
    raise BenchError("registrations or accounts are not looked at")


async def _until_signed(environment: Environment) -> None:
    """Credentials are signed after the award, at leisure."""
    async with databases(environment) as client:
        credentials = client[database_name("certs")]["credentials"]
        left, since = await credentials.count_documents({"signed": False}), time.monotonic()
        while left:
            await asyncio.sleep(0.2)
            now = await credentials.count_documents({"signed": False})
            if now < left:
                left, since = now, time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                raise BenchError(f"{left} credentials are not signed")


async def _work(bench: Bench, services: list[Running], kind: str, count: int, *, mails: int, first: int) -> Work:
    """Publish `count` of a kind and wait until the sink has `mails` in all; the cost of signing is in it."""
    door = Product().vendor_door(bench.environment)
    load, go, out = await start_load(bench, door, count, kind=kind, first=first)
    started = Started(services, load, go, out)
    try:
        meter = CpuMeter(
            {
                **{service.name: [service.process.pid] for service in services},
                "sink": [bench.sink.running.process.pid],
                **bench.server_pids(),
            }
        )
        go.touch()
        last = (await until_mails(bench, started, mails))["last"]
        report = await load_report(started)
        await _until_signed(bench.environment)
        spent = meter.stop(unseen=report["cpu_seconds"])
    finally:
        await load.stop()
    return _spent(spent, count, last - report["moments"][0])


def _spent(spent: CpuSpent, count: int, seconds: float) -> Work:
    cpu = {part: each * 1000 / count for part, each in spent.parts.items() if part != "sink"}
    return Work(count=count, seconds=seconds, cpu_ms=cpu, foreign=spent.foreign)


async def until_recorded(pipeline: Product, environment: Environment, everybody: int) -> None:
    """Wait for the last record, and see that there is not one too many."""
    wanted = Counts(everybody, everybody, everybody, 3 * everybody)
    for _ in range(150):
        seen = await pipeline.counts(environment)
        if seen == wanted:
            return
        await asyncio.sleep(0.2)
    raise BenchError(f"recorded {seen}, not {wanted}")


async def _reads(
    bench: Bench, services: list[Running], port: int, originals: Collections, copies: int
) -> tuple[Work, list[float]]:
    """One request at a time for the certifications of somebody else each time: the cost, and the ms that each took."""
    chooser = random.Random(7)
    numbers = [int(row["_id"][-8:]) for row in originals["identity", "candidates"]]
    key = signing_key(bench.environment)
    asked = []
    for _ in range(READS):
        candidate = f"CSCO{chooser.choice(numbers) + SPAN * chooser.randint(1, copies):08d}"
        path = f"/api/certs/v1/programs/{population.PROGRAM}/candidates/{candidate}/certifications"
        asked.append((path, {"Authorization": f"Bearer {candidate_token(key, candidate, CERTS_READ)}"}))
    times = []
    meter = CpuMeter({**{each.name: [each.process.pid] for each in services}, **bench.server_pids()})
    began = time.monotonic()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for path, headers in asked:
            sent = time.monotonic()
            async with session.get(path, headers=headers) as answer:
                body = await answer.json()
                if answer.status != HTTPStatus.OK or not body["certifications"]:
                    raise BenchError(f"{path} answered {answer.status} {body}")
            times.append((time.monotonic() - sent) * 1000)
    return _spent(meter.stop(), READS, time.monotonic() - began), times


async def _stored(client: Client) -> tuple[dict[str, int], dict[str, int]]:
    """Bytes of data and of indexes on the disk, by service."""
    await client.admin.command("fsync")
    data, indexes = {}, {}
    for service in SERVICES:
        sizes = [
            await client[name].command("dbStats") for name in (database_name(service), audit_database_name(service))
        ]
        data[service] = int(sum(each["storageSize"] for each in sizes))
        indexes[service] = int(sum(each["indexSize"] for each in sizes))
    return data, indexes


def growth_tables(measured: Sequence[Growth]) -> str:
    heads = ["candidates", "registrations/s", "CPU ms", "results/s", "CPU ms", "read p50 ms", "p99 ms", "mongod MB"]
    rows = [
        [
            f"{each.candidates:,}",
            f"{each.registrations.count / each.registrations.seconds:,.0f}",
            f"{sum(each.registrations.cpu_ms.values()):.2f}",
            f"{each.results.count / each.results.seconds:,.0f}",
            f"{sum(each.results.cpu_ms.values()):.2f}",
            f"{each.read_ms['p50']:.1f}",
            f"{each.read_ms['p99']:.1f}",
            f"{each.memory_mb['mongod']:,.0f}",
        ]
        for each in measured
    ]
    return "\n".join(
        [
            table("The main job on a platform of so many candidates", heads, rows),
            _costs(measured[-1]),
            _disk(measured),
        ]
    )


def _costs(growth: Growth) -> str:
    parts = list(growth.results.cpu_ms)
    rows = [
        [what, f"{sum(work.cpu_ms.values()):.2f}", *(f"{work.cpu_ms[part]:.3f}" for part in parts)]
        for what, work in (
            ("a registration", growth.registrations),
            ("a result", growth.results),
            ("a look at one's certifications", growth.reads),
        )
    ]
    return table(f"Where the CPU goes, ms, at {growth.candidates:,} candidates", ["", "total", *parts], rows)


def _disk(measured: Sequence[Growth]) -> str:
    def each_holds(growth: Growth, service: str) -> str:
        held = (growth.data_bytes[service], growth.index_bytes[service])
        return " + ".join(f"{size / growth.candidates / 1000:.1f}" for size in held)

    rows = [
        [
            f"{each.candidates:,}",
            f"{(sum(each.data_bytes.values()) + sum(each.index_bytes.values())) / 1e9:.2f}",
            *(each_holds(each, service) for service in SERVICES),
        ]
        for each in measured
    ]
    title = "On the disk: GB in all, and kB a candidate by service, data + indexes"
    return table(title, ["candidates", "GB", *SERVICES], rows)
