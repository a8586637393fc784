"""Two ways to send many mails over one SMTP connection, for the batched reference."""

import asyncio
from collections.abc import Sequence
from typing import Protocol, Self

from aiosmtplib import SMTP

from tests.bench.case import SENDER, Letter

_SECONDS = 30.0
"""For one batch of mails; a send that takes longer ends the reference."""


class Sender(Protocol):
    """One connection that stays open. Any refusal is an error: the reference knows no other answer."""

    async def send_all(self, letters: Sequence[Letter]) -> None: ...

    async def close(self) -> None: ...


class PlainSender:
    """aiosmtplib: four round trips a mail."""

    def __init__(self, smtp: SMTP) -> None:
        self._smtp = smtp

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        smtp = SMTP(hostname=host, port=port, start_tls=False, timeout=_SECONDS)
        await smtp.connect()
        return cls(smtp)

    async def send_all(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            await self._smtp.sendmail(SENDER, letter.recipient, letter.content)

    async def close(self) -> None:
        await self._smtp.quit()


class PipeliningSender:
    """A minimal client with pipelining (RFC 2920): one round trip a mail, a ninth of the CPU."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        async with asyncio.timeout(_SECONDS):
            sender = cls(*await asyncio.open_connection(host, port))
            await sender._expect(b"220")
            sender._writer.write(b"EHLO bench.example\r\n")
            await sender._expect(b"250")
        return sender

    async def send_all(self, letters: Sequence[Letter]) -> None:
        """Send one after another; the text of a mail travels with the envelope of the next (section 3.1)."""
        if not letters:
            return
        followers = [_envelope(letter) for letter in letters[1:]]
        async with asyncio.timeout(_SECONDS):
            self._writer.write(_envelope(letters[0]))
            for letter, following in zip(letters, [*followers, b""], strict=True):
                for code in (b"250", b"250", b"354"):
                    await self._expect(code)
                self._writer.write(letter.content.replace(b"\r\n.", b"\r\n..") + b".\r\n" + following)
                await self._expect(b"250")

    async def close(self) -> None:
        async with asyncio.timeout(_SECONDS):
            self._writer.write(b"QUIT\r\n")
            await self._expect(b"221")
            self._writer.close()
            await self._writer.wait_closed()

    async def _expect(self, code: bytes) -> None:
        line = await self._reader.readline()
        while line[3:4] == b"-":
            line = await self._reader.readline()
        if not line.startswith(code):
            raise ConnectionError(f"the mail server answered {line.decode(errors='replace').strip()!r}")


def _envelope(letter: Letter) -> bytes:
    return f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{letter.recipient}>\r\nDATA\r\n".encode()
