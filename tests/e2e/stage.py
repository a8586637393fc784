"""Certrail's services as processes on the session's servers, each with its own accounts, settings and walls."""

import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from joserfc.jwk import OKPKey

from deploy.gateway.nginx import Gateway, start_gateway
from deploy.local.platform import PROGRAMS
from deploy.local.ports import free_ports
from deploy.local.secret_store import write_private
from deploy.local.settings import LOOPBACK
from deploy.processes import APPS, PORTAL
from libs.common.events import SERVICES
from libs.common.ids import new_id
from tests.e2e.supervisor import Part, Supervisor, answering, listening
from tests.servers import BrokerUnderTest, MongoUnderTest, session_folder

WHOLE = tuple((service, "all") for service in SERVICES)
"""One process a service."""


VENDOR = """
id: vue
name: Test Centres
programs: [cisco]
time_zone: UTC
"""
"""A vendor that uses the bus, and whose lists can be compared."""

S = TypeVar("S", bound="Stage")


class Stage:
    """The services under test, where they are reached, and where their mail goes."""

    def __init__(self, folder: Path, mongo: MongoUnderTest, broker: BrokerUnderTest) -> None:
        self.folder = folder
        self.mongo = mongo
        self.broker = broker
        self.processes = Supervisor(folder)
        self.operator_secret = secrets.token_hex(24)
        self.smtp_port, self.mail_port, self._gateway_port, *api = free_ports(3 + len(APPS))
        self._api_ports = dict(zip(APPS, api, strict=True))
        self.internal_urls: dict[str, str] = {}
        """Where each process answers health and metrics, by its name."""
        self._gateway: Gateway | None = None
        self._keys_secret = secrets.token_hex(24)
        self._portal_secret = secrets.token_hex(24)
        self._keys = folder / "signing-keys.json"
        key = OKPKey.generate_key("Ed25519", {"kid": new_id(), "alg": "Ed25519"}, private=True)
        write_private(self._keys, json.dumps({"keys": [key.as_dict(private=True)]}))
        self.programs = PROGRAMS
        """The folder of the programs' definitions."""
        self.vendors = folder / "vendors"
        """The folder of the vendors' definitions."""
        self.vendors.mkdir()
        (self.vendors / "vue.yaml").write_text(VENDOR)

    def api_url(self, service: str) -> str:
        return f"http://{LOOPBACK}:{self._api_ports[service]}/api/{service}/v1"

    def service_url(self, service: str) -> str:
        """Where other processes of ours reach a service."""
        return f"http://{LOOPBACK}:{self._api_ports[service]}"

    @property
    def inbox_url(self) -> str:
        """The mail catcher's pages, where it was started."""
        return f"http://{LOOPBACK}:{self.mail_port}"

    async def start(self, processes: Iterable[tuple[str, str]]) -> None:
        """Start services, each as `(service, role)`; the second of a kind is called `service-role-2`."""
        chosen = list(processes)
        parts: dict[str, Part] = {}
        for (service, role), port in zip(chosen, free_ports(len(chosen)), strict=True):
            like = sum(name.startswith(f"{service}-{role}") for name in parts)
            name = f"{service}-{role}-{like + 1}" if like else f"{service}-{role}"
            parts[name] = self.service_part(name, service, role, port)
            self.internal_urls[name] = f"http://{LOOPBACK}:{port}"
        await self.processes.start(*parts.values())

    async def start_sink(self) -> None:
        """The lean mail server: it keeps no mail, but the Message-ID and recipient of each; see `sink.Sink`."""
        options = ("--smtp-port", str(self.smtp_port), "--control-port", str(self.mail_port))
        command = (sys.executable, "-m", "tests.bench.sink", *options)
        await self.processes.start(Part("sink", command, _inherited(), listening(self.mail_port)))

    async def start_mail_catcher(self) -> None:
        """The one that keeps mails to be read."""
        options = ("--smtp-port", str(self.smtp_port), "--http-port", str(self.mail_port))
        command = (sys.executable, "-m", "deploy.mailcatcher", *options, "--data", str(self.folder / "mail.sqlite"))
        await self.processes.start(Part("mailcatcher", command, _inherited(), answering(f"{self.inbox_url}/healthz")))

    @property
    def public_url(self) -> str:
        """Where people come in, as mails and pages say it; there is something there once the portal was started."""
        return f"http://{LOOPBACK}:{self._gateway_port}"

    async def start_portal(self) -> None:
        """The portal over the services of this stage, and the gateway before them all."""
        await self.processes.start(self.portal_part(PORTAL))
        await self.start_gateway()

    async def start_gateway(self) -> None:
        """The gateway before everything that answers HTTP, whether it runs already or not."""
        site = self.folder / "site"
        site.mkdir()
        self._gateway = await start_gateway(self.folder / "gateway", self._gateway_port, self.upstreams(), site)

    def upstreams(self) -> dict[str, str]:
        """Where the gateway finds each service."""
        return {name: f"{LOOPBACK}:{port}" for name, port in self._api_ports.items()}

    def portal_part(self, name: str) -> Part:
        """A process of the portal, as it is to be started."""
        (internal_port,) = free_ports(1)
        environment = {
            "CERTRAIL_MONGO_URL": self.mongo.url(PORTAL),
            "CERTRAIL_PROGRAMS_DIR": str(self.programs),
            "CERTRAIL_PORTAL_SECRET": self._portal_secret,
            "CERTRAIL_API_PORT": str(self._api_ports[PORTAL]),
            "CERTRAIL_PUBLIC_URL": self.public_url,
            "CERTRAIL_INTERNAL_PORT": str(internal_port),
            "CERTRAIL_JWKS_URL": f"{self.service_url('identity')}/api/identity/v1/jwks.json",
            # Pages are asked for while all services share a few cores with the tests.
            "CERTRAIL_READ_SECONDS": "5",
            **{f"CERTRAIL_{service.upper()}_URL": self.service_url(service) for service in SERVICES},
        }
        self.internal_urls[name] = f"http://{LOOPBACK}:{internal_port}"
        ready = answering(f"{self.internal_urls[name]}/readyz")
        return Part(name, (sys.executable, "-m", "services.portal"), _inherited() | environment, ready)

    async def stop(self) -> list[str]:
        """Stop everything. Returns what did not stop when told to."""
        if self._gateway is not None:
            await self._gateway.stop()
        return await self.processes.stop()

    def services(self, service: str = "") -> list[str]:
        """The names of the services' processes, or of one service's."""
        return [name for name in self.processes.names if name.startswith(f"{service}-" if service else SERVICES)]

    def service_part(self, name: str, service: str, role: str, internal_port: int) -> Part:
        """A process of a service, as it is to be started."""
        return Part(
            name,
            (sys.executable, "-m", f"services.{service}", "--role", role),
            _inherited() | self._environment(service, role, internal_port),
            answering(f"http://{LOOPBACK}:{internal_port}/readyz"),
        )

    def _environment(self, service: str, role: str, internal_port: int) -> dict[str, str]:
        environment = {
            "CERTRAIL_MONGO_URL": self.mongo.url(service),
            "CERTRAIL_AMQP_URL": self.broker.url(service),
            "CERTRAIL_PROGRAMS_DIR": str(self.programs),
            "CERTRAIL_ERASURE_KEY": "e" * 32,
            "CERTRAIL_CERTS_KEYS_SECRET": "k" * 32,
            "CERTRAIL_API_PORT": str(self._api_ports[service] if role in ("api", "all") else 0),
            "CERTRAIL_INTERNAL_PORT": str(internal_port),
            "CERTRAIL_JWKS_URL": f"{self.service_url('identity')}/api/identity/v1/jwks.json",
            "CERTRAIL_PUBLIC_URL": self.public_url,
        }
        if service == "identity":
            environment["CERTRAIL_SIGNING_KEYS_FILE"] = str(self._keys)
            environment["CERTRAIL_SIGNING_KEYS_SECRET"] = self._keys_secret
            environment["CERTRAIL_OPERATOR_SECRET"] = self.operator_secret
        if service == "exams":
            environment["CERTRAIL_VENDORS_DIR"] = str(self.vendors)
        if service == "notify":
            environment["CERTRAIL_SMTP_HOST"] = LOOPBACK
            environment["CERTRAIL_HOOKS_SECRET"] = "h" * 32
            environment["CERTRAIL_SMTP_PORT"] = str(self.smtp_port)
        return environment


def _inherited() -> dict[str, str]:
    """Our environment without settings that are not meant for a service."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CERTRAIL_")}


@asynccontextmanager
async def open_stage(mongo: MongoUnderTest, broker: BrokerUnderTest) -> AsyncIterator[Stage]:
    """A stage on empty servers; at its end everything stops, and must stop by itself."""
    async with opened(Stage, mongo, broker) as stage:
        yield stage


@asynccontextmanager
async def opened(kind: type[S], mongo: MongoUnderTest, broker: BrokerUnderTest) -> AsyncIterator[S]:
    """As `open_stage`, with a stage of another kind."""
    await mongo.empty()
    await broker.empty()
    with session_folder() as folder:
        stage = kind(folder, mongo, broker)
        try:
            yield stage
        finally:
            killed = await stage.stop()
        assert not killed, f"did not stop when told to: {killed}"
