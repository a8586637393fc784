"""How long certificates last, from what servers show."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from libs.common.certificate_watch import CertificateWatch, expiry_of, shown_by

ENDS = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""Long past by the time of any test: nobody would trust it, and just that must be seen."""


def certificate(folder: Path) -> Path:
    """A key and a certificate of its own making, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "certrail.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ENDS - timedelta(days=90))
        .not_valid_after(ENDS)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """A server that speaks TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate(tmp_path))

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


def told(port: int) -> float | None:
    return REGISTRY.get_sample_value(
        "certrail_tls_certificate_expiry_timestamp_seconds", {"server": f"127.0.0.1:{port}"}
    )


async def test_the_end_of_a_certificate_is_seen_also_where_nobody_would_trust_it(port: int) -> None:
    assert expiry_of(await shown_by("127.0.0.1", port)) == ENDS
    await CertificateWatch(f"https://127.0.0.1:{port}/portal").run()
    assert told(port) == ENDS.timestamp()


async def test_a_server_that_is_away_tells_nothing_and_stops_no_job(unused_tcp_port: int) -> None:
    with capture_logs() as logs:
        await CertificateWatch(f"https://127.0.0.1:{unused_tcp_port}").run()
    assert [line["event"] for line in logs] == ["certificate_not_seen"]
    assert told(unused_tcp_port) is None


async def test_a_page_without_tls_is_not_looked_at(port: int) -> None:
    await CertificateWatch(f"http://127.0.0.1:{port}").run()
    assert told(port) is None
