"""The policy engine alone: one evaluation, a dry run over a population, the daily sweep at two sizes."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

import psutil

from deploy.local.platform import PROGRAMS
from deploy.mongo.users import database_name
from libs.common.clock import FixedClock
from libs.common.mongo.client import Client, open_client, open_database
from libs.common.mongo.unit_of_work import UnitOfWork
from libs.common.programs import Program, load_definition, load_program
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import CreditFact, ExamFact, Fact
from services.certs.dryrun_store import DryRunStore
from services.certs.dryruns import DryRuns
from services.certs.expiry import ExpirySweep
from services.certs.ledger import stored_ledger
from services.certs.policies import Policies
from services.certs.store import CertsStore
from tests.bench.pipeline import Environment
from tests.bench.product import PASSWORDS, prepare
from tests.bench.reference import databases
from tests.bench.report import table

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCK = FixedClock(NOW)
INSERT = 5_000
START_SECONDS = 10.0
"""By then the processes of a dry run have started and loaded what they need."""
DUE = 1_000
"""Certifications whose day comes in the measurement of the sweep."""


@dataclass(frozen=True)
class PolicySizes:
    evaluations: int = 2_000
    population: int = 200_000
    sweeps: tuple[int, ...] = (100_000, 1_000_000)


QUICK_POLICY = PolicySizes(evaluations=300, population=5_000, sweeps=(2_000, 10_000))


class Nobody:
    """Takes what a transaction has to say; nobody listens in these measurements."""

    def hand_over(self, messages: Any) -> None:
        """Leave it in the outbox."""


def evaluation_table(count: int) -> str:
    """One candidate's evaluation, in microseconds, by how much is known about them."""
    cisco = load_program(PROGRAMS / "cisco.yaml")
    rows = []
    histories = {
        "1 pass": _exams(cisco, 1),
        "5 results": _exams(cisco, 5),
        "40 facts of twenty years": _career(),
        "40 results of 35 exams": _exams(cisco, 40),
    }
    for name, known in histories.items():
        times = sorted(_timed(partial(evaluate, cisco, known, NOW)) for _ in range(count))
        rows.append([name, f"{median(times):,.0f}", f"{times[int(len(times) * 0.99)]:,.0f}"])
    return table("One evaluation", ("history", "median us", "p99 us"), rows)


async def dry_run_table(environment: Environment, population: int) -> str:
    """A dry run over a population on all cores."""
    cisco = load_program(PROGRAMS / "cisco.yaml")
    new = _next(cisco)
    async with _certs(environment) as (client, unit_of_work):
        database = open_database(client)
        await _fill(client, cisco, population, lambda _number: date(2025, 3, 10))
        store = DryRunStore(database)
        versions = (cisco.version, new.version)
        await store.add("bench", program="cisco", versions=versions, definition=new.definition, by="bench", now=NOW)
        runs = DryRuns(store, {"cisco": cisco}, unit_of_work, CLOCK)
        memory = _Memory()
        began = time.monotonic()
        while (row := await store.run("cisco", "bench")) is not None and row["state"] == "running":
            watching = asyncio.create_task(memory.watch())
            await runs.run()
            watching.cancel()
        seconds = time.monotonic() - began
        runs.close()
    if row is None or row["done"] != population:
        raise AssertionError("the dry run has not seen everybody")
    cells = [f"{population:,}", f"{seconds:.1f}", f"{population / seconds:,.0f}", f"{row['affected']:,}"]
    heads = ("candidates", "seconds", "candidates/s", "affected", "MB after 10 s", "MB at most")
    return table("Dry run of a new policy", heads, [[*cells, f"{memory.early:.0f}", f"{memory.most:.0f}"]])


