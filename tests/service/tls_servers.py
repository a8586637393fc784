"""MongoDB, RabbitMQ and gateway that speak nothing but TLS, and want to know who comes."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, ConnectionFailure, OperationFailure

from deploy.gateway import nginx
from deploy.kubernetes.secrets import Servers
from deploy.local import mongod, rabbitmq
from deploy.local.ports import free_ports, is_listening
from deploy.local.processes import spawn, until
from deploy.local.rabbitmq_files import write_configuration
from deploy.local.secret_store import SecretStore
from deploy.local.settings import LOOPBACK
from deploy.mongo.replica_set import REPLICA_SET
from tests.service.authority import Authority, Certificate

HOST = "localhost"
"""The name in the servers' certificates; the address they listen on is not in them."""
PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class TlsServers:
    """Both, and who proves them."""

    servers: Servers
    management_port: int
    authority: Authority
    client: Certificate
    kept: SecretStore


@asynccontextmanager
async def tls_servers(folder: Path) -> AsyncIterator[TlsServers]:
    """Both servers with an administrator each, empty."""
    authority = Authority(folder / "authority", "Certrail's tests")
    server, client = authority.sign(HOST), authority.sign("certrail")
    kept = SecretStore(folder / "secrets")
    mongo_port, *ports = free_ports(6)
    broker_ports = rabbitmq.BrokerPorts.model_validate(
        dict(zip(("amqp", "management", "metrics", "epmd", "distribution"), ports, strict=True))
    )
    proof = {"server": server, "authority": authority, "kept": kept}
    async with (
        _mongod(folder / "mongo", mongo_port, client=client, **proof),
        _broker(folder / "rabbitmq", broker_ports, **proof),
    ):
        yield TlsServers(
            Servers(f"{HOST}:{mongo_port}", REPLICA_SET, f"{HOST}:{broker_ports.amqp}", tls=True),
            broker_ports.management,
            authority,
            client,
            kept,
        )


@asynccontextmanager
async def _mongod(
    folder: Path, port: int, *, server: Certificate, client: Certificate, authority: Authority, kept: SecretStore
) -> AsyncIterator[None]:
    folder.mkdir()  # noqa: ASYNC240 nothing waits for it
    keyfile = kept.keyfile("mongo.key")
    keyfile.chmod(0o400)
    tls = ("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(server.both), "--tlsCAFile", str(authority.file))
    process = spawn(
        [str(mongod.mongod_binary()), *mongod._arguments(folder, port, keyfile, 0.25), *tls],
        log=folder / "mongod.log",
        environment={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        folder=folder,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await asyncio.to_thread(_made_ready, port, client, authority, kept.get("mongo/admin")):
                assert process.alive, (folder / "mongod.log").read_text()[-2000:]
                await asyncio.sleep(0.1)
        yield
    finally:
        await process.kill()


def _made_ready(port: int, client: Certificate, authority: Authority, password: str) -> bool:
    """One step towards a replica set with an administrator; whether that was the last."""
    tls = {"tls": True, "tlsCAFile": str(authority.file), "tlsCertificateKeyFile": str(client.both)}
    options = {**tls, "directConnection": True, "serverSelectionTimeoutMS": 500}
    with MongoClient[dict[str, Any]](f"{HOST}:{port}", **options) as guest:
        try:
            if not guest.admin.command("hello").get("setName"):
                member = {"_id": 0, "host": f"{HOST}:{port}"}
                guest.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
            if not guest.admin.command("hello")["isWritablePrimary"]:
                return False
            guest.admin.command("createUser", "admin", pwd=password, roles=["root"])
        except (AutoReconnect, ConnectionFailure):
            return False
        except OperationFailure as error:
            raise AssertionError(error.details) from error
    return True


@asynccontextmanager
async def _broker(
    folder: Path, ports: rabbitmq.BrokerPorts, *, server: Certificate, authority: Authority, kept: SecretStore
) -> AsyncIterator[None]:
    write_configuration(folder, ports, rabbitmq.ADMINISTRATOR, kept.get("amqp/admin"))
    file = folder / "rabbitmq.conf"
    plain = [line for line in file.read_text().splitlines() if not line.startswith(("listeners.tcp", "management.tcp"))]
    files = {"cacertfile": authority.file, "certfile": server.chain, "keyfile": server.key}
    file.write_text(
        "\n".join(
            [
                *plain,
                "listeners.tcp = none",
                f"listeners.ssl.1 = {LOOPBACK}:{ports.amqp}",
                *(f"ssl_options.{name} = {path}" for name, path in files.items()),
                "ssl_options.verify = verify_peer",
                "ssl_options.fail_if_no_peer_cert = true",
                f"management.ssl.ip = {LOOPBACK}",
                f"management.ssl.port = {ports.management}",
                *(f"management.ssl.{name} = {path}" for name, path in files.items()),
                "",
            ]
        )
    )
    mapper = rabbitmq._launch_mapper(folder, ports)
    process = rabbitmq._launch_broker(folder, ports)
    broker = rabbitmq.BrokerServer(
        LOOPBACK, ports, rabbitmq.ADMINISTRATOR, kept.get("amqp/admin"), folder, process, mapper
    )
    try:
        await broker._wait_ready()
        yield
    finally:
        await broker.kill()


@asynccontextmanager
async def tls_gateway(folder: Path, certificate: Certificate, upstreams: dict[str, str]) -> AsyncIterator[int]:
    """nginx with our template and what the chart puts into it; yields its port."""
    folder.mkdir()  # noqa: ASYNC240 nothing waits for it
    (port,) = free_ports(1)
    directives = (
        f"ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key}; ssl_protocols TLSv1.2 TLSv1.3;"
    )
    values = {
        **nginx.local_values(folder, port, upstreams),
        "LISTEN": f"{LOOPBACK}:{port} ssl http2",
        "TLS_DIRECTIVES": directives,
    }
    gateway = nginx._launch(folder, values, nginx.LOCAL_LIMITS, port)
    try:
        await until(lambda: is_listening(port) or not gateway.alive, patience=PATIENCE_SECONDS)
        assert gateway.alive, (folder / "nginx.log").read_text()
        yield port
    finally:
        await gateway.kill()
