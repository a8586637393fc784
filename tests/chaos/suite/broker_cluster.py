"""Three RabbitMQ nodes that are one cluster on this machine, with names, ports and a cookie of their own."""

import asyncio
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import is_listening
from deploy.local.processes import ServerProcess, StartError, log_tail, spawn, until
from deploy.local.rabbitmq import ADMINISTRATOR, CONTROL_SECONDS, READY_SECONDS, SCRIPTS, STOP_SECONDS, BrokerPorts
from deploy.local.rabbitmq_files import environment, write_configuration
from deploy.local.secret_store import write_private
from deploy.local.settings import LOOPBACK
from libs.common.bus import topology

CLUSTER_SETTINGS: dict[str, str | int] = {"cluster_partition_handling": "pause_minority"}
NORMAL_DISK_LIMIT = "50MB"
NO_DISK_IS_ENOUGH = "100000GB"


@dataclass
class Node:
    """One node of the cluster."""

    name: str
    ports: BrokerPorts
    folder: Path
    cookie: str
    password: str
    process: ServerProcess | None = None

    @property
    def full_name(self) -> str:
        return f"{self.name}@localhost"

    @property
    def pid(self) -> int:
        if self.process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self.process.pid

    def launch(self) -> None:
        """Start the process; on an empty folder it is a broker of its own, and no member of any cluster."""
        if not (self.folder / "rabbitmq.conf").exists():
            write_configuration(self.folder, self.ports, ADMINISTRATOR, self.password, CLUSTER_SETTINGS)
            write_private(self.folder / ".erlang.cookie", self.cookie)
            (self.folder / ".erlang.cookie").chmod(0o400)
        self.process = spawn(
            [str(SCRIPTS / "rabbitmq-server")],
            log=self.folder / "console.log",
            environment=self._environment(),
            folder=self.folder,
        )
        self.process.record(self.folder / "server.pid")

    async def ready(self) -> None:
        """Wait until it takes connections."""

        def ready_or_dead() -> bool:
            process = self.process
            return (
                process is None
                or not process.alive
                or (is_listening(self.ports.amqp) and is_listening(self.ports.management))
            )

        await until(ready_or_dead, patience=READY_SECONDS * 2)
        if self.process is None or not self.process.alive:
            raise StartError(f"{self.name} ended while starting:\n{log_tail(self.folder / 'console.log')}")

    async def kill(self) -> None:
        if self.process is not None:
            await self.process.kill()

    async def stop(self) -> None:
        if self.process is not None:
            await self.process.terminate(patience=STOP_SECONDS)

    async def control(self, *command: str, script: str = "rabbitmqctl") -> str:
        """Run one of the broker's own commands. Raises `StartError` with what it says."""
        process = await asyncio.create_subprocess_exec(
            str(SCRIPTS / script),
            *("--node", self.full_name, "--quiet", *command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environment(),
        )
        try:
            async with asyncio.timeout(CONTROL_SECONDS * 2):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        said = output.decode(errors="replace").strip()
        if process.returncode:
            raise StartError(f"{script} {' '.join(command)} on {self.name} failed: {said}")
        return said

    def wipe(self) -> None:
        """Lose its data."""
        shutil.rmtree(self.folder)

    def _environment(self) -> dict[str, str]:
        return environment(self.folder, self.ports.epmd, self.ports.distribution, node=self.full_name)


class BrokerCluster:
    """The nodes, and what concerns all of them."""

    def __init__(self, folder: Path, ports: list[BrokerPorts]) -> None:
        """`ports` are each node's; they share the port mapper's."""
        self.password, cookie = secrets.token_hex(12), secrets.token_hex(16)
        self._folder, self._mapper_port = folder, ports[0].epmd
        self._mapper: ServerProcess | None = None
        self.nodes = [
            Node(f"chaos-{number}", each, folder / f"chaos-{number}", cookie, self.password)
            for number, each in enumerate(ports, start=1)
        ]

    @property
    def management_url(self) -> str:
        return f"http://{LOOPBACK}:{self.nodes[0].ports.management}"

    async def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._mapper = spawn(
            ["epmd", "-port", str(self._mapper_port), "-address", LOOPBACK],
            log=self._folder / "epmd.log",
            environment={"PATH": os.defpath},
            folder=self._folder,
        )
        self._mapper.record(self._folder / "epmd.pid")
        await until(lambda: is_listening(self._mapper_port), patience=READY_SECONDS)
        for node in self.nodes:
            node.launch()
        await asyncio.gather(*(node.ready() for node in self.nodes))
        first, *others = self.nodes
        for node in others:
            await self._join(node, first)

    async def forget(self, lost: Node) -> None:
        """Let the others go on without a node that is gone for good."""
        await self._other(lost).control("forget_cluster_node", lost.full_name)

    async def join_again(self, node: Node) -> None:
        """Take in a node that has lost everything, and give it a replica of every queue."""
        node.launch()
        await node.ready()
        await self._join(node, self._other(node))
        await node.control("grow", node.full_name, "all", script="rabbitmq-queues")
        # Asked on the new node it would make a coordinator of streams anew (RabbitMQ 3.10).
        await self._other(node).control("add_replica", topology.LOG, node.full_name, script="rabbitmq-streams")

    async def limit_disk(self, limit: str) -> None:
        """Below so much free space no node takes messages: `NO_DISK_IS_ENOUGH` is a full disk."""
        await self.nodes[0].control("set_disk_free_limit", limit)

    async def kill(self) -> None:
        await asyncio.gather(*(node.kill() for node in self.nodes))
        if self._mapper is not None:
            await self._mapper.kill()

    async def _join(self, node: Node, member: Node) -> None:
        await node.control("stop_app")
        await node.control("join_cluster", member.full_name)
        await node.control("start_app")
        await node.ready()

    def _other(self, node: Node) -> Node:
        return next(each for each in self.nodes if each is not node)