async def sweep_table(environment: Environment, sizes: tuple[int, ...]) -> str:
    """A day's sweep, with the same number due among more and more certifications."""
    cisco = load_program(PROGRAMS / "cisco.yaml")
    rows = []
    for size in sizes:
        async with _certs(environment) as (client, unit_of_work):
            # The last active day of the first ones was yesterday; no day of the others, nor of a reminder, is near.
            due = min(DUE, size // 10)
            await _fill(client, cisco, size, partial(_lapsing, due), quiet_from=due)
            store = CertsStore(open_database(client))
            policies = Policies(store, {"cisco": cisco}, CLOCK)
            sweep = ExpirySweep(store, policies, {"cisco": cisco}, unit_of_work)
            query = {"program": "cisco", "next_transition_on": {"$type": "string", "$lte": NOW.date().isoformat()}}
            plan = await open_database(client).command(
                "explain", {"find": "candidates", "filter": query}, verbosity="executionStats"
            )
            began = time.monotonic()
            await sweep.run()
            seconds = time.monotonic() - began
            examined = plan["executionStats"]["totalKeysExamined"]
            rows.append([f"{size:,}", f"{due:,}", f"{examined:,}", f"{seconds:.2f}", f"{1e6 * seconds / due:,.0f}"])
    heads = ("certifications", "due", "keys examined", "seconds", "us a due one")
    return table("The daily sweep", heads, rows)


def _career() -> list[Fact]:
    """Twenty years with one certification ladder: passed, failed and passed again, renewed by exams and by credits."""
    facts: list[Fact] = []
    exams = ("200-301", "350-401", "300-410", "350-401", "300-420", "350-701")
    for year in range(2007, 2027):
        known = datetime(year, 2, 1, tzinfo=UTC)
        code = exams[(year - 2007) // 3 % len(exams)]
        if year % 3 == 0:
            facts.append(ExamFact(f"failed {year}", 1, code, date(year, 1, 10), "fail", known))
            facts.append(ExamFact(f"passed {year}", 1, code, date(year, 1, 25), "pass", known))
        else:
            for month in (3, 9):
                claimed = date(year, month, 5)
                claim = f"claim {year}-{month}"
                facts.append(
                    CreditFact(claim, 20, claimed, "validated", known, claimed, claimed, f"course {year}-{month}")
                )
    return facts


def _exams(program: Program, count: int) -> list[Fact]:
    """Another exam every ten weeks, now and then a fail: the most that can be held at once."""
    codes = [code for code, exam in program.exams.items() if exam.first_day is None and exam.last_day is None]
    return [
        ExamFact(
            f"r{number}",
            1,
            codes[number % len(codes)],
            date(2019, 1, 7) + timedelta(weeks=10 * number),
            "fail" if number % 7 == 6 else "pass",
            datetime(2020, 1, 1, tzinfo=UTC),
        )
        for number in range(count)
    ]


def _lapsing(due: int, number: int) -> date:
    """Passed on a day whose certification lapsed yesterday, for the first ones; of the others, earlier."""
    return date(2023, 11, 21 if number < due else 1)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1e6 * (time.perf_counter() - began)


def _next(program: Program) -> Program:
    text = program.definition.replace(f"\nversion: {program.version}\n", f"\nversion: {program.version + 1}\n", 1)
    text = text.replace("validity: 3 years ", "validity: 4 years ", 1)
    return load_definition(text, name="cisco.yaml")


@asynccontextmanager
async def _certs(environment: Environment) -> AsyncIterator[tuple[Client, UnitOfWork]]:
    """An empty database of certs, with the rights that certs has."""
    name = database_name("certs")
    async with databases(environment) as admin:
        await admin.drop_database(name)
        await prepare(environment)
        client = open_client(environment.mongo.url(name, "certs", PASSWORDS["certs"]), application="bench")
        try:
            database = open_database(client)
            yield client, UnitOfWork(client, database, service="certs", owner="bench", clock=CLOCK, relay=Nobody())
        finally:
            client.close()
            await admin.drop_database(name)


async def _fill(
    client: Client, program: Program, count: int, day_of: Callable[[int], date], *, quiet_from: int | None = None
) -> None:
    """So many candidates with one certification each. From the number `quiet_from` on, nothing is due for years."""
    candidates = open_database(client)["candidates"]
    made: dict[date, dict[str, Any]] = {}
    for start in range(0, count, INSERT):
        rows = []
        for number in range(start, min(start + INSERT, count)):
            day = day_of(number)
            if day not in made:
                fact = ExamFact("cisco:vue:R1", 1, "200-301", day, "pass", NOW - timedelta(days=2))
                made[day] = stored_ledger("", program, [fact], NOW - timedelta(days=1))
            row = {**made[day], "_id": f"CSCO{number:08d}"}
            if quiet_from is not None and number >= quiet_from:
                row["next_transition_on"] = "2031-01-01"
            rows.append(row)
        await candidates.insert_many(rows, ordered=False)


class _Memory:
    """What this process and the ones it started hold together, in MB."""

    def __init__(self) -> None:
        self.early = 0.0
        self.most = 0.0
        self._began = time.monotonic()

    async def watch(self) -> None:
        own = psutil.Process(os.getpid())
        while True:
            held = sum(process.memory_info().rss for process in (own, *own.children(recursive=True)) if _ours(process))
            self.most = max(self.most, held / 1e6)
            if time.monotonic() - self._began < START_SECONDS:
                self.early = self.most
            await asyncio.sleep(0.2)


def _ours(process: psutil.Process) -> bool:
    """Not a server that the benchmark has started."""
    return process.name().startswith("python")
