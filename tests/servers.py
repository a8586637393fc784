"""A real MongoDB and a real RabbitMQ for a test session, and how to empty them between tests.

Where they come from, first that applies:

1. the environment: `CERTRAIL_TEST_MONGO_ADMIN_URL` (`mongodb://user:password@host:port/admin?replicaSet=rs0`)
   and, for the broker, both `CERTRAIL_TEST_AMQP_ADMIN_URL` (`amqp://user:password@host:port/`) and
   `CERTRAIL_TEST_MANAGEMENT_URL` (`http://host:port`, the same account). The tests create their accounts,
   queues and databases on them and empty those, so give them servers that hold nothing else;
2. binaries on this machine: own processes on free ports with data in a temporary folder;
3. Docker, through testcontainers.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aio_pika
import psutil
from pymongo import MongoClient

from deploy.broker.definitions import all_queues, broker_users, log_arguments
from deploy.broker.management import Management
from deploy.local.mongod import MongoServer, mongo_url, mongod_binary, start_mongod
from deploy.local.ports import free_ports
from deploy.local.processes import recorded
from deploy.local.rabbitmq import BrokerPorts, BrokerServer, amqp_url, rabbitmq_installed, start_rabbitmq
from deploy.local.secret_store import SecretStore
from deploy.local.servers import VENDORS
from deploy.mongo.users import audit_database_name, database_name, ensure_users
from deploy.processes import APPS
from libs.common.bus import topology
from tests.containers import mongo_container, rabbitmq_container

MONGO_ADMIN_URL = "CERTRAIL_TEST_MONGO_ADMIN_URL"
AMQP_ADMIN_URL = "CERTRAIL_TEST_AMQP_ADMIN_URL"
MANAGEMENT_URL = "CERTRAIL_TEST_MANAGEMENT_URL"

_FOLDER_PREFIX = "certrail-test-"
_OURS = ("server", "epmd", "process")
"""Files in which we write what runs; nginx writes one of its own beside them, in another form."""
_DATABASES = (database_name, audit_database_name)


@dataclass
class MongoUnderTest:
    """The database server of the session, with an account for every service."""

    admin_url: str
    local: MongoServer | None = None
    """The process, where the session started it: tests that kill it need this."""
    passwords: dict[str, str] = field(default_factory=lambda: {name: secrets.token_hex(12) for name in APPS})

    def url(self, service: str) -> str:
        """A service's address of its own database."""
        address = urlsplit(self.admin_url).netloc.rpartition("@")[2]
        return mongo_url(address, database_name(service), service, self.passwords[service])

    async def set_up(self) -> None:
        await ensure_users(self.admin_url, self.passwords)

    async def empty(self) -> None:
        """Delete every document of every service; collections and indexes stay."""
        await asyncio.to_thread(self._empty)

    def _empty(self) -> None:
        with MongoClient[dict[str, Any]](self.admin_url) as client:
            for database in (client[name(app)] for app in APPS for name in _DATABASES):
                for name in database.list_collection_names(filter={"type": "collection"}):
                    database[name].delete_many({})


@dataclass
class BrokerUnderTest:
    """The broker of the session, with its definitions applied and an account for every user."""

    admin_url: str
    management_url: str
    local: BrokerServer | None = None
    """The process, where the session started it: tests that kill or stop it need this."""
    passwords: dict[str, str] = field(
        default_factory=lambda: {name: secrets.token_hex(12) for name in broker_users(VENDORS)}
    )

    @property
    def management(self) -> Management:
        """The management API as the administrator."""
        account = urlsplit(self.admin_url)
        return Management(self.management_url, unquote(account.username or ""), unquote(account.password or ""))

    def url(self, user: str) -> str:
        """The broker's address for a service, a vendor or the operator."""
        address = urlsplit(self.admin_url).netloc.rpartition("@")[2]
        return amqp_url(address, user, self.passwords[user])

    async def set_up(self) -> None:
        await self.management.apply(VENDORS, self.passwords)

    async def empty(self) -> None:
        """Purge every queue, and begin the log anew: a stream cannot be purged. Stop consumers first."""
        async with await aio_pika.connect(self.admin_url) as connection, connection.channel() as channel:
            for name in all_queues(VENDORS):
                queue = await channel.get_queue(name, ensure=False)
                await queue.purge()
            await channel.queue_delete(topology.LOG)
            log = await channel.declare_queue(topology.LOG, durable=True, arguments=log_arguments())
            await log.bind(topology.EVENTS, "#")


@asynccontextmanager
async def mongo_for_session() -> AsyncIterator[MongoUnderTest]:
    """MongoDB from the first source that applies, with its accounts; stopped at the end if started here."""
    async with _mongo_source() as mongo:
        await mongo.set_up()
        yield mongo


@asynccontextmanager
async def broker_for_session() -> AsyncIterator[BrokerUnderTest]:
    """RabbitMQ from the first source that applies, set up; stopped at the end if started here."""
    async with _broker_source() as broker:
        await broker.set_up()
        yield broker


@asynccontextmanager
async def _mongo_source() -> AsyncIterator[MongoUnderTest]:
    if MONGO_ADMIN_URL in os.environ:
        yield MongoUnderTest(os.environ[MONGO_ADMIN_URL])
    elif mongod_binary():
        with session_folder() as folder:
            store = SecretStore(folder)
            (port,) = free_ports(1)
            server = await start_mongod(
                folder / "mongo", port, keyfile=store.keyfile("mongo.key"), admin_password=store.get("admin")
            )
            try:
                yield MongoUnderTest(server.admin_url, server)
            finally:
                await server.kill()
    else:
        async with mongo_container() as admin_url:
            yield MongoUnderTest(admin_url)


@asynccontextmanager
async def _broker_source() -> AsyncIterator[BrokerUnderTest]:
    if AMQP_ADMIN_URL in os.environ:
        yield BrokerUnderTest(os.environ[AMQP_ADMIN_URL], os.environ[MANAGEMENT_URL])
    elif rabbitmq_installed():
        with session_folder() as folder:
            server = await _local_broker(folder)
            try:
                admin = server.amqp_url(server.admin_user, server.admin_password)
                yield BrokerUnderTest(admin, server.management_url, server)
            finally:
                await server.kill()
    else:
        async with rabbitmq_container() as (admin_url, management_url):
            yield BrokerUnderTest(admin_url, management_url)


async def _local_broker(folder: Path) -> BrokerServer:
    names = ("amqp", "management", "metrics", "epmd", "distribution")
    ports = BrokerPorts.model_validate(dict(zip(names, free_ports(len(names)), strict=True)))
    return await start_rabbitmq(folder / "rabbitmq", ports, admin_password=secrets.token_hex(12))


@contextmanager
def session_folder() -> Iterator[Path]:
    """A temporary folder for servers' data, gone at the end."""
    end_orphans()
    folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER_PREFIX}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def end_orphans() -> None:
    """End the servers of test sessions that were killed before they could, and remove their folders."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER_PREFIX}*-*"):
        session = folder.name.removeprefix(_FOLDER_PREFIX).partition("-")[0]
        if session.isdigit() and not psutil.pid_exists(int(session)):
            for file in (found for name in _OURS for found in folder.glob(f"*/{name}.pid")):
                orphan = recorded(file)
                if orphan:
                    psutil.Process(orphan.pid).kill()
            shutil.rmtree(folder, ignore_errors=True)
