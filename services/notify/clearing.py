"""Asks of mails that wait whether they may go, of many at a time, and has those at hand that may."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple

import structlog
from pymongo.errors import PyMongoError

from libs.common.bus.connection import wait_or_stop
from libs.common.clock import Clock
from services.notify.checks import Check
from services.notify.domain.delivery import Paced, Withheld
from services.notify.domain.mails import TOKEN
from services.notify.domain.pacing import Pacing
from services.notify.letters import Letter

AT_ONCE: Final = 75
"""Mails that are asked about together: each question is one look at the database, however many it is about."""
AT_HAND: Final = 25
"""Where fewer are left that may go, the next are asked about, so that no connection waits for answers."""
GOOD_SECONDS: Final = 5.0
"""How old an answer may be when a mail's turn comes; afterwards it is asked about again. In most cases it is used at
once, but not while the mail server cannot be reached."""
AGAIN_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Cleared(NamedTuple):
    """A mail that may go."""

    letter: Letter
    until: float
    """For so long, in seconds of the event loop's clock."""


Withhold = Callable[[Letter, Withheld | Paced], Awaitable[None]]
"""Settles a mail that must not go, or not yet."""


class Clearing:
    """Mails on their way from being claimed to a connection."""

    def __init__(self, check: Check, pacing: Pacing, clock: Clock, withhold: Withhold) -> None:
        self._check = check
        self._pacing = pacing
        self._clock = clock
        self._withhold = withhold
        self._waiting: asyncio.Queue[Letter | None] = asyncio.Queue()
        self._cleared: asyncio.Queue[Cleared | None] = asyncio.Queue()
        self._taken = asyncio.Event()

    def put(self, letter: Letter) -> None:
        """Have a mail asked about."""
        self._waiting.put_nowait(letter)

    async def take(self) -> Cleared | None:
        """A mail that may go, however long it takes to come. None after the end."""
        found = await self._cleared.get()
        self._taken.set()
        return found

    def at_hand(self) -> Cleared | None:
        """A mail that may go, if there is one now."""
        if self._cleared.empty():
            return None
        self._taken.set()
        return self._cleared.get_nowait()

    def end(self, takers: int) -> None:
        """Forget all mails; each of so many who `take` is told."""
        for queue in (self._waiting, self._cleared):
            while not queue.empty():
                queue.get_nowait()
        self._waiting.put_nowait(None)
        for _ in range(takers):
            self._cleared.put_nowait(None)
        self._taken.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until the end."""
        while (letter := await self._waiting.get()) is not None:
            letters = [letter]
            while len(letters) < AT_ONCE and not self._waiting.empty() and not stopping.is_set():
                if (following := self._waiting.get_nowait()) is not None:
                    letters.append(following)
            reasons = await self._reasons(letters, stopping)
            if reasons is None:
                return
            await self._sort(letters, reasons)
            while self._cleared.qsize() > AT_HAND and not stopping.is_set():
                self._taken.clear()
                await self._taken.wait()

    async def _reasons(self, letters: Sequence[Letter], stopping: asyncio.Event) -> Mapping[str, str] | None:
        """Why some of the mails must not go; nothing goes before that is known. None where a stop came first."""
        while not stopping.is_set():
            try:
                return await self._check.withheld(letters)
            except PyMongoError as error:
                log.warning("mails_unchecked", cause=type(error).__name__, count=len(letters))
            await wait_or_stop(stopping, AGAIN_SECONDS)
        return None

    async def _sort(self, letters: Sequence[Letter], reasons: Mapping[str, str]) -> None:
        until = asyncio.get_running_loop().time() + GOOD_SECONDS
        for letter in letters:
            verdict = self._stopped(letter, reasons)
            if verdict is None:
                self._cleared.put_nowait(Cleared(letter, until))
            else:
                await self._withhold(letter, verdict)

    def _stopped(self, letter: Letter, reasons: Mapping[str, str]) -> Withheld | Paced | None:
        now = self._clock.now()
        if letter.id in reasons:
            return Withheld(now, reasons[letter.id])
        turn = self._pacing.turn(letter.recipient.email, now, given_at=letter.paced_at)
        # Whoever has asked for a link sits waiting for it: it counts, and goes before its turn.
        return None if turn is None or TOKEN in letter.context else Paced(now, turn)
