"""Whole services, composed as they are when they run, on the servers under test."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey
from pydantic import SecretStr
from pymongo import MongoClient

from deploy.mongo.users import database_name
from libs.common.bus import topology
from libs.common.clock import FixedClock
from libs.common.programs import Program
from libs.common.service import Role, Service, run
from libs.common.settings import ServiceSettings
from services.certs.settings import CertsSettings
from services.exams.settings import ExamsSettings
from services.fulfillment.settings import FulfillmentSettings
from services.identity.settings import IdentitySettings
from services.notify.settings import NotifySettings
from tests.servers import BrokerUnderTest, MongoUnderTest
from tests.service.bus import PATIENCE_SECONDS, Bus
from tests.service.rig import CERTS_KEYS_SECRET, ERASURE_KEY, eventually


@dataclass
class World:
    """The servers, the clock all lives share, and what settings need."""

    mongo: MongoUnderTest
    broker: BrokerUnderTest
    bus: Bus
    clock: FixedClock
    programs: dict[str, Program]
    folder: Path
    smtp_port: int = 1025
    """Where notify hands its mails to."""

    def settings(self, service: str, mongo_url: str, amqp_url: str) -> ServiceSettings:
        """As the environment would give them; ports are whatever is free."""
        common: dict[str, Any] = {
            "mongo_url": SecretStr(mongo_url),
            "amqp_url": SecretStr(amqp_url),
            "programs_dir": self.folder,
            "erasure_key": ERASURE_KEY,
            "api_port": 0,
            "internal_port": 0,
            "drain_seconds": PATIENCE_SECONDS,
        }
        if service == "notify":
            return NotifySettings(**common, smtp_port=self.smtp_port)
        if service == "certs":
            return CertsSettings(**common, certs_keys_secret=CERTS_KEYS_SECRET)
        if service == "exams":
            return ExamsSettings(**common)
        if service == "fulfillment":
            return FulfillmentSettings(**common)
        keys = self.folder / "keys.json"
        if not keys.exists():
            key = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
            keys.write_text(json.dumps({"keys": [key.as_dict(private=True)]}))
        return IdentitySettings(**common, signing_keys_file=keys, signing_keys_secret=SecretStr("k" * 32))

    @asynccontextmanager
    async def running(self, service: Service, role: Role = Role.ALL) -> AsyncIterator[None]:
        """A process of a service for as long as the block lasts; then it is stopped and finishes what is in hand."""
        name, stopping = service.name, asyncio.Event()
        settings = self.settings(name, self.mongo.url(name), self.broker.url(name))
        process = run(service, settings, role, self.programs, stopping=stopping, clock=self.clock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(process)
            try:
                for queue in topology.consumed_queues(name):
                    await eventually(partial(self.bus.readers, queue), bool)
                yield
            finally:
                stopping.set()

    async def end_sessions(self, service: str) -> None:
        """End a dead process's transactions now; the server does the same by itself after four seconds."""
        await asyncio.to_thread(self._end_sessions, service)

    def _end_sessions(self, service: str) -> None:
        with MongoClient[dict[str, Any]](self.mongo.admin_url) as client:
            client.admin.command("killAllSessions", [{"user": service, "db": database_name(service)}])
