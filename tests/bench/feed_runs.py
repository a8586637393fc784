"""The import of a vendor's file: rows a second into recorded results with their outbox, beside a plain import."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, ClassVar, Protocol

import aio_pika

from deploy.local.platform import VENDORS
from deploy.mongo.users import database_name
from libs.common.clock import SystemClock
from libs.common.mongo.links import own_link
from services.exams.feeds.archive import Archive, Arrival
from tests.bench.feed_case import candidates, write_file
from tests.bench.pipeline import Environment, Service
from tests.bench.population import PROGRAM, VENDOR
from tests.bench.processes import BenchError, CpuMeter, memory_mb, running
from tests.bench.product import Product, prepare, service_environment
from tests.bench.reference import EVENTS_EXCHANGE, databases
from tests.bench.reference_feed import DATABASE
from tests.bench.report import DISTURBED, table
from tests.bench.servers import Bench

STALL_SECONDS = 60.0
HEADS = ("import", "rows", "rows/s", "rounds", "client CPU ms", "mongod CPU ms", "MB half", "MB end", "others' CPU")


@dataclass(frozen=True)
class Seen:
    """How far an import has come."""

    rows: int
    seconds: float | None
    """From its beginning to the record of the last row; None while it goes on."""
    unsent: int


@dataclass(frozen=True)
class FeedFigures:
    """CPU is in ms a row, memory in MB."""

    rows: int
    seconds: float
    client_ms: float
    mongod_ms: float
    memory_half: float
    memory_end: float
    foreign: float

    @property
    def per_second(self) -> float:
        return self.rows / self.seconds


class FeedImport(Protocol):
    """An import as one process."""

    name: ClassVar[str]

    async def set_up(self, environment: Environment, file: Path) -> None:
        """An empty state in which the file's candidates are known."""

    def service(self, environment: Environment, file: Path) -> Service: ...

    async def look(self, environment: Environment) -> Seen: ...

    async def tear_down(self, environment: Environment) -> None: ...


class ProductImport:
    """The exams service with all its roles; the file lies in its archive when it starts."""

    name = "certrail import"

    async def set_up(self, environment: Environment, file: Path) -> None:
        await Product().tear_down(environment)
        await prepare(environment)
        async with databases(environment) as client:
            database = client[database_name("exams")]
            await database["links"].insert_many(
                {"_id": own_link(PROGRAM, each), "candidate_id": each, "waiting": 0} for each in candidates()
            )
            archive = Archive(database, SystemClock(), most_bytes=2**31)
            await archive.keep(Arrival(VENDOR, file.name, "upload"), _blocks(file))

    def service(self, environment: Environment, _file: Path) -> Service:
        variables = service_environment(environment, "exams") | {"CERTRAIL_VENDORS_DIR": str(VENDORS)}
        return Service("exams", (sys.executable, "-m", "services.exams", "--role", "all"), variables)

    async def look(self, environment: Environment) -> Seen:
        async with databases(environment) as client:
            database = client[database_name("exams")]
            row = await database["feed_files"].find_one({})
            unsent = await database["outbox"].count_documents({})
        if row is None or row["refusal"] is not None:
            raise BenchError(f"the file was refused: {row and row['refusal']}")
        seconds = (row["finished_at"] - row["started_at"]).total_seconds() if row["state"] == "done" else None
        return Seen(row["counts"].get("results", 0), seconds, unsent)

    async def tear_down(self, environment: Environment) -> None:
        await Product().tear_down(environment)


