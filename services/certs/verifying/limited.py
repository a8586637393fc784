"""Has strangers' files read, and their signatures checked, by processes that are limited and live for one task."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from libs.common.http.problems import TOO_MANY_REQUESTS, Problem
from services.certs.verifying.found import Found, UnreadableError
from services.certs.verifying.limits import GAVE_UP, OUT_OF_MEMORY

WALL_SECONDS: Final = 4.0
AT_ONCE: Final = 2
MOST_WAITING: Final = 8
_TASKS: Final = {"extract": f"{__package__}.extracting_process", "prove": f"{__package__}.proving_process"}

MOST_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""Of the largest text, each sign of it written as an escape."""


class Limited:
    """Runs tasks, so many at once; the others wait, and those behind them are told to come again."""

    def __init__(self) -> None:
        self._running = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def extract(self, content: bytes) -> Found:
        """The credential in a file. Raises `UnreadableError`, and the problem `too-many-requests`."""
        answer = json.loads(await self._run("extract", content))
        if "fault" in answer:
            raise UnreadableError(answer["fault"])
        return Found(**answer)

    async def prove(self, claims: Sequence[dict[str, Any]]) -> list[bool]:
        """Which signatures hold. Raises `UnreadableError`, and the problem `too-many-requests`.

        Args:
            claims: `token`, whether it is a `receipt`, and `key`, a public JWK; or `document`, `proof` and `key`, 32
                bytes as hexadecimal digits.
        """
        if not claims:
            return []
        answer: list[bool] = json.loads(await self._run("prove", json.dumps(claims).encode()))
        return answer

    async def _run(self, task: str, given: bytes) -> bytes:
        async with self._place():
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                _TASKS[task],
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PYTHONPATH": ":".join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
            )
            try:
                async with asyncio.timeout(WALL_SECONDS):
                    answer, _ = await process.communicate(given)
            except TimeoutError as error:
                raise UnreadableError("too_much_work") from error
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        return _judged(process.returncode, answer)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._waiting >= MOST_WAITING:
            raise Problem(TOO_MANY_REQUESTS, "many files are being checked", headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            await self._running.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._running.release()


def _judged(status: int | None, answer: bytes) -> bytes:
    """The answer of a process that came to an end by itself."""
    if status == 0 and len(answer) <= MOST_ANSWER_BYTES:
        return answer
    if status == GAVE_UP:
        raise UnreadableError("damaged")
    if status == OUT_OF_MEMORY or (status is not None and status < 0):  # a signal ends what runs past its time
        raise UnreadableError("too_much_work")
    raise RuntimeError(f"the process that reads files ended with status {status}")
