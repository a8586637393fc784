"""The mail sink: an SMTP server that accepts everything, remembers when, and costs next to nothing.

It runs as a process of its own. Mails are told apart by Message-ID. A second port answers one line of JSON to each
line `count`, `reset` or `dump PATH`; the dump lists every accepted mail as
`[message_id, recipient, monotonic_seconds]`.
"""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

_OK = b"250 OK\r\n"
_END = b"\r\n.\r\n"
_GREETING = b"220 sink.bench.example ESMTP\r\n"
_EHLO = b"250-sink.bench.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"


@dataclass
class Ledger:
    """Every mail accepted since the last reset."""

    mails: list[tuple[str, str, float]] = field(default_factory=list)
    message_ids: set[str] = field(default_factory=set)

    def accept(self, recipient: str, content: bytes) -> None:
        message_id = _header(content, b"message-id")
        self.mails.append((message_id, recipient, time.monotonic()))
        self.message_ids.add(message_id)

    def reset(self) -> None:
        self.mails.clear()
        self.message_ids.clear()

    def dump(self, path: Path) -> None:
        path.write_text(json.dumps(self.mails))

    def count(self) -> dict[str, float]:
        last = self.mails[-1][2] if self.mails else 0.0
        return {"total": len(self.mails), "distinct": len(self.message_ids), "last": last}


def _header(content: bytes, name: bytes) -> str:
    """A header's value; raises `ValueError` where there is none, because a mail without an id cannot be counted."""
    for line in content.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip().decode()
    raise ValueError(f"a mail came without {name.decode()}")


class SmtpSession(asyncio.Protocol):
    """The server's side of RFC 5321 as far as senders of service mail use it, with pipelining (RFC 2920)."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._buffer = b""
        self._in_data = False
        self._recipient = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._transport.write(_GREETING)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        replies = []
        while (reply := self._step()) is not None:
            replies.append(reply)
        if replies:
            self._transport.write(b"".join(replies))

    def _step(self) -> bytes | None:
        """Take one line, or one whole mail, off the buffer. None when it is not complete yet."""
        end = _END if self._in_data else b"\r\n"
        unit, found, rest = self._buffer.partition(end)
        if not found:
            return None
        self._buffer = rest
        if self._in_data:
            self._in_data = False
            self._ledger.accept(self._recipient, unit)
            return _OK
        return self._command(unit)

    def _command(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self._recipient = line[line.index(b"<") + 1 : line.index(b">")].decode()
        elif verb == b"DATA":
            self._in_data = True
            return b"354 go on\r\n"
        elif verb == b"EHLO":
            return _EHLO
        elif verb == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
            return b""
        return _OK if verb in {b"MAIL", b"RCPT", b"HELO", b"RSET", b"NOOP"} else b"502 not here\r\n"


class Control:
    """Answers the harness."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            command, _, argument = line.decode().strip().partition(" ")
            if command == "reset":
                self._ledger.reset()
            elif command == "dump":
                self._ledger.dump(Path(argument))
            writer.write(json.dumps(self._ledger.count()).encode() + b"\n")
        writer.close()


async def serve(smtp_port: int, control_port: int) -> None:
    ledger = Ledger()
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: SmtpSession(ledger), "127.0.0.1", smtp_port)
    control = await asyncio.start_server(Control(ledger), "127.0.0.1", control_port)
    async with smtp, control:
        await asyncio.gather(smtp.serve_forever(), control.serve_forever())


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench.sink", description=__doc__)
    options.add_argument("--smtp-port", type=int, required=True)
    options.add_argument("--control-port", type=int, required=True)
    chosen = options.parse_args()
    uvloop.run(serve(chosen.smtp_port, chosen.control_port))


if __name__ == "__main__":
    main()
