"""A rolling update: each process gets a successor, which is ready before its predecessor is told to stop."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import aiohttp
import orjson
import psutil

from deploy.gateway.nginx import local_values, render
from deploy.local.ports import free_ports
from deploy.local.processes import until
from deploy.local.settings import LOOPBACK
from deploy.processes import PORTAL
from tests.e2e.stage import Stage
from tests.e2e.supervisor import Part
from tests.e2e.waiting import READY_SECONDS

ANSWERED = ("api", "all", PORTAL)
"""Roles that the gateway leads to."""
CLIENTS = 6
LEAVE_SECONDS = 8
"""For the gateway to read its configuration, on a machine that has something else to do as well."""
PAUSE_SECONDS = 0.02
BAD = 400


class RollingStage(Stage):
    """Services that find each other through the gateway, so that it does not matter where each of them listens."""

    def service_url(self, service: str) -> str:
        return self.public_url

    async def replace(self, name: str, service: str, role: str) -> bool:
        """Start a successor, lead requests to it as well, then end the old one. Returns whether that stopped by itself.

        The gateway is told as an orchestrator tells it: of the new one first, of the old one's end while it answers.
        """
        old = self._api_ports[service]
        if role in ANSWERED:
            self._api_ports[service], internal = free_ports(2)
        else:
            (internal,) = free_ports(1)
        successor = f"{name}-new"
        part = self.portal_part(successor) if role == PORTAL else self.service_part(successor, service, role, internal)
        await self.processes.start(part)
        if role in ANSWERED:
            both = f"{LOOPBACK}:{old}; server {LOOPBACK}:{self._api_ports[service]}"
            await self._lead(self.upstreams() | {service: both})
        ending = asyncio.ensure_future(self.processes.rest(name))
        if role in ANSWERED:
            await self._lead(self.upstreams())
        return await ending

    def _environment(self, service: str, role: str, internal_port: int) -> dict[str, str]:
        return super()._environment(service, role, internal_port) | {"CERTRAIL_LEAVE_SECONDS": str(LEAVE_SECONDS)}

    def portal_part(self, name: str) -> Part:
        part = super().portal_part(name)
        return replace(part, environment={**part.environment, "CERTRAIL_LEAVE_SECONDS": str(LEAVE_SECONDS)})

    async def _lead(self, upstreams: Mapping[str, str]) -> None:
        """Give the gateway another configuration, and wait until only workers that know it take requests."""
        if self._gateway is None:
            raise RuntimeError("the gateway was not started")
        folder, master = self.folder / "gateway", psutil.Process(self._gateway.process.pid)
        before = {worker.pid for worker in master.children()}
        values = local_values(folder, self._gateway.port, upstreams, self.folder / "site")
        (folder / "nginx.conf").write_text(render("nginx.conf", values))
        os.kill(master.pid, signal.SIGHUP)
        await until(lambda: not before & _taking(master), patience=READY_SECONDS)


def _taking(master: psutil.Process) -> set[int]:
    """The gateway's workers that still listen; one that only finishes what it has begun does not."""
    taking = set()
    for worker in master.children():
        try:
            if any(one.status == psutil.CONN_LISTEN for one in worker.net_connections("tcp4")):
                taking.add(worker.pid)
        except psutil.NoSuchProcess:
            continue
    return taking


class Askers:
    """Clients who ask the gateway all the time, each request on a connection of its own.

    Attributes:
        answered: how many requests were answered well.
        failed: what the others came to.
    """

    def __init__(self, stage: RollingStage) -> None:
        self._stage = stage
        self.answered = 0
        self.failed: list[str] = []

    async def run(self, ending: asyncio.Event) -> None:
        """Ask until `ending` is set."""
        connector = aiohttp.TCPConnector(force_close=True)
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            for number in range(CLIENTS):
                tasks.create_task(self._ask(session, number, ending))

    async def _ask(self, session: aiohttp.ClientSession, number: int, ending: asyncio.Event) -> None:
        gateway, who = self._stage.public_url, credentials(self._stage)
        services = [name for name in self._stage.upstreams() if name != PORTAL]
        while not ending.is_set():
            service = services[number % len(services)]
            number += 1
            await self._one(session.get(f"{gateway}/"))
            await self._one(session.get(f"{gateway}/api/{service}/v1/openapi.json"))
            issued = await self._one(session.post(f"{gateway}/api/identity/v1/tokens", json=who))
            if issued is not None:
                bearer = {"Authorization": f"Bearer {orjson.loads(issued)['access_token']}"}
                await self._one(session.get(f"{gateway}/api/{service}/v1/totals", headers=bearer))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _one(self, asking: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> bytes | None:
        """The body of a good answer; anything else is noted."""
        try:
            async with asking as response:
                body = await response.read()
                if response.status < BAD:
                    self.answered += 1
                    return body
                self.failed.append(f"{response.method} {response.url.path}: {response.status} {body[:200]!r}")
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failed.append(f"{type(error).__name__} {error}")
        return None


def credentials(stage: RollingStage) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": "operator", "client_secret": stage.operator_secret}
