"""A real RabbitMQ server for the local platform or a test run, with a port mapper (epmd) of its own."""

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from deploy.local.ports import is_listening
from deploy.local.processes import PortTakenError, ServerProcess, StartError, log_tail, recorded, spawn, until
from deploy.local.rabbitmq_files import NODE, environment, write_configuration
from deploy.local.settings import LOOPBACK

ADMINISTRATOR = "admin"
SCRIPTS = Path("/usr/lib/rabbitmq/bin")
"""The broker's own scripts: those on Debian's PATH become the user `rabbitmq`, who cannot see our folder."""

READY_SECONDS = 90
STOP_SECONDS = 30
CONTROL_SECONDS = 60

_Port = Annotated[int, Field(ge=1, le=65_535)]


class BrokerPorts(BaseModel):
    """The ports of one broker, all on the loopback interface."""

    model_config = ConfigDict(frozen=True)

    amqp: _Port
    management: _Port
    metrics: _Port
    epmd: _Port
    distribution: _Port


@dataclass
class BrokerServer:
    """A running (or stopped) RabbitMQ node with its data folder and its administrator."""

    host: str
    ports: BrokerPorts
    admin_user: str
    admin_password: str
    data_dir: Path
    process: ServerProcess
    mapper: ServerProcess

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return f"on port {self.ports.amqp}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.alive

    @property
    def management_url(self) -> str:
        """The address of the management API, without an account."""
        return f"http://{self.host}:{self.ports.management}"

    def amqp_url(self, user: str, password: str) -> str:
        """The address for a user of the virtual host `/`."""
        return amqp_url(f"{self.host}:{self.ports.amqp}", user, password)

    async def stop(self) -> None:
        """Shut down cleanly, the port mapper as well."""
        await self.process.terminate(patience=STOP_SECONDS)
        await self.mapper.terminate(patience=STOP_SECONDS)

    async def kill(self) -> None:
        """End the broker as a power failure would (SIGKILL)."""
        await self.process.kill()
        await self.mapper.kill()

    async def start(self) -> None:
        """Start again on the same data and ports, and wait until it takes connections."""
        self.mapper = _launch_mapper(self.data_dir, self.ports)
        self.process = _launch_broker(self.data_dir, self.ports)
        await self._wait_ready()

    async def stop_app(self) -> None:
        """Stop the broker application inside the running node: every connection breaks, the data stay."""
        await self._control("stop_app")

    async def start_app(self) -> None:
        """Start the broker application again."""
        await self._control("start_app")

    async def _control(self, command: str) -> None:
        process = await asyncio.create_subprocess_exec(
            str(SCRIPTS / "rabbitmqctl"),
            *("--node", NODE, "--quiet", command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment(self.data_dir, self.ports.epmd, self.ports.distribution),
        )
        try:
            async with asyncio.timeout(CONTROL_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            raise StartError(f"rabbitmqctl {command} failed: {output.decode(errors='replace').strip()}")

    async def _wait_ready(self) -> None:
        def ready_or_dead() -> bool:
            return not self.process.alive or (is_listening(self.ports.amqp) and is_listening(self.ports.management))

        try:
            await until(ready_or_dead, patience=READY_SECONDS)
        except TimeoutError:
            raise StartError(f"RabbitMQ was not ready in {READY_SECONDS} s:\n{self._log_tail()}") from None
        if not self.process.alive:
            raise StartError(f"RabbitMQ ended while starting:\n{self._log_tail()}")

    def _log_tail(self) -> str:
        return log_tail(self.data_dir / "console.log")


def amqp_url(address: str, user: str, password: str) -> str:
    """The address for a user of the virtual host `/`."""
    return f"amqp://{quote(user, safe='')}:{quote(password, safe='')}@{address}/"


def rabbitmq_installed() -> bool:
    """Whether the broker's own scripts and Erlang's port mapper are on this machine."""
    return (SCRIPTS / "rabbitmq-server").exists() and shutil.which("epmd") is not None


async def start_rabbitmq(
    data_dir: Path, ports: BrokerPorts, *, admin_password: str, admin_user: str = ADMINISTRATOR
) -> BrokerServer:
    """Start RabbitMQ on `data_dir`, or take over the one running there, and wait until it takes connections.

    The first start makes the administrator; there is no `guest`.

    Raises:
        StartError: RabbitMQ is not installed, a port is taken, or it did not come up.
    """
    running = recorded(data_dir / "server.pid")
    if running is None:
        write_configuration(data_dir, ports, admin_user, admin_password)
    mapper = recorded(data_dir / "epmd.pid") or _launch_mapper(data_dir, ports)
    try:
        process = running or _launch_broker(data_dir, ports)
    except StartError:
        await mapper.kill()
        raise
    server = BrokerServer(LOOPBACK, ports, admin_user, admin_password, data_dir, process, mapper)
    await server._wait_ready()  # noqa: SLF001 the factory completes what the record begins
    return server


def _launch_broker(data_dir: Path, ports: BrokerPorts) -> ServerProcess:
    for name in ("amqp", "management", "metrics", "distribution"):
        _require_free(getattr(ports, name), f"RabbitMQ ({name})")
    process = spawn(
        [str(SCRIPTS / "rabbitmq-server")],
        log=data_dir / "console.log",
        environment=environment(data_dir, ports.epmd, ports.distribution),
        folder=data_dir,
    )
    process.record(data_dir / "server.pid")
    return process


def _launch_mapper(data_dir: Path, ports: BrokerPorts) -> ServerProcess:
    if not rabbitmq_installed():
        raise StartError("RabbitMQ is not installed on this machine (Debian: rabbitmq-server)")
    _require_free(ports.epmd, "RabbitMQ's port mapper")
    process = spawn(
        ["epmd", "-port", str(ports.epmd), "-address", LOOPBACK],
        log=data_dir / "epmd.log",
        environment={"PATH": os.defpath},
        folder=data_dir,
    )
    process.record(data_dir / "epmd.pid")
    return process


def _require_free(port: int, who: str) -> None:
    if is_listening(port):
        raise PortTakenError(f"port {port}, where {who} should listen, is taken")
