"""A page of a long history at the service: one request at a time, beside a plain server that sorts by an index."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import ClassVar

import aiohttp
from pymongo import DESCENDING

from deploy.local.ports import free_ports, is_listening
from deploy.mongo.users import database_name
from libs.common.clock import SystemClock
from libs.common.http.scopes import EXAMS_READ
from libs.common.mongo.client import Client, open_client, open_database
from libs.common.mongo.unit_of_work import UnitOfWork
from services.exams.store import ExamsStore
from tests.bench import population
from tests.bench.history_case import ATTEMPTS, copied, take_in
from tests.bench.http_case import DATABASE, HttpReference
from tests.bench.pipeline import Environment, HttpRequest, HttpTarget, Service
from tests.bench.policy_runs import Nobody
from tests.bench.processes import BenchError, CpuMeter, CpuSpent, poll, running
from tests.bench.product import PASSWORDS, CandidateApi, candidate_id, prepare
from tests.bench.reference import databases
from tests.bench.report import table
from tests.bench.servers import Bench

PEOPLE = 64
WARM_UP = 100


class ExamsHistory(CandidateApi):
    """The exams service, asked for a history."""

    name = "certrail"
    service_name = "exams"
    scopes = EXAMS_READ

    def __init__(self, query: str) -> None:
        super().__init__()
        self._query = query

    async def fill(self, environment: Environment, candidates: int) -> None:
        await fill_histories(environment, [candidate_id(index) for index in range(candidates)])

    def path(self, candidate: str) -> str:
        return f"/programs/{population.PROGRAM}/candidates/{candidate}/{self._query}"


class PlainHistory(HttpReference):
    """A bare aiohttp handler: a cached token check, `find().sort().limit()` along an index, a pydantic dump."""

    name = "aiohttp bare"
    module: ClassVar[str] = "tests.bench.reference_http_history"
    shown: ClassVar[tuple[str, ...]] = (
        *("_id", "vendor", "result_id", "registration_id", "exam_code", "taken_at", "taken_on", "state", "grade"),
        *("score", "passing_score", "scale_min", "scale_max", "sections", "score_report_url", "receipt_url", "site"),
    )

    async def set_up(self, environment: Environment, candidates: int) -> None:
        await self.tear_down(environment)
        await prepare(environment)
        people = [f"candidate-{index:08d}" for index in range(candidates)]
        await fill_histories(environment, people)
        async with databases(environment) as client:
            target = client[DATABASE]["attempts"]
            async for row in client[database_name("exams")]["results"].find():
                words = [
                    {name: word[name] for name in ("revision", "grade", "score", "known_at")}
                    for word in row["revisions"]
                ]
                await target.insert_one(
                    {name: row[name] for name in (*self.shown, "candidate_id")} | {"revisions": words}
                )
            await target.create_index([("candidate_id", DESCENDING), ("taken_at", DESCENDING)])

    def requests(self, environment: Environment) -> Sequence[HttpRequest]:
        return [HttpRequest("/history", request.headers) for request in super().requests(environment)]


async def fill_histories(environment: Environment, people: Sequence[str]) -> None:
    """Store one person's history as the service does, and copy it to all others."""
    first, *others = people
    url = environment.mongo.url(database_name("exams"), "exams", PASSWORDS["exams"])
    client: Client = open_client(url, application="bench")
    try:
        database = open_database(client)
        work = UnitOfWork(client, database, service="exams", owner="bench", clock=SystemClock(), relay=Nobody())
        link = f"{population.PROGRAM}:{population.VENDOR}:V"
        await database["links"].insert_one({"_id": link, "candidate_id": first, "waiting": 0})
        store = ExamsStore(database)
        await work.run(lambda transaction: take_in(transaction, store))
        for name in ("results", "registrations"):
            rows = await database[name].find().to_list(None)
            if len(rows) != ATTEMPTS:
                raise BenchError(f"{len(rows)} {name} were stored, not {ATTEMPTS}")
            for person in others:
                await database[name].insert_many(copied(rows, person), ordered=False)
    finally:
        client.close()


def targets() -> Sequence[tuple[HttpTarget, str]]:
    """Who is asked, and for what."""
    return (
        (ExamsHistory("history"), "latest 50"),
        (ExamsHistory("history?sort=score&order=asc&limit=200&totals=true"), "200 by score, totals"),
        (ExamsHistory("history.csv"), "all as CSV"),
        (PlainHistory(), "latest 50"),
    )


async def history_table(bench: Bench, requests: int) -> str:
    """Milliseconds of one request after the other."""
    rows = []
    for target, what in targets():
        seen = await _measured(bench, target, requests)
        cells = [f"{median(seen.times):.1f}", f"{seen.times[int(len(seen.times) * 0.99)]:.1f}"]
        cells += [f"{1000 * seen.spent.parts[part] / requests:.1f}" for part in ("server", "mongod")]
        rows.append([target.name, what, *cells, f"{seen.size / 1000:.0f}", f"{seen.spent.foreign:.0%}"])
    title = f"A page of a history of {ATTEMPTS} attempts (one process, one request at a time)"
    heads = ("server", "page", "median ms", "p99 ms", "server CPU ms", "mongod CPU ms", "kB", "others' CPU")
    return table(title, heads, rows)


@dataclass(frozen=True)
class _Seen:
    """Sorted times in milliseconds, the bytes of the last answer, and the CPU it took."""

    times: list[float]
    size: int
    spent: CpuSpent


async def _measured(bench: Bench, target: HttpTarget, requests: int) -> _Seen:
    environment = bench.environment
    await target.set_up(environment, PEOPLE)
    try:
        (port,) = free_ports(1)
        service: Service = target.service(environment, port)
        async with running([service], environment.work) as (server,):
            await poll(lambda: is_listening(port), seconds=30, what=server.name)
            asked = target.requests(environment)
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
                await _ask(client, asked, WARM_UP)
                meter = CpuMeter({"server": [server.process.pid], **bench.server_pids()})
                times, size = await _ask(client, asked, requests)
                return _Seen(times, size, meter.stop())
    finally:
        await target.tear_down(environment)


async def _ask(client: aiohttp.ClientSession, asked: Sequence[HttpRequest], count: int) -> tuple[list[float], int]:
    """Sorted times in milliseconds, and the bytes of the last answer. Raises `BenchError` for one that is not 200."""
    times: list[float] = []
    body = b""
    for number in range(count):
        request = asked[number % len(asked)]
        began = time.perf_counter()
        async with client.get(request.path, headers=dict(request.headers)) as response:
            body = await response.read()
        times.append(1000 * (time.perf_counter() - began))
        if response.status != 200:
            raise BenchError(f"{request.path} answered {response.status}: {body[:300]!r}")
    return sorted(times), len(body)
