"""A thousand grants signed in the worker, and what that costs whoever reads meanwhile.

The API and the worker run beside each other, as they do in production. Reads come at a steady rate, however slow the
answers are, and each one's time counts from the moment that it was due. Rounds alternate: a quiet stretch, then a
stretch in which the worker compares, writes and signs.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import aiohttp

from deploy.local.ports import free_ports, is_listening
from deploy.mongo.users import database_name
from libs.common.bus.outgoing import OutgoingEvents
from libs.common.clock import SystemClock
from libs.common.mongo.client import Client, open_client, open_database
from libs.common.mongo.inbox import Inbox
from libs.common.mongo.unit_of_work import Transaction
from services.certs.credentials.store import CredentialsDue
from tests.bench.pipeline import HttpRequest, Service
from tests.bench.processes import BenchError, CpuMeter, Running, poll, running
from tests.bench.product import PASSWORDS, CertsApi, candidate_id
from tests.bench.report import table
from tests.bench.runs import percentile
from tests.bench.servers import Bench

GRANTS_EACH = 3
CANDIDATES = 334
"""Of one round, with three grants each."""
NOTED_AT_ONCE = 50
READERS = 64
RATE = 100.0
QUIET_SECONDS = 10.0
SETTLE_SECONDS = 5.0
STALL_SECONDS = 120.0


@dataclass(frozen=True)
class SigningFigures:
    """One round."""

    grants: int
    seconds: float
    """From the first note to the last signature."""
    quiet_p95: float
    busy_p95: float
    """In milliseconds."""
    foreign: float


async def signing_table(bench: Bench, rounds: int) -> str:
    figures = await _measured(bench, rounds)
    ratios = [one.busy_p95 / one.quiet_p95 for one in figures]
    rates = [one.grants / one.seconds for one in figures]
    cells = [
        f"{figures[0].grants:,}",
        f"{median(rates):.0f}",
        f"{median(one.quiet_p95 for one in figures):.1f}",
        f"{median(one.busy_p95 for one in figures):.1f}",
        f"{median(ratios):.2f}",
        f"{min(ratios):.2f}-{max(ratios):.2f}",
        f"{max(one.foreign for one in figures):.0%}",
    ]
    heads = ("grants a round", "signed/s", "p95 quiet, ms", "p95 signing, ms", "ratio", "rounds", "others' CPU")
    return table(f"Grants signed in the worker beside {RATE:.0f} reads/s of the API", heads, [cells])


async def _measured(bench: Bench, rounds: int) -> list[SigningFigures]:
    environment, target = bench.environment, CertsApi()
    await target.set_up(environment, READERS + rounds * CANDIDATES)
    try:
        (port,) = free_ports(1)
        api = target.service(environment, port)
        worker = Service("worker", (*api.argv[:-1], "worker"), {**api.environment, "CERTRAIL_API_PORT": "0"})
        async with running([api, worker], environment.work) as processes:
            await poll(lambda: is_listening(port), seconds=30, what=api.name)
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
                readers = Readers(client, target.requests(environment))
                await readers.ask(SETTLE_SECONDS)
                return [await _round(bench, readers, processes, number) for number in range(rounds)]
    finally:
        await target.tear_down(environment)


async def _round(bench: Bench, readers: "Readers", processes: Sequence[Running], number: int) -> SigningFigures:
    url = bench.environment.mongo.url(database_name("certs"), "certs", PASSWORDS["certs"])
    client: Client = open_client(url, application="bench")
    pids = {"services": [each.process.pid for each in processes], **bench.server_pids()}
    try:
        meter = CpuMeter(pids)
        quiet = await readers.ask(QUIET_SECONDS)
        first = READERS + number * CANDIDATES
        signed = (number + 1) * CANDIDATES * GRANTS_EACH
        began = time.monotonic()
        await _note(client, [candidate_id(index) for index in range(first, first + CANDIDATES)])
        done = asyncio.create_task(_until_signed(client, signed))
        busy = await readers.ask(STALL_SECONDS, done.done)
        await done
        seconds = time.monotonic() - began
        spent = meter.stop()
    finally:
        client.close()
    return SigningFigures(
        CANDIDATES * GRANTS_EACH, seconds, percentile(quiet, 0.95), percentile(busy, 0.95), spent.foreign
    )


async def _note(client: Client, candidates: list[str]) -> None:
    """As a saved ledger does: so many candidates to a note."""
    database = open_database(client)
    due = CredentialsDue(database)
    async with await client.start_session() as session, session.start_transaction():
        transaction = Transaction(session, OutgoingEvents("certs"), Inbox(database), SystemClock().now())
        for at in range(0, len(candidates), NOTED_AT_ONCE):
            await due.note(transaction, candidates[at : at + NOTED_AT_ONCE])


async def _until_signed(client: Client, count: int) -> None:
    rows = open_database(client)["credentials"]
    async with asyncio.timeout(STALL_SECONDS):
        while (signed := await rows.count_documents({"signed": True})) < count:  # noqa: ASYNC110 others sign
            await asyncio.sleep(0.25)
    if signed != count:
        raise BenchError(f"{signed} credentials were signed, not {count}")


class Readers:
    """Asks at a steady rate."""

    def __init__(self, client: aiohttp.ClientSession, requests: Sequence[HttpRequest]) -> None:
        self._client = client
        self._requests = requests

    async def ask(self, seconds: float, over: Callable[[], bool] = lambda: False) -> list[float]:
        """Milliseconds of each answer, from when it was due. Raises `BenchError` for one that is not 200."""
        times: list[float] = []
        began, number = time.monotonic(), 0
        async with asyncio.TaskGroup() as asking:
            while not over() and (due := began + number / RATE) < began + seconds:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                asking.create_task(self._one(number, due, times))
                number += 1
        return times

    async def _one(self, number: int, due: float, times: list[float]) -> None:
        request = self._requests[number % len(self._requests)]
        async with self._client.get(request.path, headers=dict(request.headers)) as response:
            body = await response.read()
        times.append(1000 * (time.monotonic() - due))
        if response.status != 200:
            raise BenchError(f"{request.path} answered {response.status}: {body[:300]!r}")
