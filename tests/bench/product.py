"""Certrail itself in the benchmark: the services as they ship, each with its own accounts, settings and walls."""

import asyncio
import json
import sys
from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import aio_pika
from joserfc.jwk import OKPKey
from motor.motor_asyncio import AsyncIOMotorClient

from deploy.broker.definitions import all_queues, broker_users
from deploy.broker.management import Management
from deploy.local.platform import PROGRAMS
from deploy.local.secret_store import write_private
from deploy.mongo.users import database_name, ensure_users
from deploy.processes import APPS
from libs.common.bus import topology
from libs.common.clock import SystemClock
from libs.common.events import SERVICES
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import CERTS_READ
from libs.common.http.tokens import sign
from libs.common.mongo.links import link_id
from libs.common.mongo.migrations import migrate
from libs.common.service import Service as Declared
from services.certs.app import SERVICE as CERTS
from services.exams.app import SERVICE as EXAMS
from services.fulfillment.app import SERVICE as FULFILLMENT
from services.identity.app import SERVICE as IDENTITY
from services.notify.app import SERVICE as NOTIFY
from tests.bench import population
from tests.bench.holdings import ledger
from tests.bench.pipeline import Counts, Environment, HttpRequest, HttpTarget, Pipeline, Service, VendorDoor
from tests.bench.reference import databases

HOPS: tuple[Declared, ...] = (EXAMS, CERTS, FULFILLMENT, NOTIFY)
ALL: tuple[Declared, ...] = (IDENTITY, *HOPS)
PASSWORDS = {user: f"bench-{user}" for user in {*broker_users([population.VENDOR]), *APPS}}  # of throw-away servers
TOKENS = 64


class Product(Pipeline):
    """The four services a result passes through, one process each with all its roles."""

    name = "certrail"
    hops: ClassVar[tuple[Declared, ...]] = HOPS

    def replicas(self, hop: str) -> int:
        """How many processes a service has."""
        return 1

    async def set_up(self, environment: Environment, results: int) -> None:
        await self.tear_down(environment)
        await prepare(environment)
        async with databases(environment) as client:
            await _fill_links(client, results)
            await _fill_recipients(client, results)

    def services(self, environment: Environment) -> Sequence[Service]:
        return [
            Service(
                hop.name,
                (sys.executable, "-m", f"services.{hop.name}", "--role", "all"),
                service_environment(environment, hop.name),
            )
            for hop in self.hops
            for _replica in range(self.replicas(hop.name))
        ]

    async def wait_ready(self, environment: Environment) -> None:
        async with _channel(environment) as channel:
            for hop in self.hops:
                for queue in topology.consumed_queues(hop.name):
                    await _until_consumed(channel, queue, self.replicas(hop.name))

    def vendor_door(self, environment: Environment) -> VendorDoor:
        url = environment.broker.amqp_url(population.VENDOR, PASSWORDS[population.VENDOR])
        return VendorDoor(url, topology.VENDORS)

    async def counts(self, environment: Environment) -> Counts:
        async with databases(environment) as client:
            certs = client[database_name("certs")]["candidates"]
            return Counts(
                results=await client[database_name("exams")]["results"].count_documents(
                    {"candidate_id": {"$ne": None}}
                ),
                certifications=await certs.count_documents({"certifications.0": {"$exists": True}}),
                kits=await client[database_name("fulfillment")]["offers"].count_documents({}),
                mails=await client[database_name("notify")]["messages"].count_documents({"state": "sent"}),
            )

    async def tear_down(self, environment: Environment) -> None:
        async with _channel(environment) as channel:
            for queue in all_queues([population.VENDOR]):
                await channel.queue_delete(queue)
        async with databases(environment) as client:
            for service in SERVICES:
                await client.drop_database(database_name(service))


async def prepare(environment: Environment) -> None:
    """Accounts, topology and collections, as the platform's own set-up makes them."""
    broker = environment.broker
    management = Management(broker.management_url, broker.admin_user, broker.admin_password)
    await management.apply([population.VENDOR], {user: PASSWORDS[user] for user in broker_users([population.VENDOR])})
    await ensure_users(environment.mongo.admin_url, {app: PASSWORDS[app] for app in APPS})
    async with databases(environment) as client:
        for hop in ALL:
            database = client[database_name(hop.name)]
            await migrate(database, hop.migrations, owner="bench", clock=SystemClock())


def service_environment(environment: Environment, service: str, *, api_port: int = 0) -> dict[str, str]:
    variables = {
        "CERTRAIL_MONGO_URL": environment.mongo.url(database_name(service), service, PASSWORDS[service]),
        "CERTRAIL_AMQP_URL": environment.broker.amqp_url(service, PASSWORDS[service]),
        "CERTRAIL_PROGRAMS_DIR": str(PROGRAMS),
        "CERTRAIL_ERASURE_KEY": "e" * 32,
        "CERTRAIL_CERTS_KEYS_SECRET": "k" * 32,
        "CERTRAIL_API_PORT": str(api_port),
        "CERTRAIL_INTERNAL_PORT": "0",
        "CERTRAIL_SMTP_HOST": environment.smtp_host,
        "CERTRAIL_SMTP_PORT": str(environment.smtp_port),
    }
    if service == IDENTITY.name:
        variables["CERTRAIL_SIGNING_KEYS_FILE"] = str(_signing_keys(environment))
        variables["CERTRAIL_SIGNING_KEYS_SECRET"] = "s" * 32
    return variables


