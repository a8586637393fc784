"""What the reference pipelines share: their queues and databases, and how a service process of theirs begins.

All are equally durable: quorum queues, persistent messages, confirms with `mandatory`, writes acknowledged by a
majority and journaled, acknowledgement after commit, an inbox against redeliveries, an outbox against lost events, and
a mail claimed before it is sent and marked afterwards. Failure is handled as simply as can be: a transaction is tried
again by the driver's own rule; a process that meets any other error ends, and a restart goes on from the
unacknowledged deliveries and the stored outbox.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, TypeAlias

import aio_pika
import uvloop
from aio_pika.abc import AbstractChannel
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from tests.bench import case, population
from tests.bench.pipeline import Counts, Environment, Pipeline, Service, VendorDoor

Database: TypeAlias = "AsyncIOMotorDatabase[dict[str, Any]]"

VENDORS_EXCHANGE = "bench.vendors"
EVENTS_EXCHANGE = "bench.events"

BINDINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "exams": ((VENDORS_EXCHANGE, "*.ExamResultReported.v1"),),
    "certs": ((EVENTS_EXCHANGE, case.PASSED),),
    "fulfillment": ((EVENTS_EXCHANGE, case.AWARDED),),
    "notify": (
        (EVENTS_EXCHANGE, case.PASSED),
        (EVENTS_EXCHANGE, case.AWARDED),
        (EVENTS_EXCHANGE, case.OFFERED),
    ),
}
"""Which events reach which service; each hears of them through one queue."""

COLLECTIONS = {
    "exams": ("candidates", "results", "inbox", "outbox"),
    "certs": ("facts", "certifications", "inbox", "outbox"),
    "fulfillment": ("kits", "inbox", "outbox"),
    "notify": ("contacts", "mails"),
}
MAILED = (case.PASSED, case.AWARDED)
"""The events that `notify` writes about; it hears of offers as well, and has nothing to say of them."""


def queue_name(service: str) -> str:
    return f"bench.{service}"


def database_name(service: str) -> str:
    return f"bench_{service}"


class ReferenceSettings(BaseSettings):
    """The environment of a reference's service process."""

    model_config = SettingsConfigDict(env_prefix="CERTRAIL_", frozen=True)

    mongo_url: str
    amqp_url: str
    smtp_host: str
    smtp_port: int = Field(ge=1, le=65_535)


def open_client(url: str) -> "AsyncIOMotorClient[dict[str, Any]]":
    return AsyncIOMotorClient(url, w="majority", journal=True, tz_aware=True)


def run_service(services: dict[str, Callable[[ReferenceSettings], Coroutine[Any, Any, None]]]) -> None:
    """Run the service that the command line names until SIGTERM."""
    service = services[" ".join(sys.argv[1:])]
    settings = ReferenceSettings()

    async def until_stopped() -> None:
        task = asyncio.create_task(service(settings))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise

    uvloop.run(until_stopped())


class ReferencePipeline(Pipeline):
    """A pipeline of four processes of one module, `python -m MODULE exams|certs|fulfillment|notify`."""

    module: ClassVar[str]
    notifier: ClassVar[tuple[str, ...]] = ("notify",)
    """The arguments of the process that sends the mails; a variant has others."""

    async def set_up(self, environment: Environment, results: int) -> None:
        await self.tear_down(environment)
        async with _channel(environment) as channel:
            await _declare_topology(channel)
        async with databases(environment) as client:
            for service, names in COLLECTIONS.items():
                for name in names:
                    await client[database_name(service)].create_collection(name)
            await client[database_name("exams")]["candidates"].insert_many(
                {"_id": population.vendor_candidate_id(index), "candidate_id": _candidate_id(index)}
                for index in range(results)
            )
            await client[database_name("notify")]["contacts"].insert_many(
                {"_id": _candidate_id(index), "name": f"Candidate {index}", "email": population.email(index)}
                for index in range(results)
            )

    def services(self, environment: Environment) -> Sequence[Service]:
        variables = {
            "CERTRAIL_MONGO_URL": environment.mongo.admin_url,
            "CERTRAIL_AMQP_URL": _amqp_url(environment),
            "CERTRAIL_SMTP_HOST": environment.smtp_host,
            "CERTRAIL_SMTP_PORT": str(environment.smtp_port),
        }
        arguments = {name: (name,) for name in BINDINGS} | {"notify": self.notifier}
        return [Service(name, (sys.executable, "-m", self.module, *arguments[name]), variables) for name in BINDINGS]

    async def wait_ready(self, environment: Environment) -> None:
        async with _channel(environment) as channel:
            for service in BINDINGS:
                await _until_consumed(channel, service)

    def vendor_door(self, environment: Environment) -> VendorDoor:
        return VendorDoor(_amqp_url(environment), VENDORS_EXCHANGE)

    async def counts(self, environment: Environment) -> Counts:
        async with databases(environment) as client:
            return Counts(
                results=await client["bench_exams"]["results"].count_documents({}),
                certifications=await client["bench_certs"]["certifications"].count_documents({}),
                kits=await client["bench_fulfillment"]["kits"].count_documents({}),
                mails=await client["bench_notify"]["mails"].count_documents({"state": "sent"}),
            )

    async def tear_down(self, environment: Environment) -> None:
        async with _channel(environment) as channel:
            for service in BINDINGS:
                await channel.queue_delete(queue_name(service))
            for exchange in (VENDORS_EXCHANGE, EVENTS_EXCHANGE):
                await channel.exchange_delete(exchange)
        async with databases(environment) as client:
            for service in COLLECTIONS:
                await client.drop_database(database_name(service))


def _candidate_id(index: int) -> str:
    return f"candidate-{index:08d}"


def _amqp_url(environment: Environment) -> str:
    broker = environment.broker
    return broker.amqp_url(broker.admin_user, broker.admin_password)


@asynccontextmanager
async def databases(environment: Environment) -> AsyncIterator["AsyncIOMotorClient[dict[str, Any]]"]:
    client = open_client(environment.mongo.admin_url)
    try:
        yield client
    finally:
        client.close()


@asynccontextmanager
async def _channel(environment: Environment) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(_amqp_url(environment)) as connection, connection.channel() as channel:
        yield channel


async def _declare_topology(channel: AbstractChannel) -> None:
    exchanges = {
        name: await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)
        for name in (VENDORS_EXCHANGE, EVENTS_EXCHANGE)
    }
    for service, bindings in BINDINGS.items():
        queue = await channel.declare_queue(queue_name(service), durable=True, arguments={"x-queue-type": "quorum"})
        for exchange, routing_key in bindings:
            await queue.bind(exchanges[exchange], routing_key)


async def _until_consumed(channel: AbstractChannel, service: str) -> None:
    while True:
        queue = await channel.declare_queue(queue_name(service), passive=True)
        if queue.declaration_result.consumer_count:
            return
        await asyncio.sleep(0.1)
