"""A mail server that fails as it is told: it refuses, goes away, is silent, or is not who it says it is."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.service.authority import Certificate

DROP = b""
"""In place of a reply: the connection is closed."""
SILENCE = b"..."
"""In place of a reply: none, for as long as the client waits."""


@dataclass
class FailingServer:
    """Answers by a script, one entry for each time that a command comes; afterwards everything is well.

    `script` holds lists of replies by command: `CONNECT`, `EHLO`, `MAIL`, `RCPT`, `DATA`, `TEXT` (after a mail's text).
    """

    script: dict[str, list[bytes]] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    """Offered by STARTTLS."""
    taken: Counter[str] = field(default_factory=Counter)
    """Mails it has taken responsibility for, also where its answer never arrived, by Message-ID."""
    asked: Counter[str] = field(default_factory=Counter)
    port: int = 0
    _talks: set["asyncio.Task[None]"] = field(default_factory=set)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["FailingServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._talks:
                task.cancel()

    def _reply(self, command: str, well: bytes) -> bytes:
        self.asked[command] += 1
        replies = self.script.get(command)
        return replies.pop(0) if replies else well

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.ensure_future(self._talk(reader, writer))
        self._talks.add(talk)
        try:
            await talk
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone, or the play is over
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        well = True
        reply = self._reply("CONNECT", b"220 here\r\n")
        writer.write(b"" if reply == SILENCE else reply)
        while reply not in {DROP, SILENCE} and (line := await reader.readline()):
            command = line[:4].strip().upper().decode()
            if command == "EHLO":
                offers = b"250-here\r\n250-PIPELINING\r\n" + (b"250-STARTTLS\r\n" if self.tls else b"")
                reply = self._reply(command, offers + b"250 SMTPUTF8\r\n")
            elif command == "STAR":
                writer.write(b"220 go\r\n")
                await writer.start_tls(self.tls)  # type: ignore[arg-type]  # offered only where there is one
                continue
            elif command in {"RCPT", "DATA"} and not well:
                reply = b"503 5.5.1 out of order\r\n"
            elif command == "DATA":
                reply = self._reply(command, b"354 go\r\n")
                if reply.startswith(b"354"):
                    writer.write(reply)
                    reply = self._text(await reader.readuntil(b"\r\n.\r\n"))
            else:
                reply = self._reply(command, b"250 ok\r\n")
                well = reply.startswith(b"2")
            writer.write(b"" if reply == SILENCE else reply)
        if reply == SILENCE:
            await reader.read()

    def _text(self, text: bytes) -> bytes:
        reply = self._reply("TEXT", b"250 taken\r\n")
        if not reply.startswith((b"4", b"5")):
            head = text.partition(b"\r\n\r\n")[0].decode()
            self.taken[next(line for line in head.split("\r\n") if line.startswith("Message-ID"))] += 1
        return reply


def proves(certificate: Certificate) -> ssl.SSLContext:
    """What a server proves with this that it is who it says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context
