"""One service's moving parts on real servers, joined as a running process joins them, each within a test's reach."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from pydantic import SecretStr

from libs.common.bus.consumer import Consumer, Decode, Work
from libs.common.bus.decoding import decode_events
from libs.common.bus.failures import RetryLadder
from libs.common.bus.messages import Outgoing
from libs.common.bus.publisher import Publisher
from libs.common.bus.relay import OutboxSweep, Relay
from libs.common.clock import Clock, FixedClock
from libs.common.events import BATCH
from libs.common.field_keys import FieldKeys
from libs.common.ids import new_id
from libs.common.mongo.client import Client, Database, open_client, open_database
from libs.common.mongo.idempotency import MongoIdempotency
from libs.common.mongo.migrations import COMMON, declare
from libs.common.mongo.outbox import Outbox
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.tracing import Tracing
from services.certs.app import SERVICE as CERTS
from services.exams.app import SERVICE as EXAMS
from services.fulfillment.app import SERVICE as FULFILLMENT
from services.identity.app import SERVICE as IDENTITY
from services.notify.app import SERVICE as NOTIFY
from tests.servers import BrokerUnderTest, MongoUnderTest
from tests.service.bus import PATIENCE_SECONDS, Bus

MIGRATIONS = {each.name: each.migrations for each in (CERTS, EXAMS, FULFILLMENT, IDENTITY, NOTIFY)}
ERASURE_KEY = SecretStr("e" * 32)
CERTS_KEYS_SECRET = SecretStr("k" * 32)
T = TypeVar("T")


class Kept:
    """A relay that publishes nothing: what is handed over lies in `messages`."""

    def __init__(self) -> None:
        self.messages: list[Outgoing] = []

    def hand_over(self, messages: Sequence[Outgoing]) -> None:
        self.messages += messages


@dataclass
class Base:
    """A service's database and unit of work, without a bus."""

    service: str
    client: Client
    database: Database
    clock: FixedClock
    owner: str
    outbox: Outbox
    relay: Kept | Relay
    unit_of_work: UnitOfWork

    async def handle(self, work: Callable[[Transaction, Any], Awaitable[T]], *items: Any) -> T:
        """Give items to a handler as one batch."""
        return await self.unit_of_work.run(lambda transaction: work(transaction, items))

    async def rows(self, collection: str, **query: Any) -> list[dict[str, Any]]:
        return await self.database[collection].find(query).sort("_id").to_list(None)


@dataclass
class Rig(Base):
    """A service on the bus: publisher, relay and as many consumers as the test asks for."""

    publisher: Publisher
    amqp_url: str
    bus: Bus

    @asynccontextmanager
    async def consuming(
        self,
        queue: str,
        work: Work,
        *,
        decode: Decode = decode_events,
        batch_size: int = 200,
        prefetch: int = 1_000,
        gather_seconds: float = 0.0,
    ) -> AsyncIterator[Consumer]:
        """Consume until the block ends; then finish what is in hand."""
        consumer = Consumer(
            queue,
            url=self.amqp_url,
            name=self.owner,
            decode=decode,
            work=work,
            unit_of_work=self.unit_of_work,
            ladder=RetryLadder(self.service, queue, self.publisher, self.clock),
            tracing=Tracing(),
            batch_size=batch_size,
            prefetch=prefetch,
            gather_seconds=gather_seconds,
        )
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(consumer.run(stopping))
            await until(lambda: consumer.ready)
            try:
                yield consumer
            finally:
                stopping.set()

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[Relay]:
        """Publish what is committed until the block ends, without a last flush."""
        assert isinstance(self.relay, Relay)
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.relay.run(stopping))
            try:
                yield self.relay
            finally:
                stopping.set()

    def sweep(self) -> OutboxSweep:
        return OutboxSweep(self.publisher, self.outbox, owner=self.owner, clock=self.clock)


@asynccontextmanager
async def open_base(service: str, mongo_url: str, clock: FixedClock) -> AsyncIterator[Base]:
    """A service's database with its collections, and nobody who publishes."""
    client = open_client(mongo_url, application="test")
    try:
        database = open_database(client)
        await _prepare(service, database)
        owner, outbox, kept = f"{service}-{new_id()}", Outbox(database), Kept()
        unit_of_work = UnitOfWork(client, database, service=service, owner=owner, clock=clock, relay=kept)
        yield Base(service, client, database, clock, owner, outbox, kept, unit_of_work)
    finally:
        client.close()


@asynccontextmanager
async def open_rig(service: str, bus: Bus, *, mongo_url: str, amqp_url: str, clock: FixedClock) -> AsyncIterator[Rig]:
    """A service's database and its connection for publishing; the relay runs only where `relaying` says so."""
    client = open_client(mongo_url, application="test")
    owner = f"{service}-{new_id()}"
    publisher = Publisher(amqp_url, name=owner)
    quiet = asyncio.Event()
    try:
        database = open_database(client)
        await _prepare(service, database)
        outbox = Outbox(database)
        relay = Relay(publisher, outbox, owner=owner, clock=clock)
        unit_of_work = UnitOfWork(client, database, service=service, owner=owner, clock=clock, relay=relay)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(publisher.run(quiet))
            await until(lambda: publisher.connected)
            try:
                yield Rig(
                    service, client, database, clock, owner, outbox, relay, unit_of_work, publisher, amqp_url, bus
                )
            finally:
                quiet.set()
    finally:
        client.close()


def said(base: Base) -> list[dict[str, Any]]:
    """Every event that was handed to the relay."""
    assert isinstance(base.relay, Kept)
    events: list[dict[str, Any]] = []
    for message in base.relay.messages:
        body = orjson.loads(message.body)
        events += body if message.content_type == BATCH else [body]
    return events


async def _prepare(service: str, database: Database) -> None:
    steps = MIGRATIONS.get(service)
    for step in steps or ():
        await step.apply(database)
    if steps is None:
        await declare(COMMON)(database)


async def until(condition: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something that is bound to come true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 another process sets no event of ours
            await asyncio.sleep(0.005)


def kept_answers(database: Database, clock: Clock) -> MongoIdempotency:
    """The answers to requests with an idempotency key, as a service keeps them."""
    return MongoIdempotency(database, clock, keys=FieldKeys(ERASURE_KEY))


async def eventually(look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> T:
    """Look again and again until what is seen is what is wanted, and return it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not wanted(seen := await look()):  # noqa: ASYNC110 another process sets no event of ours
            await asyncio.sleep(0.01)
    return seen


class Rigs:
    """Opens rigs on the servers under test."""

    def __init__(self, mongo: MongoUnderTest, broker: BrokerUnderTest, bus: Bus, clock: FixedClock) -> None:
        self.mongo, self.broker, self.bus, self.clock = mongo, broker, bus, clock

    @asynccontextmanager
    async def __call__(
        self, service: str, *, mongo_url: str | None = None, amqp_url: str | None = None
    ) -> AsyncIterator[Rig]:
        async with open_rig(
            service,
            self.bus,
            mongo_url=mongo_url or self.mongo.url(service),
            amqp_url=amqp_url or self.broker.url(service),
            clock=self.clock,
        ) as rig:
            yield rig