class PlainImport:
    """The reference."""

    name = "plain import"

    async def set_up(self, environment: Environment, _file: Path) -> None:
        await self.tear_down(environment)
        async with databases(environment) as client:
            for name in ("results", "outbox", "progress"):
                await client[DATABASE].create_collection(name)
            await client[DATABASE]["candidates"].insert_many({"_id": each} for each in candidates())
            # What a candidate's history and a late link need to be found by.
            await client[DATABASE]["results"].create_index([("candidate_id", 1), ("taken_at", -1)])
            await client[DATABASE]["results"].create_index("registration_id")

    def service(self, environment: Environment, file: Path) -> Service:
        variables = {"CERTRAIL_MONGO_URL": environment.mongo.admin_url, "CERTRAIL_AMQP_URL": _amqp(environment)}
        return Service("plain import", (sys.executable, "-m", "tests.bench.reference_feed", str(file)), variables)

    async def look(self, environment: Environment) -> Seen:
        async with databases(environment) as client:
            database = client[DATABASE]
            progress: dict[str, Any] = await database["progress"].find_one({}) or {}
            unsent = await database["outbox"].count_documents({})
        ended = progress.get("finished_at")
        seconds = (ended - progress["started_at"]).total_seconds() if ended else None
        return Seen(progress.get("done", 0), seconds, unsent)

    async def tear_down(self, environment: Environment) -> None:
        async with (
            await aio_pika.connect(_amqp(environment)) as connection,
            connection.channel() as channel,
            databases(environment) as client,
        ):
            await channel.exchange_delete(EVENTS_EXCHANGE)
            await client.drop_database(DATABASE)


IMPORTS: tuple[FeedImport, ...] = (ProductImport(), PlainImport())


async def measure_import(bench: Bench, each: FeedImport, rows: int) -> FeedFigures:
    """One import of so many rows by one process. Raises `BenchError` where it stands still or records too few."""
    environment = bench.environment
    file = environment.work / f"results-{rows}.zip"
    if not file.exists():
        write_file(file, rows)
    async with _prepared(each, environment, file):
        meter = CpuMeter(bench.server_pids())
        async with running([each.service(environment, file)], environment.work) as services:
            process = CpuMeter({"client": [services[0].process.pid]})
            half = end = client = 0.0  # and so they stay where an import ends before it is first looked at
            seen, since = await each.look(environment), time.monotonic()
            while seen.seconds is None:
                before = seen.rows
                await asyncio.sleep(0.25)
                if services[0].process.alive and seen.rows:
                    memory = sum(memory_mb(services).values())
                    half = memory if not half and seen.rows * 2 >= rows else half
                    client, end = process.stop().parts["client"], memory
                seen = await each.look(environment)
                since = time.monotonic() if seen.rows > before else since
                if time.monotonic() - since > STALL_SECONDS:
                    raise BenchError(f"{seen.rows} of {rows} rows were recorded, and none for {STALL_SECONDS:.0f} s")
            spent = meter.stop(unseen=client)
            await _until_sent(each, environment)
    if seen.rows != rows:
        raise BenchError(f"{seen.rows} rows were recorded, not {rows}")
    return FeedFigures(
        rows=rows,
        seconds=seen.seconds,
        client_ms=1000 * client / rows,
        mongod_ms=1000 * spent.parts["mongod"] / rows,
        memory_half=half,
        memory_end=end,
        foreign=spent.foreign,
    )


def import_table(measured: dict[str, list[FeedFigures]]) -> str:
    rows = []
    for name, runs in measured.items():
        rates = [run.per_second for run in runs]
        worst = max(run.foreign for run in runs)
        rows.append(
            [
                name,
                f"{runs[0].rows:,}",
                f"{median(rates):,.0f}",
                f"{min(rates):,.0f}-{max(rates):,.0f}" if len(rates) > 1 else "one round",
                f"{median(run.client_ms for run in runs):.3f}",
                f"{median(run.mongod_ms for run in runs):.3f}",
                f"{median(run.memory_half for run in runs):.0f}",
                f"{median(run.memory_end for run in runs):.0f}",
                f"{worst:.0%}{' !' if worst >= DISTURBED else ''}",
            ]
        )
    return table("A vendor's file into recorded results with their outbox, one process", HEADS, rows)


@asynccontextmanager
async def _prepared(each: FeedImport, environment: Environment, file: Path) -> AsyncIterator[None]:
    await each.set_up(environment, file)
    try:
        yield
    finally:
        await each.tear_down(environment)


async def _until_sent(each: FeedImport, environment: Environment) -> None:
    async with asyncio.timeout(STALL_SECONDS):
        while (await each.look(environment)).unsent:  # noqa: ASYNC110 another process sends them
            await asyncio.sleep(0.1)


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while block := await asyncio.to_thread(file.read, 1_048_576):
            yield block


def _amqp(environment: Environment) -> str:
    broker = environment.broker
    return broker.amqp_url(broker.admin_user, broker.admin_password)
