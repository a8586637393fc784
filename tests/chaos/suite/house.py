"""Everything that the chaos suite runs: two clusters, the network before them, the services in many processes."""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import free_ports
from deploy.local.rabbitmq import ADMINISTRATOR, BrokerPorts, amqp_url
from deploy.local.secret_store import SecretStore, write_private
from deploy.local.settings import LOOPBACK
from libs.common.events import SERVICES
from tests.chaos.suite.broker_cluster import BrokerCluster
from tests.chaos.suite.mongo_set import Member, MongoSet
from tests.chaos.suite.network import Network, open_network
from tests.chaos.suite.skewed import SKEW_FILE
from tests.e2e.stage import Stage
from tests.e2e.supervisor import Part
from tests.servers import BrokerUnderTest, MongoUnderTest

BROKER, MAIL = "broker", "mail"
"""Links; each member of the replica set has one of its own, of its name."""

PROCESSES = (
    *((service, "worker") for service in SERVICES for _ in range(2)),
    *((service, "relay") for service in SERVICES),
    *((service, "sweep") for service in ("exams", "certs", "notify")),
)
"""Two workers of each service: what one does the other must leave alone. No API takes part in the flow."""


class ClusterStage(Stage):
    """The services on the clusters, each with a clock that can be set, sending mail by a link."""

    def __init__(self, folder: Path, mongo: MongoUnderTest, broker: BrokerUnderTest) -> None:
        super().__init__(folder, mongo, broker)
        self.sink_port = self.smtp_port
        (self.mail_link_port,) = free_ports(1)

    async def start_services(self) -> None:
        self.smtp_port = self.mail_link_port  # services are told of the link, the sink listens behind it
        await self.start(PROCESSES)

    def service_part(self, name: str, service: str, role: str, internal_port: int) -> Part:
        part = super().service_part(name, service, role, internal_port)
        self.set_clock(name, 0)
        command = (sys.executable, "-m", "tests.chaos.suite.skewed", service, "--role", role)
        return Part(name, command, {**part.environment, SKEW_FILE: str(self._clock(name))}, part.ready)

    def set_clock(self, name: str, skew_seconds: int) -> None:
        """Let a process's clock be fast by so many seconds, or slow where there are fewer than none."""
        write_private(self._clock(name), str(skew_seconds))  # at once: it is read all the time

    def _clock(self, name: str) -> Path:
        return self.folder / f"{name}.clock"


@dataclass
class House:
    """What faults have at hand."""

    mongo: MongoSet
    broker: BrokerCluster
    network: Network
    stage: ClusterStage

    def pids(self, names: Iterable[str]) -> list[int]:
        return [self.stage.processes.pid(name) for name in names]


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[House]:
    """Start everything, with data and logs in `folder`; at the end all of it is gone but the folder."""
    async with open_network() as network:
        mongo, broker = _mongo_set(folder), _broker_cluster(folder)
        amqp_port = free_ports(1)[0]
        try:
            for member in mongo.members:
                await network.link(member.name, member.link_port, [member.port])
            await network.link(BROKER, amqp_port, [node.ports.amqp for node in broker.nodes])
            await asyncio.gather(mongo.start(), broker.start())
            databases = MongoUnderTest(mongo.admin_url)
            admin = amqp_url(f"{LOOPBACK}:{amqp_port}", ADMINISTRATOR, broker.password)
            exchanges = BrokerUnderTest(admin, broker.management_url)
            await asyncio.gather(databases.set_up(), exchanges.set_up())
            stage = ClusterStage(folder, databases, exchanges)
            await network.link(MAIL, stage.mail_link_port, [stage.sink_port])
            try:
                await stage.start_sink()
                await stage.start_services()
                yield House(mongo, broker, network, stage)
            finally:
                (folder / "set-aside.json").write_text(json.dumps(await stage.stop()))
        finally:
            await asyncio.gather(mongo.kill(), broker.kill())


def _mongo_set(folder: Path) -> MongoSet:
    keyfile = SecretStore(folder / "secrets").keyfile("mongo.key")
    ports = free_ports(6)
    members = [
        Member(f"mongo-{number}", port, link_port, folder / f"mongo-{number}", keyfile)
        for number, (port, link_port) in enumerate(zip(ports[::2], ports[1::2], strict=True), start=1)
    ]
    return MongoSet(members, secrets.token_hex(12))


def _broker_cluster(folder: Path) -> BrokerCluster:
    mapper, *rest = free_ports(1 + 4 * 3)
    ports = [
        BrokerPorts(amqp=amqp, management=management, metrics=metrics, epmd=mapper, distribution=distribution)
        for amqp, management, metrics, distribution in zip(*[iter(rest)] * 4, strict=True)
    ]
    return BrokerCluster(folder, ports)
