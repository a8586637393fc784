"""A service on a database, a broker and a gateway that speak TLS alone, set up as the chart's Job does it."""

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aio_pika
import aiohttp
import pytest
import pytest_asyncio
from aio_pika.exceptions import AMQPError
from pymongo.errors import ServerSelectionTimeoutError

from deploy.broker.management import ManagementError
from deploy.gateway.nginx import nginx_binary
from deploy.kubernetes.secrets import contents, first_keys
from deploy.kubernetes.setup import SetUpSettings, set_up
from deploy.local.mongod import mongod_binary
from deploy.local.ports import free_ports
from deploy.local.processes import ServerProcess, spawn
from deploy.local.rabbitmq import rabbitmq_installed
from deploy.processes import APPS
from libs.common.bus import topology
from libs.common.events import SERVICES
from libs.common.mongo.client import open_client
from services.fulfillment.settings import FulfillmentSettings
from tests.servers import session_folder
from tests.service.authority import Authority
from tests.service.tls_servers import HOST, PATIENCE_SECONDS, TlsServers, tls_gateway, tls_servers

pytestmark = [
    pytest.mark.skipif(mongod_binary() is None or not rabbitmq_installed(), reason="needs servers of its own"),
    pytest.mark.skipif(nginx_binary() is None, reason="nginx is not installed"),
]

SERVICE = "fulfillment"
PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class World:
    """The servers with all accounts, and a folder."""

    tls: TlsServers
    secrets: dict[str, dict[str, str]]
    folder: Path

    def settings(self, **changed: object) -> FulfillmentSettings:
        """Those of the service, with its true addresses unless changed."""
        held = self.secrets[f"certrail-{SERVICE}"]
        given: dict[str, object] = {
            "mongo_url": held["CERTRAIL_MONGO_URL"],
            "amqp_url": held["CERTRAIL_AMQP_URL"],
            "erasure_key": held["CERTRAIL_ERASURE_KEY"],
            "programs_dir": PROJECT / "deploy" / "programs",
            "tls_ca_file": self.tls.authority.file,
            "tls_client_file": self.tls.client.both,
        }
        return FulfillmentSettings.model_validate({**given, **changed})


def set_up_settings(
    tls: TlsServers, secrets: dict[str, dict[str, str]], folder: Path, **changed: object
) -> SetUpSettings:
    """As the Job gets them, with the accounts' addresses in files."""
    for app in APPS:
        (folder / app).mkdir(parents=True, exist_ok=True)
        held = secrets[f"certrail-{app}"]
        (folder / app / "mongo-url").write_text(held["CERTRAIL_MONGO_URL"])
        if app in SERVICES:
            (folder / app / "amqp-url").write_text(held["CERTRAIL_AMQP_URL"])
    admin = secrets["certrail-admin"]
    given: dict[str, object] = {
        "mongo_admin_url": admin["mongo-url"],
        "amqp_admin_url": admin["amqp-url"],
        "operator_amqp_url": admin["operator-amqp-url"],
        "management_url": f"https://{HOST}:{tls.management_port}",
        "accounts_dir": folder,
        "tls_ca_file": tls.authority.file,
        "tls_client_file": tls.client.both,
    }
    return SetUpSettings.model_validate({**given, **changed})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world() -> AsyncIterator[World]:
    with session_folder() as folder:
        async with tls_servers(folder / "servers") as tls:
            secrets = contents(tls.kept, first_keys(folder), {}, tls.servers)
            await set_up(set_up_settings(tls, secrets, folder / "accounts"))
            yield World(tls, secrets, folder)


@pytest.fixture(scope="module")
def stranger(world: World) -> Path:
    """The certificate of an authority that has signed nothing here."""
    return Authority(world.folder / "stranger", "somebody else").file


async def answer(url: str, trust: ssl.SSLContext) -> tuple[int, Mapping[str, str]]:
    """Status and headers."""
    async with aiohttp.ClientSession() as session, session.get(url, ssl=trust) as response:
        return response.status, response.headers


