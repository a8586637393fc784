"""Mail transactions over an open SMTP session, as few round trips as the server allows (RFC 2920, PIPELINING).

aiosmtplib connects, secures and signs in; it answers one command at a time, which costs nine times the processor time
of writing a mail's commands at once. So the session's transport is taken over for the mails themselves.
"""

import asyncio

from services.notify.letters import Envelope
from services.notify.replies import Replies, Reply

REPLY_SECONDS = 60.0
"""For the replies before a mail's text, and again for the one after it. Cutting a slow server off after the text was
handed over makes the mail arrive twice."""
_START_INPUT = 354
_OK = 250
_OK_FORWARD = 251
_GOOD = frozenset({_OK, _OK_FORWARD, _START_INPUT})
_COMMANDS = 3
"""That begin a mail: sender, recipient, and the request to send its text."""


_LOST = (OSError, TimeoutError, ValueError)
"""A connection that is gone, silent or out of step; `ValueError` is a reply that begins with no code."""


class RefusedMailError(Exception):
    """The server did not take this mail; the session goes on."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.code)
        self.reply = reply


class BrokenSessionError(Exception):
    """The session cannot be used any more: lost, or out of step."""

    def __init__(self, cause: str, *, doubtful: bool = False) -> None:
        super().__init__(cause)
        self.doubtful = doubtful
        """Whether the server had the whole text by then, and may have taken the mail."""


class Session:
    """An SMTP session in which greeting, TLS and login are done."""

    def __init__(self, transport: asyncio.Transport, *, pipelining: bool) -> None:
        loop = asyncio.get_running_loop()
        self._transport = transport
        self._replies = Replies(loop, REPLY_SECONDS)
        transport.set_protocol(self._replies)
        self._pipelining = pipelining
        self._announced: Envelope | None = None
        """The mail whose commands the server has been sent already."""

    @property
    def open(self) -> bool:
        return not (self._transport.is_closing() or self._replies.over)

    async def send(self, envelope: Envelope, *, following: Envelope | None = None) -> None:
        """Hand one mail over.

        Args:
            envelope: the mail.
            following: the mail that will be sent next. Its commands then travel with the text of this one, which
                saves a write and a round trip each; a server without pipelining hears of it when its turn comes.

        Raises:
            RefusedMailError: the server refused it; the next one may be sent.
            BrokenSessionError: nobody knows; close the session. The text of `following` has not been sent.
        """
        handed_over = False
        try:
            await self._open_mail(envelope)
            text = _stuffed(envelope.content)
            if following is not None and self._pipelining:
                text += b"".join(_commands(following))
                self._announced = following
            self._transport.write(text)
            handed_over = True
            reply = await self._reply()
        except _LOST as error:
            raise BrokenSessionError(type(error).__name__, doubtful=handed_over) from error
        if reply.code != _OK:
            raise RefusedMailError(reply)

    async def _open_mail(self, envelope: Envelope) -> None:
        """Bring the session to where the server waits for this mail's text."""
        if self._announced is not None:
            if self._announced is not envelope:
                raise RuntimeError("another mail was announced to the server")
            self._announced = None
            replies = await self._replies.take(_COMMANDS)
        elif self._pipelining:
            self._transport.write(b"".join(_commands(envelope)))
            replies = await self._replies.take(_COMMANDS)
        else:
            replies = await self._one_by_one(_commands(envelope))
        refusal = next((reply for reply in replies if reply.code not in _GOOD), None)
        if refusal is not None:
            # A server may ask for the text although it took no recipient: an empty one ends that (RFC 2920, 3.1).
            await self._settle_refusal(waiting=replies[-1].code == _START_INPUT)
            raise RefusedMailError(refusal)

    async def _one_by_one(self, commands: tuple[bytes, ...]) -> list[Reply]:
        replies: list[Reply] = []
        for command in commands:
            self._transport.write(command)
            replies.append(await self._reply())
            if replies[-1].code not in _GOOD:
                break
        return replies

    async def _settle_refusal(self, *, waiting: bool) -> None:
        if waiting:
            self._transport.write(b".\r\n")
            await self._reply()
        self._transport.write(b"RSET\r\n")
        if (await self._reply()).code != _OK:
            raise BrokenSessionError("RSET was refused")

    async def _reply(self) -> Reply:
        return (await self._replies.take(1))[0]

    async def quit(self) -> None:
        """Say goodbye; a server that does not answer is left without."""
        try:
            async with asyncio.timeout(1.0):
                self._transport.write(b"QUIT\r\n")
                await self._reply()
        except _LOST:
            return
        finally:
            self._transport.close()

    def close(self) -> None:
        self._transport.close()


def _commands(envelope: Envelope) -> tuple[bytes, bytes, bytes]:
    utf8 = b" SMTPUTF8" if envelope.recipient.needs_utf8 else b""
    return (
        b"MAIL FROM:<%b>%b\r\n" % (envelope.sender.encode(), utf8),
        b"RCPT TO:<%b>\r\n" % envelope.recipient.text.encode(),
        b"DATA\r\n",
    )


def _stuffed(content: bytes) -> bytes:
    """The text as it travels: lines that begin with a dot get another, and a dot alone ends it (RFC 5321, 4.5.2)."""
    body = content if content.endswith(b"\r\n") else content + b"\r\n"
    if body.startswith(b"."):
        body = b"." + body
    return body.replace(b"\r\n.", b"\r\n..") + b".\r\n"
