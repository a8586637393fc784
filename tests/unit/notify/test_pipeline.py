"""The mail transaction on the wire, against a server that follows a script."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from services.notify.domain.addresses import WireAddress
from services.notify.letters import Envelope
from services.notify.pipeline import BrokenSessionError, RefusedMailError, Session

Answer = Callable[[bytes], bytes]
MAIL = Envelope("from@a.example", WireAddress("to@b.example", needs_utf8=False), b"Subject: x\r\n\r\n.dot\r\nend")


class Server:
    """Answers each command by a rule and keeps what it was sent."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.commands: list[bytes] = []
        self.texts: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            self.commands.append(line.strip())
            reply = self._answer(line.strip())
            writer.write(reply)
            if reply.startswith(b"354"):
                self.texts.append(await reader.readuntil(b".\r\n") if self._refuses() else await _text(reader))
                writer.write(self._answer(b"<text>"))
        writer.close()

    def _refuses(self) -> bool:
        return not self._answer(b"RCPT").startswith(b"2")


async def _text(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n.\r\n")


@asynccontextmanager
async def session(server: Server, *, pipelining: bool) -> AsyncIterator[Session]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        loop = asyncio.get_running_loop()
        address = listening.sockets[0].getsockname()
        transport, _ = await loop.create_connection(asyncio.Protocol, *address)
        opened = Session(transport, pipelining=pipelining)
        yield opened
        opened.close()
        await asyncio.sleep(0)


def answers(**special: bytes) -> Answer:
    def answer(command: bytes) -> bytes:
        verb = command.split()[0].split(b":")[0].decode()
        default = b"354 go on\r\n" if verb == "DATA" else b"250 ok\r\n"
        return special.get(verb.strip("<>"), default)

    return answer


@pytest.mark.parametrize("pipelining", [True, False])
async def test_mail_arrives_as_it_was_written_with_its_dots_stuffed(*, pipelining: bool) -> None:
    server = Server(answers())
    async with session(server, pipelining=pipelining) as opened:
        await opened.send(MAIL)
        await opened.send(MAIL)
    assert server.commands == [b"MAIL FROM:<from@a.example>", b"RCPT TO:<to@b.example>", b"DATA"] * 2
    assert server.texts == [b"Subject: x\r\n\r\n..dot\r\nend\r\n.\r\n"] * 2


@pytest.mark.parametrize("pipelining", [True, False])
async def test_refused_recipient_costs_its_own_mail_only(*, pipelining: bool) -> None:
    refused = True

    def answer(command: bytes) -> bytes:
        return b"550 5.1.1 no such\r\n" if refused and command.startswith(b"RCPT") else answers()(command)

    server = Server(answer)
    async with session(server, pipelining=pipelining) as opened:
        with pytest.raises(RefusedMailError) as caught:
            await opened.send(MAIL)
        assert caught.value.reply == (550, "5.1.1 no such")
        refused = False
        await opened.send(MAIL)
    assert b"Subject: x" in server.texts[-1]


async def test_refused_text_is_told_with_its_code_and_the_session_goes_on() -> None:
    server = Server(answers(text=b"452-try\r\n452 later\r\n"))
    async with session(server, pipelining=True) as opened:
        with pytest.raises(RefusedMailError) as caught:
            await opened.send(MAIL)
        assert caught.value.reply == (452, "try later")
        assert opened.open


@pytest.mark.parametrize("nonsense", [b"hello\r\n", b"x" * 20_000 + b"\r\n"])
async def test_server_out_of_step_breaks_the_session_not_the_sender(nonsense: bytes) -> None:
    server = Server(answers(MAIL=nonsense))
    async with session(server, pipelining=True) as opened:
        with pytest.raises(BrokenSessionError):
            await opened.send(MAIL)


NEXT = Envelope("from@a.example", WireAddress("next@b.example", needs_utf8=False), b"Subject: y\r\n\r\nnext")
COMMANDS = [b"MAIL FROM:<from@a.example>", b"RCPT TO:<to@b.example>", b"DATA"]
NEXT_COMMANDS = [b"MAIL FROM:<from@a.example>", b"RCPT TO:<next@b.example>", b"DATA"]


@pytest.mark.parametrize("pipelining", [True, False])
async def test_mail_announced_with_the_text_before_it_is_opened_once(*, pipelining: bool) -> None:
    server = Server(answers())
    async with session(server, pipelining=pipelining) as opened:
        for _ in range(3):
            await opened.send(MAIL, following=NEXT)
            await opened.send(NEXT)
    assert server.commands == [*COMMANDS, *NEXT_COMMANDS] * 3
    assert [text.splitlines()[0] for text in server.texts] == [b"Subject: x", b"Subject: y"] * 3


async def test_refused_text_leaves_the_mail_announced_with_it_in_step() -> None:
    replies = [b"452 later\r\n", b"250 ok\r\n"]

    def answer(command: bytes) -> bytes:
        return replies.pop(0) if command == b"<text>" else answers()(command)

    server = Server(answer)
    async with session(server, pipelining=True) as opened:
        with pytest.raises(RefusedMailError):
            await opened.send(MAIL, following=NEXT)
        await opened.send(NEXT)
    assert server.commands == [*COMMANDS, *NEXT_COMMANDS]


async def test_another_mail_than_the_one_announced_is_never_sent_in_its_place() -> None:
    async with session(Server(answers()), pipelining=True) as opened:
        await opened.send(MAIL, following=NEXT)
        with pytest.raises(RuntimeError):
            await opened.send(MAIL)