async def until_ready(process: ServerProcess, port: int, log: Path) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), aiohttp.ClientSession() as session:
        while True:
            assert process.alive, log.read_text()  # noqa: ASYNC240 the test is over
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def test_a_service_works_over_tls_and_the_gateway_answers_over_it(world: World, stranger: Path) -> None:
    api, internal = free_ports(2)
    log = world.folder / "service.log"
    environment = {
        **world.secrets[f"certrail-{SERVICE}"],
        "PATH": "/usr/bin:/bin",
        "CERTRAIL_TLS_CA_FILE": str(world.tls.authority.file),
        "CERTRAIL_TLS_CLIENT_FILE": str(world.tls.client.both),
        "CERTRAIL_PROGRAMS_DIR": str(PROJECT / "deploy" / "programs"),
        "CERTRAIL_API_PORT": str(api),
        "CERTRAIL_INTERNAL_PORT": str(internal),
    }
    command = [sys.executable, "-m", f"services.{SERVICE}"]
    migration = await asyncio.create_subprocess_exec(
        *command, "--migrate", env=environment, cwd=PROJECT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await migration.communicate()
    assert migration.returncode == 0, said
    assert json.loads(said.splitlines()[-1])["event"] == "migrated"
    process = spawn(command, log=log, environment=environment, folder=PROJECT)
    try:
        await until_ready(process, internal, log)
        certificate = world.tls.authority.sign(HOST)
        upstreams = dict.fromkeys(APPS, f"127.0.0.1:{api}")
        async with tls_gateway(world.folder / "gateway", certificate, upstreams) as port:
            document = f"/api/{SERVICE}/v1/openapi.json"
            trusted = ssl.create_default_context(cafile=world.tls.authority.file)
            status, headers = await answer(f"https://{HOST}:{port}{document}", trusted)
            assert status == 200
            assert headers["Strict-Transport-Security"].startswith("max-age=")
            for url, trust in (
                (f"https://{HOST}:{port}/", ssl.create_default_context(cafile=stranger)),
                (f"https://127.0.0.1:{port}/", trusted),
            ):
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await answer(url, trust)
    finally:
        await process.terminate(patience=30)


async def ask_database(settings: FulfillmentSettings) -> None:
    client = open_client(settings.database_address, application="test")
    try:
        await client.admin.command("ping")
    finally:
        client.close()


async def ask_broker(settings: FulfillmentSettings) -> int:
    """How long a queue is, as a scaler asks: a passive declaration, for which the account needs no right."""
    async with await aio_pika.connect(settings.broker_address) as connection, connection.channel() as channel:
        queue = await channel.declare_queue(topology.events_queue("certs"), passive=True)
        return queue.declaration_result.message_count or 0


async def test_the_true_servers_are_taken_for_what_they_are(world: World) -> None:
    await ask_database(world.settings())
    assert await ask_broker(world.settings()) == 0


async def refused_by_both(settings: FulfillmentSettings, reason: str) -> None:
    """Neither can be worked with, and both say why; a machine that is too busy to say it is asked again."""
    asked = {"database": ask_database, "broker": ask_broker}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while asked:
            for name, ask in list(asked.items()):
                with pytest.raises((ServerSelectionTimeoutError, AMQPError, OSError)) as refused:
                    await ask(settings)
                if reason in str(refused.value):
                    del asked[name]


async def test_a_server_of_another_authority_or_under_another_name_is_refused_and_so_are_strangers(
    world: World, stranger: Path
) -> None:
    held = world.secrets[f"certrail-{SERVICE}"]
    elsewhere = {
        "mongo_url": held["CERTRAIL_MONGO_URL"].replace(f"@{HOST}:", "@127.0.0.1:"),
        "amqp_url": held["CERTRAIL_AMQP_URL"].replace(f"@{HOST}:", "@127.0.0.1:"),
    }
    async with asyncio.TaskGroup() as group:  # each waits as long as a primary is looked for
        group.create_task(refused_by_both(world.settings(tls_ca_file=stranger), "CERTIFICATE_VERIFY_FAILED"))
        group.create_task(refused_by_both(world.settings(**elsewhere), "IP address mismatch"))
        group.create_task(refused_by_both(world.settings(tls_client_file=None), ""))


async def test_the_set_up_gives_no_password_to_a_broker_of_another_authority(world: World, stranger: Path) -> None:
    settings = set_up_settings(world.tls, world.secrets, world.folder / "accounts", tls_ca_file=stranger)
    with pytest.raises(ExceptionGroup) as refused:
        await set_up(settings)
    found = [error for error in refused.value.exceptions if isinstance(error, ManagementError)]
    assert len(found) == 1
    assert "CertificateError" in str(found[0])
