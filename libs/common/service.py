"""Runs a service: connects it, starts the parts that its role asks for, and stops them in the right order.

A stop goes: not ready any more; no new messages; what is in hand committed and acknowledged; the relay empty; the
connections closed. What does not finish in time is safe all the same: unacknowledged messages come again and
unsent outbox rows are taken over.
"""

import argparse
import asyncio
import ctypes
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Final, TypeVar

import aiohttp
import structlog
import uvloop
from pymongo.errors import PyMongoError

from libs.common.audit.api import with_audit
from libs.common.audit.seals import Sealing
from libs.common.audit.trail import AuditTrail, prepare
from libs.common.bus.connection import wait_or_stop
from libs.common.bus.consumer import Consumer, Decode, Work
from libs.common.bus.failures import RetryLadder
from libs.common.bus.publisher import Publisher
from libs.common.bus.queue_watch import QueueWatch
from libs.common.bus.relay import OutboxSweep, Relay
from libs.common.clock import Clock, SystemClock
from libs.common.field_keys import FieldKeys
from libs.common.http.auth import TokenVerifier
from libs.common.http.health import Readiness, internal_app
from libs.common.http.jwks import KeySource, RemoteKeys
from libs.common.http.server import Api, build_app, serve
from libs.common.ids import new_id
from libs.common.logs import configure_logs
from libs.common.mongo.client import Client, Database, open_client, open_database
from libs.common.mongo.faults import is_outage
from libs.common.mongo.idempotency import MongoIdempotency
from libs.common.mongo.jobs import Job, Scheduler
from libs.common.mongo.migrations import Migration, migrate, migrate_and_end
from libs.common.mongo.outbox import Outbox
from libs.common.mongo.said_before import SaidBefore
from libs.common.mongo.unit_of_work import UnitOfWork
from libs.common.parked.api import with_parked
from libs.common.parked.desk import ParkedDesk
from libs.common.programs import Program, ProgramErrors
from libs.common.programs.live import LivePrograms
from libs.common.settings import ServiceSettings, load_settings
from libs.common.tracing import Tracing, open_tracing

log = structlog.get_logger(__name__)

_M_ARENA_MAX: Final = -8
"""`mallopt(3)`."""

S = TypeVar("S", bound=ServiceSettings)
Background = Callable[[asyncio.Event], Awaitable[None]]


class Role(StrEnum):
    """Which parts of a service a process runs. Every role answers health, readiness and metrics."""

    API = "api"
    WORKER = "worker"
    RELAY = "relay"
    SWEEP = "sweep"
    ALL = "all"

    def includes(self, role: "Role") -> bool:
        return self in (role, Role.ALL)


@dataclass(frozen=True)
class Platform:
    """What a service's parts are built on."""

    database: Database
    unit_of_work: UnitOfWork
    programs: Mapping[str, Program]
    clock: Clock
    owner: str
    """Names this process in leases."""
    said_before: SaidBefore | None = None
    """What was said before the database was restored; None where it was not, or all of it was said again."""
    tracing: Tracing = field(default_factory=Tracing)
    """For what a part does outside: a message taken, a request answered have their spans without it."""


@dataclass(frozen=True)
class Subscription:
    """A queue, how its messages are read, and what is done with them."""

    queue: str
    decode: Decode
    work: Work
    prefetch: int = 64
    """Messages in hand at most. Services' messages may hold a hundred events each, vendors' hold one."""
    gather_seconds: float = 0.0
    """From the arrival of a batch's first message to the batch: what arrives meanwhile shares it. It saves transactions
    at a moderate rate, where batches would hold one event each. What comes alone, or lies behind a backlog, is not held
    up."""


@dataclass(frozen=True)
class Parts:
    """What a service consists of."""

    api: Api
    subscriptions: Sequence[Subscription]
    jobs: Sequence[Job] = ()
    background: Sequence[Background] = ()
    """Loops of the worker; each finishes what it has in hand when its event is set, and returns."""
    keys: KeySource | None = None
    """Where access tokens are checked against; None fetches them from `jwks_url`."""


@dataclass(frozen=True)
class Service:
    """A service as its `app.py` declares it."""

    name: str
    migrations: Sequence[Migration]
    build: Callable[[Platform, Any], Parts]
    settings: type[ServiceSettings] = ServiceSettings


