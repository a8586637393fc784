"""The servers of a run: a MongoDB and a RabbitMQ of its own on free ports, and the mail sink beside them."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.mongod import start_mongod
from deploy.local.ports import free_ports, is_listening
from deploy.local.processes import spawn
from deploy.local.rabbitmq import BrokerPorts, start_rabbitmq
from deploy.local.secret_store import SecretStore
from deploy.local.settings import PROJECT
from tests.bench.pipeline import Environment
from tests.bench.processes import Running, poll

_CACHE_GB = 1.0
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Sink:
    """The mail sink and the way to ask it."""

    running: Running
    control_port: int

    async def ask(self, command: str) -> dict[str, Any]:
        """Send one command and return what the sink has counted: `total`, `distinct`, `last`."""
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection(_HOST, self.control_port)
            writer.write(command.encode() + b"\n")
            answer = await reader.readline()
            writer.close()
            await writer.wait_closed()
        counted: dict[str, Any] = json.loads(answer)
        return counted

    async def mails(self, work: Path) -> list[tuple[str, str, float]]:
        """Every mail since the last reset: its Message-ID, its recipient, when it was accepted (monotonic seconds)."""
        path = work / "mails.json"
        await self.ask(f"dump {path}")
        return [(mail[0], mail[1], mail[2]) for mail in json.loads(path.read_text())]


@dataclass(frozen=True)
class Bench:
    """All that a measurement needs."""

    environment: Environment
    sink: Sink

    def server_pids(self) -> dict[str, list[int]]:
        """The processes of each server, by the name it has in the tables."""
        return {"mongod": [self.environment.mongo.pid], "beam": [self.environment.broker.pid]}


@asynccontextmanager
async def bench_servers(work: Path) -> AsyncIterator[Bench]:
    """Start all three in `work`, in parallel, and stop them in the end."""
    mongo_port, *broker_ports, smtp_port, control_port = free_ports(8)
    keyfile = SecretStore(work / "secrets").keyfile("mongo.key")
    amqp, management, metrics, epmd, distribution = broker_ports
    ports = BrokerPorts(amqp=amqp, management=management, metrics=metrics, epmd=epmd, distribution=distribution)
    async with AsyncExitStack() as stack:
        async with asyncio.TaskGroup() as starting:
            mongo_start = starting.create_task(
                start_mongod(
                    work / "mongo",
                    mongo_port,
                    keyfile=keyfile,
                    admin_password=secrets.token_urlsafe(16),
                    cache_gb=_CACHE_GB,
                )
            )
            broker_start = starting.create_task(
                start_rabbitmq(work / "rabbitmq", ports, admin_password=secrets.token_urlsafe(16))
            )
        mongo, broker = mongo_start.result(), broker_start.result()
        stack.push_async_callback(mongo.stop)
        stack.push_async_callback(broker.stop)
        sink = await _start_sink(work, smtp_port, control_port)
        stack.push_async_callback(sink.running.stop)
        yield Bench(Environment(mongo, broker, _HOST, smtp_port, work), sink)


async def _start_sink(work: Path, smtp_port: int, control_port: int) -> Sink:
    command = [sys.executable, "-m", "tests.bench.sink"]
    command += ["--smtp-port", str(smtp_port), "--control-port", str(control_port)]
    process = spawn(command, log=work / "sink.log", environment=os.environ, folder=PROJECT)
    await poll(lambda: is_listening(smtp_port) and is_listening(control_port), seconds=30, what="the mail sink")
    return Sink(Running("sink", process), control_port)