def signing_key(environment: Environment) -> OKPKey:
    """The key that identity signs access tokens with in this run."""
    stored = json.loads(_signing_keys(environment).read_text())["keys"][0]
    return OKPKey.import_key(stored)


def _signing_keys(environment: Environment) -> Path:
    path = environment.work / "signing-keys.json"
    if not path.exists():
        key = OKPKey.generate_key("Ed25519", {"kid": "bench", "alg": "Ed25519"}, private=True)
        write_private(path, json.dumps({"keys": [key.as_dict(private=True)]}))
    return path


def candidate_id(index: int) -> str:
    return f"CSCO{index:08d}"


async def _fill_links(client: AsyncIOMotorClient, results: int) -> None:  # type: ignore[type-arg]
    await client[database_name("exams")]["links"].insert_many(
        {
            "_id": link_id(population.PROGRAM, population.VENDOR, population.vendor_candidate_id(index)),
            "candidate_id": candidate_id(index),
            "waiting": 0,
        }
        for index in range(results)
    )


async def _fill_recipients(client: AsyncIOMotorClient, results: int) -> None:  # type: ignore[type-arg]
    await client[database_name("notify")]["recipients"].insert_many(
        {
            "_id": candidate_id(index),
            "program": population.PROGRAM,
            "email": population.email(index),
            "given_name": "Candidate",
            "family_name": str(index),
            "language": None,
            "version": 1,
            "waits": 0,
        }
        for index in range(results)
    )


def candidate_token(key: OKPKey, candidate: str, scopes: frozenset[str]) -> str:
    """An access token for an hour, as identity would sign it."""
    principal = Principal(
        f"candidate:{candidate}",
        Kind.CANDIDATE,
        programs=frozenset({population.PROGRAM}),
        scopes=scopes,
        candidate_id=candidate,
    )
    now, lifetime = datetime.now(UTC), timedelta(hours=1)
    return sign(principal, key, issuer="certrail", token_id=candidate, now=now, lifetime=lifetime)


class ServiceApi(HttpTarget):
    """A service's API."""

    service_name: ClassVar[str]

    def __init__(self) -> None:
        self._key = OKPKey.generate_key("Ed25519", {"kid": "bench", "alg": "Ed25519"}, private=True)
        self._keys: KeyServer | None = None

    @abstractmethod
    async def fill(self, environment: Environment, candidates: int) -> None:
        """Put what candidates 0 to `candidates` - 1 read into the service's database."""

    async def set_up(self, environment: Environment, candidates: int) -> None:
        self._keys = KeyServer(json.dumps({"keys": [self._key.as_dict(private=False)]}).encode())
        await Product().tear_down(environment)
        await prepare(environment)
        await self.fill(environment, candidates)

    def service(self, environment: Environment, port: int) -> Service:
        if self._keys is None:
            raise RuntimeError("set up first")
        name = self.service_name
        variables = service_environment(environment, name, api_port=port) | {"CERTRAIL_JWKS_URL": self._keys.url}
        return Service(name, (sys.executable, "-m", f"services.{name}", "--role", "api"), variables)

    async def tear_down(self, environment: Environment) -> None:
        if self._keys is not None:
            self._keys.close()
        await Product().tear_down(environment)


class CandidateApi(ServiceApi):
    """One that candidates ask, each with a token and about themselves."""

    scopes: ClassVar[frozenset[str]]

    @abstractmethod
    def path(self, candidate: str) -> str:
        """What is asked, below the service's base path."""

    def requests(self, environment: Environment) -> Sequence[HttpRequest]:
        return [self._request(index) for index in range(TOKENS)]

    def _request(self, index: int) -> HttpRequest:
        candidate = candidate_id(index)
        token = candidate_token(self._key, candidate, self.scopes)
        path = f"/api/{self.service_name}/v1{self.path(candidate)}"
        return HttpRequest(path, {"Authorization": f"Bearer {token}"})


class CertsApi(CandidateApi):
    """The certs service's API, reading what a candidate holds."""

    name = "certrail"
    service_name = "certs"
    scopes = CERTS_READ

    async def fill(self, environment: Environment, candidates: int) -> None:
        async with databases(environment) as client:
            await client[database_name("certs")]["candidates"].insert_many(
                ledger(candidate_id(index)) for index in range(candidates)
            )

    def path(self, candidate: str) -> str:
        return f"/programs/{population.PROGRAM}/candidates/{candidate}/certifications"


class KeyServer:
    """Publishes the keys that the benchmark signs tokens with, as identity does."""

    def __init__(self, document: bytes) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(document)))
                self.end_headers()
                self.wfile.write(document)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing: the tables are printed on the same terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks.json"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


PIPELINES = (Product(),)
HTTP_TARGETS = (CertsApi(),)


@asynccontextmanager
async def _channel(environment: Environment) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    broker = environment.broker
    url = broker.amqp_url(broker.admin_user, broker.admin_password)
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        yield channel


async def _until_consumed(channel: aio_pika.abc.AbstractChannel, queue: str, consumers: int) -> None:
    while True:
        declared = await channel.declare_queue(queue, passive=True)
        if (declared.declaration_result.consumer_count or 0) >= consumers:
            return
        await asyncio.sleep(0.1)
