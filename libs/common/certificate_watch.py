"""How long the certificate lasts that a server shows."""

import asyncio
import ssl
from datetime import datetime
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from prometheus_client import Gauge

PATIENCE_SECONDS = 10.0
HTTPS_PORT = 443

EXPIRES = Gauge(
    "certrail_tls_certificate_expiry_timestamp_seconds",
    "When the certificate of a server ends that we or our users connect to",
    ["server"],
)

log = structlog.get_logger(__name__)


def expiry_of(certificate: bytes) -> datetime:
    """The last moment of a certificate, in DER. Raises `ValueError` where it is none."""
    return x509.load_der_x509_certificate(certificate).not_valid_after_utc


async def shown_by(host: str, port: int) -> bytes:
    """The certificate that a server shows, in DER, whether or not anybody should trust it.

    Raises:
        OSError, TimeoutError: nobody there speaks TLS.
    """
    # Only the end of the certificate is read: one that has ended already must be seen too.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with asyncio.timeout(PATIENCE_SECONDS):
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    try:
        found: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
    if found is None:
        raise ConnectionError(f"{host} shows no certificate")
    return found


class CertificateWatch:
    """Looks at the certificate of a page's server; one without TLS has none to look at."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "", parts.port or HTTPS_PORT) if parts.scheme == "https" else None

    async def run(self) -> None:
        """One look. A server that cannot be reached says nothing of its certificate, and is other alerts' to tell."""
        if self._server is None:
            return
        host, port = self._server
        try:
            certificate = await shown_by(host, port)
        except (OSError, TimeoutError) as error:
            log.warning("certificate_not_seen", host=host, port=port, cause=type(error).__name__)
            return
        note(f"{host}:{port}", certificate)


def note(server: str, certificate: bytes) -> None:
    """Tell monitoring when a server's certificate ends."""
    EXPIRES.labels(server).set(expiry_of(certificate).timestamp())
