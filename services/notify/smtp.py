"""One connection to the mail server, kept open and opened again when it is lost."""

import asyncio
import random
from collections.abc import Callable
from typing import Self, cast

import aiosmtplib
import structlog
from aiosmtplib import SMTPException, SMTPResponseException, SMTPServerDisconnected
from prometheus_client import Counter

from libs.common import certificate_watch
from libs.common.bus.connection import wait_or_stop
from libs.common.clock import Clock
from services.notify.domain.delivery import Accepted, Deferred, Refused, Verdict, verdict_on
from services.notify.letters import Envelope
from services.notify.pipeline import BrokenSessionError, RefusedMailError, Session
from services.notify.settings import NotifySettings, SmtpTls

CONNECT_SECONDS = 10.0
LONGEST_PAUSE = 5.0
"""Seconds between two tries to connect, at most."""

_CLOSING = 421
"""The server's last words before it closes the connection (RFC 5321, 3.8)."""

CONNECTS = Counter("certrail_smtp_connections_total", "Connections made to the mail server")
CONNECT_FAULTS = Counter("certrail_smtp_connection_faults_total", "Connections that could not be made")

log = structlog.get_logger(__name__)

_BROKEN = (SMTPException, OSError, TimeoutError)
"""What the library raises when there is no connection or no longer one."""


class MailServer:
    """Where mails are handed over, and how connections to it are made."""

    def __init__(self, settings: NotifySettings) -> None:
        self._settings = settings

    def client(self) -> aiosmtplib.SMTP:
        """A client that is not connected yet."""
        settings = self._settings
        protection = settings.smtp_protection
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            use_tls=protection is SmtpTls.TLS,
            # Never "if offered": whoever sits in between could make the server seem not to offer it.
            start_tls=protection is SmtpTls.STARTTLS,
            # Whoever answers must prove to be the one asked for.
            validate_certs=True,
            cert_bundle=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
            timeout=CONNECT_SECONDS,
        )


async def _open(client: aiosmtplib.SMTP) -> Session:
    """Connect, secure and sign in as the settings say.

    Raises:
        SMTPException, OSError, TimeoutError: there is no such connection.
    """
    await client.connect()
    # Connecting greets the server only where TLS or an account needs it; later, a greeting would end a mail begun.
    if client.is_ehlo_or_helo_needed:
        await client.ehlo()
    if client.transport is None:
        raise SMTPServerDisconnected("closed while greeting")
    # Both directions, whichever event loop made it; the library names only what both kinds have in common.
    return Session(cast("asyncio.Transport", client.transport), pipelining=client.supports_extension("pipelining"))


def _note_certificate(client: aiosmtplib.SMTP) -> None:
    """Tell monitoring how long the mail server's certificate lasts, where the connection is secured."""
    secured = client.transport.get_extra_info("ssl_object") if client.transport else None
    certificate = secured.getpeercert(binary_form=True) if secured else None
    if certificate is not None:
        certificate_watch.note(f"{client.hostname}:{client.port}", certificate)


class Connection:
    """Hands over one mail at a time."""

    def __init__(self, make_client: Callable[[], aiosmtplib.SMTP], clock: Clock) -> None:
        self._make_client = make_client
        self._clock = clock
        self._session: Session | None = None
        self._takes_utf8 = False

    @classmethod
    def many(cls, count: int, server: MailServer, clock: Clock) -> list[Self]:
        return [cls(server.client, clock) for _ in range(count)]

    async def connect(self, stopping: asyncio.Event) -> bool:
        """Have a connection, however long it takes. Returns False where a stop came first."""
        pause = 0.1
        while not stopping.is_set():
            if self._session is not None and self._session.open:
                return True
            client = self._make_client()
            try:
                self._session = await _open(client)
            except _BROKEN as error:
                CONNECT_FAULTS.inc()
                code = error.code if isinstance(error, SMTPResponseException) else None
                log.warning("smtp_unreachable", cause=type(error).__name__, code=code)
                client.close()
                await wait_or_stop(stopping, pause * random.uniform(0.5, 1.0))  # noqa: S311 jitter, not a secret
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                CONNECTS.inc()
                _note_certificate(client)
                self._takes_utf8 = client.supports_extension("smtputf8")
        return False

    async def send(self, envelope: Envelope, *, following: Envelope | None = None) -> Verdict:
        """Hand a mail over and say what became of it. `connect` first.

        `following` is the mail that this connection will be given next, where that is known.
        """
        session = self._session
        if session is None:
            raise RuntimeError("connect before sending")
        if not self._takes(envelope):
            return Refused(self._clock.now(), "SMTPUTF8 is not offered")
        if following is not None and not self._takes(following):
            following = None
        try:
            await session.send(envelope, following=following)
        except RefusedMailError as error:
            if error.reply.code == _CLOSING:
                self._drop(session)
            return verdict_on(error.reply.code, error.reply.text, self._clock.now())
        except BrokenSessionError as error:
            self._drop(session)
            return Deferred(self._clock.now(), f"connection lost: {error}", doubtful=error.doubtful)
        return Accepted(self._clock.now())

    def _takes(self, envelope: Envelope) -> bool:
        return self._takes_utf8 or not envelope.recipient.needs_utf8

    def _drop(self, session: Session) -> None:
        session.close()
        self._session = None

    async def close(self) -> None:
        """Say goodbye."""
        session, self._session = self._session, None
        if session is not None:
            await session.quit()
