"""Database and broker of the local platform, set up with every account: what `certrail up` begins with."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.broker.definitions import OPERATOR, broker_users
from deploy.broker.management import Management
from deploy.local.given import Broker, Database, GivenBroker, GivenDatabase
from deploy.local.mongod import STOP_SECONDS as MONGO_STOP_SECONDS
from deploy.local.mongod import start_mongod
from deploy.local.processes import recorded
from deploy.local.rabbitmq import STOP_SECONDS as BROKER_STOP_SECONDS
from deploy.local.rabbitmq import BrokerPorts, start_rabbitmq
from deploy.local.secret_store import SecretStore
from deploy.local.settings import LocalPorts, LocalSettings
from deploy.mongo.users import database_name, ensure_users
from deploy.processes import APPS

VENDORS = ("vue", "psi")
"""The vendors of the sample programs."""

Report = Callable[[str], None]
"""Receives one line for each thing done."""


@dataclass(frozen=True)
class LocalServers:
    """The running database and broker, and the accounts on them."""

    mongo: Database
    broker: Broker
    secrets: SecretStore

    @property
    def management(self) -> Management:
        """The broker's management API as its administrator."""
        return Management(self.broker.management_url, self.broker.admin_user, self.broker.admin_password)

    def mongo_url(self, service: str) -> str:
        """A service's address of its own database."""
        return self.mongo.url(database_name(service), service, self.secrets.get(f"mongo/{service}"))

    def amqp_url(self, user: str = OPERATOR) -> str:
        """The broker's address for a service, a vendor or the operator."""
        return self.broker.amqp_url(user, self.secrets.get(f"amqp/{user}"))

    async def set_up(self, vendors: Sequence[str] = VENDORS) -> None:
        """Create or update everything on the broker and all accounts on both."""
        broker_passwords = self._passwords("amqp", broker_users(vendors))
        async with asyncio.TaskGroup() as group:
            group.create_task(self.management.apply(vendors, broker_passwords))
            group.create_task(ensure_users(self.mongo.admin_url, self._passwords("mongo", APPS)))

    async def stop(self) -> None:
        """Shut both down cleanly."""
        await asyncio.gather(self.mongo.stop(), self.broker.stop())

    async def kill(self) -> None:
        """End both at once; for data that nobody needs any more."""
        await asyncio.gather(self.mongo.kill(), self.broker.kill())

    def _passwords(self, kind: str, users: Sequence[str]) -> Mapping[str, str]:
        return {user: self.secrets.get(f"{kind}/{user}") for user in users}


def broker_ports(ports: LocalPorts) -> BrokerPorts:
    """The broker's share of the local platform's ports."""
    return BrokerPorts(
        amqp=ports.amqp,
        management=ports.management,
        metrics=ports.broker_metrics,
        epmd=ports.epmd,
        distribution=ports.distribution,
    )


async def start_servers(settings: LocalSettings, report: Report) -> LocalServers:
    """Start database and broker side by side, or take those that run or are given, and set them up.

    Raises:
        StartError: one of them did not come up (the other is left running).
        ManagementError: the broker refuses its definitions.
    """
    secrets = SecretStore(settings.state_dir)
    starting = asyncio.gather(
        _database(settings, secrets),
        _broker(settings, secrets),
        return_exceptions=True,  # wait for both: a start that is cut off leaves a server nobody knows of
    )
    mongo, broker = await starting
    if isinstance(mongo, BaseException):
        raise mongo
    if isinstance(broker, BaseException):
        raise broker
    report(f"MongoDB {mongo.place}, RabbitMQ {broker.place}")
    servers = LocalServers(mongo, broker, secrets)
    await servers.set_up()
    report("exchanges, queues, accounts and permissions are in place")
    return servers


async def _database(settings: LocalSettings, secrets: SecretStore) -> Database:
    if settings.mongo_admin_url is not None:
        return GivenDatabase(settings.mongo_admin_url.get_secret_value())
    return await start_mongod(
        settings.state_dir / "mongo",
        settings.ports.mongo,
        keyfile=secrets.keyfile("mongo.key"),
        admin_password=secrets.get("mongo/admin"),
        cache_gb=settings.mongo_cache_gb,
    )


async def _broker(settings: LocalSettings, secrets: SecretStore) -> Broker:
    if settings.amqp_admin_url is not None and settings.management_url is not None:
        return GivenBroker(settings.amqp_admin_url.get_secret_value(), settings.management_url)
    return await start_rabbitmq(
        settings.state_dir / "rabbitmq", broker_ports(settings.ports), admin_password=secrets.get("amqp/admin")
    )


async def stop_servers(state_dir: Path) -> list[str]:
    """Stop whatever of database and broker runs on that folder; the names of those that did."""
    found = {
        "MongoDB": (recorded(state_dir / "mongo" / "server.pid"), MONGO_STOP_SECONDS),
        "RabbitMQ": (recorded(state_dir / "rabbitmq" / "server.pid"), BROKER_STOP_SECONDS),
        "RabbitMQ's port mapper": (recorded(state_dir / "rabbitmq" / "epmd.pid"), BROKER_STOP_SECONDS),
    }
    running = {name: (process, patience) for name, (process, patience) in found.items() if process}
    await asyncio.gather(*(process.terminate(patience=patience) for process, patience in running.values()))
    return list(running)
