"""MongoDB and RabbitMQ in Docker, for machines that have neither as a program."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from testcontainers.core.container import DockerContainer

from deploy.broker.management import Management, ManagementError
from deploy.local.mongod import TRANSACTION_LIFETIME_SECONDS, mongo_url
from deploy.local.ports import free_ports
from deploy.local.rabbitmq import amqp_url
from deploy.mongo.replica_set import REPLICA_SET
from libs.common.bus import topology

MONGO_IMAGE = "mongo:6.0"
RABBITMQ_IMAGE = "rabbitmq:3.10-management"
READY_SECONDS = 90

_USER = "admin"
_AMQP = 5672
_MANAGEMENT = 15672

_MONGO_SCRIPT = """
openssl rand -base64 256 > /tmp/key && chmod 400 /tmp/key && chown mongodb /tmp/key
exec docker-entrypoint.sh mongod --replSet {name} --keyFile /tmp/key --bind_ip_all --port {port} \
  --setParameter transactionLifetimeLimitSeconds={lifetime}
"""
_ADMIN_SCRIPT = """
rs.initiate({{_id: "{name}", members: [{{_id: 0, host: "localhost:{port}"}}]}});
while (!db.hello().isWritablePrimary) sleep(100);
db.getSiblingDB("admin").createUser({{user: "{user}", pwd: "{password}", roles: ["root"]}});
"""


@asynccontextmanager
async def mongo_container() -> AsyncIterator[str]:
    """A replica set of one; yields the administrator's address.

    The port is the same inside and outside: a replica set tells its clients the address it knows itself by.
    """
    (port,) = free_ports(1)
    password = secrets.token_hex(12)
    script = _MONGO_SCRIPT.format(name=REPLICA_SET, port=port, lifetime=TRANSACTION_LIFETIME_SECONDS)
    container = DockerContainer(MONGO_IMAGE).with_bind_ports(port, port).with_kwargs(entrypoint=["bash", "-c", script])
    await asyncio.to_thread(container.start)
    try:
        admin = _ADMIN_SCRIPT.format(name=REPLICA_SET, port=port, user=_USER, password=password)
        await _until_accepted(container, ["mongosh", "--quiet", "--port", str(port), "--eval", admin])
        yield mongo_url(f"localhost:{port}", "admin", _USER, password)
    finally:
        await asyncio.to_thread(container.stop)


@asynccontextmanager
async def rabbitmq_container() -> AsyncIterator[tuple[str, str]]:
    """A broker; yields the administrator's AMQP address and that of the management API."""
    password = secrets.token_hex(12)
    conf = f"max_message_size = {topology.MAX_MESSAGE_BYTES}"
    script = f"echo '{conf}' > /etc/rabbitmq/conf.d/90-certrail.conf; exec docker-entrypoint.sh rabbitmq-server"
    container = (
        DockerContainer(RABBITMQ_IMAGE)
        .with_exposed_ports(_AMQP, _MANAGEMENT)
        .with_env("RABBITMQ_DEFAULT_USER", _USER)
        .with_env("RABBITMQ_DEFAULT_PASS", password)
        .with_kwargs(entrypoint=["bash", "-c", script])
    )
    await asyncio.to_thread(container.start)
    try:
        host = container.get_container_host_ip()
        management = f"http://{host}:{container.get_exposed_port(_MANAGEMENT)}"
        await _until_managed(Management(management, _USER, password))
        yield amqp_url(f"{host}:{container.get_exposed_port(_AMQP)}", _USER, password), management
    finally:
        await asyncio.to_thread(container.stop)


async def _until_accepted(container: DockerContainer, command: list[str]) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while (await asyncio.to_thread(container.exec, command)).exit_code:  # noqa: ASYNC110 it sends no event
            await asyncio.sleep(0.5)


async def _until_managed(management: Management) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while True:
            try:
                await management.queue_lengths()
            except ManagementError:
                await asyncio.sleep(0.5)
            else:
                return