def main(service: Service) -> None:
    """The command line of a service: `python -m services.<name> [--role …]`."""
    parser = argparse.ArgumentParser(prog=f"services.{service.name}")
    parser.add_argument("--role", type=Role, choices=list(Role), default=Role.ALL, help="which parts to run")
    parser.add_argument("--migrate", action="store_true", help="migrate the database, then end")
    arguments = parser.parse_args()
    _share_memory_among_threads()
    role: Role = arguments.role
    settings = load_settings(service.settings)
    configure_logs(level=settings.log_level, service=service.name, role=role, human=settings.log_human)
    if arguments.migrate:
        uvloop.run(migrate_and_end(settings.database_address, service.name, service.migrations, prepare))
        return
    try:
        programs = LivePrograms(settings.programs_dir)
    except ProgramErrors as error:
        raise SystemExit(f"CERTRAIL_PROGRAMS_DIR: {error}") from None
    _calm_garbage_collection()
    uvloop.run(_until_signal(service, settings, role, programs))


def _share_memory_among_threads() -> None:
    """Let the database driver's threads allocate from one place; glibc keeps some megabytes apart for each else."""
    with suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def _calm_garbage_collection() -> None:
    """Keep what start-up has built out of every later collection, and collect after batches rather than within.

    A batch allocates tens of thousands of small objects that reference counting frees; walking all of them every
    seven hundred allocations is work without a find.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _until_signal(service: Service, settings: ServiceSettings, role: Role, programs: LivePrograms) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(programs.watch(stopping))
        try:
            await run(service, settings, role, programs, stopping=stopping, clock=SystemClock())
        finally:
            stopping.set()


async def run(
    service: Service,
    settings: ServiceSettings,
    role: Role,
    programs: Mapping[str, Program],
    *,
    stopping: asyncio.Event,
    clock: Clock,
) -> None:
    """Run a service in `role` until `stopping` is set, then stop it cleanly."""
    owner = f"{service.name}-{role}-{socket.gethostname()}-{os.getpid()}-{new_id()[-6:]}"
    client = open_client(settings.database_address, application=f"certrail-{service.name}-{role}")
    try:
        database = open_database(client)
        if not await make_ready(
            client, database, service.migrations, prepare, owner=owner, stopping=stopping, clock=clock
        ):
            return
        process = _Process(
            service,
            settings,
            role=role,
            programs=programs,
            client=client,
            database=database,
            owner=owner,
            clock=clock,
            said_before=await SaidBefore.waiting(database),
        )
        await process.run(stopping)
    finally:
        client.close()


async def make_ready(
    client: Client,
    database: Database,
    migrations: Sequence[Migration],
    *also: Callable[[Database], Awaitable[None]],
    owner: str,
    stopping: asyncio.Event,
    clock: Clock,
) -> bool:
    """Wait for the database, and bring it to the state that the code expects, through whatever outages there are.

    A process may begin in the middle of a fail-over: it waits then, as it would later. What is to be done `also` must
    be safe to repeat. Returns False where a stop came first.
    """
    while True:
        try:
            if await _reachable(client, stopping):
                await migrate(database, migrations, owner=owner, clock=clock)
                for step in also:
                    await step(database)
                return True
        except PyMongoError as error:
            if not is_outage(error):
                raise
            log.warning("database_unreachable", cause=type(error).__name__)
        if await wait_or_stop(stopping, 1.0):
            return False


async def _reachable(client: Client, stopping: asyncio.Event) -> bool:
    """Wait until the database answers. Returns False where a stop came first."""
    while True:
        try:
            await client.admin.command("ping")
        except PyMongoError as error:
            log.warning("database_unreachable", cause=type(error).__name__)
            if await wait_or_stop(stopping, 1.0):
                return False
        else:
            return True


class _Process:
    """One running process: the composition of what its role needs, and the order in which that stops."""

    def __init__(
        self,
        service: Service,
        settings: ServiceSettings,
        *,
        role: Role,
        programs: Mapping[str, Program],
        client: Client,
        database: Database,
        owner: str,
        clock: Clock,
        said_before: SaidBefore | None,
    ) -> None:
        self._service = service
        self._settings = settings
        self._role = role
        self._clock = clock
        self._owner = owner
        self._client = client
        self._database = database
        self._outbox = Outbox(database)
        self._tracing = open_tracing(service.name, settings.otlp_endpoint)
        url = settings.broker_address
        self._publisher = Publisher(url, name=owner)
        self._relay = Relay(self._publisher, self._outbox, owner=owner, clock=clock)
        self._unit_of_work = UnitOfWork(
            client,
            database,
            service=service.name,
            owner=owner,
            clock=clock,
            relay=self._relay,
            said_before=said_before,
        )
        platform = Platform(
            database, self._unit_of_work, programs, clock, owner, said_before=said_before, tracing=self._tracing
        )
        self._parts = service.build(platform, settings)
        self._trail = AuditTrail(database, service.name, programs, clock)
        self._queue_watch = QueueWatch(service.name, url, name=owner, clock=clock)
        self._consumers = self._build_consumers(url) if role.includes(Role.WORKER) else []
        self._readiness = Readiness()
        self._readiness.register("database", lambda: client.admin.command("ping"))
        self._readiness.register("broker", self._ping_broker)
        for consumer in self._consumers:
            self._readiness.register(consumer.queue, partial(_ping_consumer, consumer))

    def _build_consumers(self, url: str) -> list[Consumer]:
        return [
            Consumer(
                subscription.queue,
                url=url,
                name=self._owner,
                decode=subscription.decode,
                work=subscription.work,
                unit_of_work=self._unit_of_work,
                ladder=RetryLadder(self._service.name, subscription.queue, self._publisher, self._clock),
                tracing=self._tracing,
                batch_size=self._settings.batch_size,
                prefetch=subscription.prefetch,
                gather_seconds=subscription.gather_seconds,
            )
            for subscription in self._parts.subscriptions
        ]

    async def _ping_broker(self) -> None:
        if not self._publisher.connected:
            raise ConnectionError("not connected to the broker")

    async def run(self, stopping: asyncio.Event) -> None:
        quiet = asyncio.Event()  # set once nothing produces messages any more
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publisher.run(quiet))
            tasks.create_task(self._relay.run(quiet))
            inward = [tasks.create_task(loop) for loop in self._inward(stopping)]
            async with self._servers():
                log.info("started", port=self._settings.internal_port)
                await stopping.wait()
                log.info("stopping")
                self._readiness.leave()
                if inward:
                    await asyncio.wait(inward, timeout=self._settings.drain_seconds)
            if not await self._relay.flush(self._settings.drain_seconds / 4):
                log.warning("stopped_with_unsent_messages")
            quiet.set()
            for task in inward:
                task.cancel()
        await asyncio.to_thread(self._tracing.close)
        log.info("stopped")

    def _inward(self, stopping: asyncio.Event) -> list[Any]:
        """The loops that take work in; they end by themselves when `stopping` is set."""
        loops: list[Any] = [consumer.run(stopping) for consumer in self._consumers]
        if self._role.includes(Role.WORKER):
            loops += [background(stopping) for background in self._parts.background]
        if self._role.includes(Role.RELAY):
            sweep = OutboxSweep(self._publisher, self._outbox, owner=self._owner, clock=self._clock)
            loops.append(sweep.run(stopping))
            loops.append(self._queue_watch.run(stopping))
        if self._role.includes(Role.SWEEP):
            sealing = Sealing(self._trail, self._database, self._unit_of_work, self._service.name)
            jobs = (*self._parts.jobs, Job("audit-seals", Sealing.EVERY, sealing.run))
            scheduler = Scheduler(self._database, jobs, owner=self._owner, clock=self._clock)
            loops.append(scheduler.run(stopping))
        return loops

    @asynccontextmanager
    async def _servers(self) -> AsyncIterator[None]:
        settings = self._settings
        async with serve(internal_app(self._readiness), settings.host, settings.internal_port):
            if not self._role.includes(Role.API):
                yield
                return
            async with aiohttp.ClientSession() as session:
                keys = self._parts.keys or RemoteKeys(settings.jwks_url, session, self._clock)
                desk = ParkedDesk(self._service.name, settings.broker_address)
                app = build_app(
                    with_parked(with_audit(self._parts.api, self._trail), desk, self._trail.programs),
                    TokenVerifier(keys, settings.token_issuer, self._clock),
                    # By the key that never changes: answers are gone before they could be moved to another.
                    idempotency=MongoIdempotency(self._database, self._clock, keys=FieldKeys(settings.erasure_key)),
                    tracing=self._tracing,
                    outages=(PyMongoError,),
                    trail=self._trail,
                )
                async with serve(
                    app,
                    settings.host,
                    settings.api_port,
                    drain_seconds=settings.drain_seconds,
                    leave_seconds=settings.leave_seconds,
                ):
                    yield


async def _ping_consumer(consumer: Consumer) -> None:
    if not consumer.ready:
        raise ConnectionError(f"{consumer.queue} is not being read")
