"""What an SMTP server answers, read as it arrives (RFC 5321, 4.2).

A stream reader would be asked line by line, with a timer for each mail; at a thousand mails a second that is a tenth of
what sending costs. Here a chunk is cut into replies once, who waits is woken once, and one timer serves all waits.
"""

import asyncio
from collections import deque
from typing import NamedTuple

LONGEST_REPLY = 16_384
"""Bytes of a reply, all of its lines together; a server that says more is out of step."""


class Reply(NamedTuple):
    """What the server said: a code and its text."""

    code: int
    text: str


class Replies(asyncio.Protocol):
    """The replies of one session, in order.

    Args:
        loop: the loop of the session's transport.
        seconds: how long a wait may take.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._rest = b""
        self._lines: list[bytes] = []  # of a reply that goes on
        self._size = 0
        self._ready: deque[Reply] = deque()
        self._needed = 0
        self._waiter: asyncio.Future[None] | None = None
        self._expires = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._fault: Exception | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come, and all that came was taken."""
        return self._fault is not None and not self._ready

    async def take(self, count: int) -> list[Reply]:
        """The next replies.

        Raises:
            OSError, ValueError: the connection is gone, or the server out of step.
            TimeoutError: they did not come in time.
        """
        while len(self._ready) < count:
            if self._fault is not None:
                raise self._fault
            await self._wait(count)
        return [self._ready.popleft() for _ in range(count)]

    async def _wait(self, count: int) -> None:
        self._needed = count
        self._expires = self._loop.time() + self._seconds
        # One timer for all waits: it looks again where it fires too early, which costs less than one for each.
        if self._timer is None:
            self._timer = self._loop.call_at(self._expires, self._expire)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _expire(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._expires:
            self._timer = self._loop.call_at(self._expires, self._expire)
        else:
            self._waiter.set_exception(TimeoutError())

    def data_received(self, data: bytes) -> None:
        """Called by the transport."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        try:
            for line in lines:
                self._line(line)
            self._measure(len(self._rest))
        except ValueError as error:
            self._end(error)
            return
        if len(self._ready) >= self._needed:
            self._wake()

    def _line(self, line: bytes) -> None:
        self._measure(len(line))
        text = line[4:].strip()
        if line[3:4] == b"-":
            self._lines.append(text)
            self._size += len(line)
            return
        self._ready.append(Reply(int(line[:3]), b" ".join((*self._lines, text)).decode("utf-8", "replace")))
        self._lines, self._size = [], 0

    def _measure(self, more: int) -> None:
        if self._size + more > LONGEST_REPLY:
            raise ValueError("the reply is too long")

    def eof_received(self) -> bool:
        """Called by the transport; it closes itself."""
        self._end(ConnectionResetError("closed by the server"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the transport."""
        self._end(exc if isinstance(exc, OSError) else ConnectionResetError("closed"))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, fault: Exception) -> None:
        self._fault = self._fault or fault
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
