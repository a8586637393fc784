"""The SMTP side (RFC 5321): takes every mail for anybody, and says so only once it is on disk.

A protocol of its own rather than aiosmtpd: that reads a mail line by line and costs a millisecond each, three
times as much as this.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable
from typing import cast

from deploy.mailcatcher.headers import read_headers
from deploy.mailcatcher.storage import Delivery
from deploy.mailcatcher.writer import MailWriter
from libs.common.clock import Clock

MAX_MAIL_BYTES = 10_485_760
MAX_LINE_BYTES = 4_096
MAX_RECIPIENTS = 1_000

_END_OF_MAIL = b"\r\n.\r\n"
_PATH = re.compile(r"(?:FROM|TO):\s*<([^<>\r\n]*)>", re.IGNORECASE)
_GREETING = b"220 mailcatcher ESMTP Certrail\r\n"
_EXTENSIONS = (
    "250-mailcatcher",
    "250-PIPELINING",
    "250-8BITMIME",
    "250-SMTPUTF8",
    "250-ENHANCEDSTATUSCODES",
    f"250 SIZE {MAX_MAIL_BYTES}",
)


class SmtpSession(asyncio.Protocol):
    """One connection: commands in, replies out, in the order they came."""

    def __init__(self, writer: MailWriter, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._searched = 0
        self._in_mail = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._keeping: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(_GREETING)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 asyncio's signature
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._advance()

    def _advance(self) -> None:
        """Work through what has come, up to a mail that is still being stored."""
        while self._transport and not self._keeping and (self._take_mail() if self._in_mail else self._take_line()):
            pass

    def _take_line(self) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > MAX_LINE_BYTES:
                self._hang_up("500 5.5.2 line too long")
            return False
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        self._command(line.decode(errors="surrogateescape"))
        return True

    def _take_mail(self) -> bool:
        # The line end before the mail is DATA's own, so a mail of nothing but the final dot ends at once.
        if self._buffer.startswith(b".\r\n"):
            raw, used = b"", 3
        else:
            end = self._buffer.find(_END_OF_MAIL, max(0, self._searched - len(_END_OF_MAIL)))
            if end < 0:
                self._searched = len(self._buffer)
                if len(self._buffer) > MAX_MAIL_BYTES:
                    self._hang_up("552 5.3.4 mail too large")
                return False
            raw, used = bytes(self._buffer[: end + 2]), end + len(_END_OF_MAIL)
        del self._buffer[:used]
        self._in_mail, self._searched = False, 0
        self._keeping = asyncio.create_task(self._keep(_unstuffed(raw)))
        return True

    async def _keep(self, raw: bytes) -> None:
        delivery = Delivery(
            received_at=self._clock.now().isoformat(timespec="milliseconds"),
            recipients=tuple(self._recipients),
            raw=raw,
            headers=read_headers(raw),
        )
        try:
            await self._writer.keep(delivery)
            reply = "250 2.0.0 kept"
        except sqlite3.Error as error:
            reply = f"451 4.3.0 not stored: {error}"
        self._forget_mail()
        self._reply(reply)
        self._keeping = None
        self._advance()

    def _command(self, line: str) -> None:
        verb, _, argument = line.partition(" ")
        handler = self._COMMANDS.get(verb.upper())
        if handler is None:
            self._reply("502 5.5.1 unknown command")
        else:
            handler(self, argument)

    def _hello(self, argument: str) -> None:  # noqa: ARG002 a client's name for itself changes nothing
        self._forget_mail()
        self._reply("\r\n".join(_EXTENSIONS))

    def _mail(self, argument: str) -> None:
        path = _PATH.match(argument)
        if path is None:
            self._reply("501 5.1.7 MAIL FROM:<address> is needed")
        else:
            self._sender = path.group(1)
            self._reply("250 2.1.0 ok")

    def _recipient(self, argument: str) -> None:
        path = _PATH.match(argument)
        if self._sender is None:
            self._reply("503 5.5.1 MAIL first")
        elif path is None or not path.group(1):
            self._reply("501 5.1.3 RCPT TO:<address> is needed")
        elif len(self._recipients) >= MAX_RECIPIENTS:
            self._reply("452 4.5.3 too many recipients")
        else:
            self._recipients.append(path.group(1))
            self._reply("250 2.1.5 ok")

    def _data(self, argument: str) -> None:  # noqa: ARG002 DATA takes none
        if not self._recipients:
            self._reply("503 5.5.1 RCPT first")
        else:
            self._in_mail = True
            self._reply("354 go on, and end with a dot")

    def _reset(self, argument: str) -> None:  # noqa: ARG002 RSET takes none
        self._forget_mail()
        self._reply("250 2.0.0 ok")

    def _nothing(self, argument: str) -> None:  # noqa: ARG002 NOOP's argument means nothing
        self._reply("250 2.0.0 ok")

    def _quit(self, argument: str) -> None:  # noqa: ARG002 QUIT takes none
        self._hang_up("221 2.0.0 bye")

    def _forget_mail(self) -> None:
        self._sender, self._recipients = None, []

    def _reply(self, text: str) -> None:
        if self._transport:
            self._transport.write(text.encode() + b"\r\n")

    def _hang_up(self, text: str) -> None:
        self._reply(text)
        if self._transport:
            self._transport.close()
            self._transport = None

    _COMMANDS: dict[str, Callable[["SmtpSession", str], None]] = {  # noqa: RUF012 a constant of the class
        "EHLO": _hello,
        "HELO": _hello,
        "MAIL": _mail,
        "RCPT": _recipient,
        "DATA": _data,
        "RSET": _reset,
        "NOOP": _nothing,
        "QUIT": _quit,
    }


async def serve_smtp(host: str, port: int, writer: MailWriter, clock: Clock) -> asyncio.Server:
    """Listen for mail. Raises `OSError` where the port is taken."""
    return await asyncio.get_running_loop().create_server(lambda: SmtpSession(writer, clock), host, port)


def _unstuffed(raw: bytes) -> bytes:
    """The mail without the dots that SMTP puts before lines that begin with one (RFC 5321, 4.5.2)."""
    plain = raw.replace(b"\r\n..", b"\r\n.")
    return plain[1:] if plain.startswith(b"..") else plain
