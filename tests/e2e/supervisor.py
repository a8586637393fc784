"""Keeps processes running as an orchestrator would: what ends is started again at once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from deploy.local.ports import is_listening
from deploy.local.processes import ServerProcess, log_tail, spawn, until
from deploy.local.settings import PROJECT
from tests.e2e.waiting import READY_SECONDS, eventually

STOP_SECONDS = 40.0
"""Longer than a service takes to drain: one that is killed at the end of it did not stop by itself."""
FALL_PAUSE_SECONDS = 0.5
_FOREVER = 86_400.0
_PROBE = aiohttp.ClientTimeout(total=5)


@dataclass(eq=False)
class Part:
    """One process that shall run."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], Awaitable[bool]]
    process: ServerProcess | None = None
    ended_by_us: ServerProcess | None = None
    resting: bool = False
    """Whether it is stopped and stays so."""

    @property
    def current(self) -> ServerProcess:
        if self.process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self.process


class Supervisor:
    """Starts parts and starts them again.

    Attributes:
        fallen: what ended without being told to, with the end of its log. A test expects it empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[str, Part] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._closing = False
        self.fallen: list[str] = []

    @property
    def names(self) -> list[str]:
        return [part.name for part in self._running()]

    def _running(self) -> list[Part]:
        return [part for part in self._parts.values() if not part.resting]

    def pid(self, name: str) -> int:
        """The id of a part's process as it runs now."""
        return self._parts[name].current.pid

    async def start(self, *parts: Part) -> None:
        """Start parts and wait until each can work."""
        for part in parts:
            self._parts[part.name] = part
            self._launch(part)
            self._keepers.append(asyncio.create_task(self._keep(part)))
        await asyncio.gather(*(self._until_ready(part) for part in parts))

    async def kill(self, name: str) -> None:
        """End a part with SIGKILL. Returns when it is gone, not when it is back."""
        part = self._parts[name]
        part.ended_by_us = part.current
        await part.ended_by_us.kill()

    async def restart(self, name: str) -> bool:
        """Ask a part to stop, and wait until the next one is ready. Returns whether it stopped by itself."""
        part = self._parts[name]
        part.ended_by_us = asked = part.current
        clean = await asked.terminate(patience=STOP_SECONDS)
        await until(lambda: part.current is not asked, patience=READY_SECONDS)
        await self._until_ready(part)
        return clean

    async def rest(self, name: str) -> bool:
        """Ask a part to stop, and leave it so. Returns whether it stopped by itself."""
        part = self._parts[name]
        part.resting, part.ended_by_us = True, part.current
        return await part.current.terminate(patience=STOP_SECONDS)

    async def wake(self, name: str) -> None:
        """Start a part again that rests, and wait until it can work."""
        part = self._parts[name]
        part.resting = False
        self._launch(part)
        self._keepers.append(asyncio.create_task(self._keep(part)))
        await self._until_ready(part)

    async def ready(self) -> None:
        """Wait until every part can work."""
        await asyncio.gather(*(self._until_ready(part) for part in self._running()))

    async def stop(self) -> list[str]:
        """Stop everything. Returns what had to be killed."""
        self._closing = True
        parts = list(self._parts.values())
        clean = await asyncio.gather(*(part.current.terminate(patience=STOP_SECONDS) for part in parts))
        await asyncio.gather(*self._keepers)
        return [part.name for part, stopped in zip(parts, clean, strict=True) if not stopped]

    def log(self, name: str) -> str:
        """Everything a part has written so far."""
        return self._log(self._parts[name]).read_text(errors="replace")

    def complaints(self) -> list[str]:
        """Warnings and errors of all parts, each kind with how often it came: what to look at after a failure."""
        told: Counter[str] = Counter()
        for name in self._parts:
            for line in self.log(name).splitlines():
                entry = _entry(line)
                if entry.get("level", "info") not in ("debug", "info"):
                    words = (str(entry[key]) for key in ("level", "event", "step", "cause", "code") if entry.get(key))
                    told[" ".join((name, *words))] += 1
        return [f"{count} x {what}" for what, count in sorted(told.items())]

    def set_aside(self) -> list[str]:
        """Complaints of events that failed and were tried again later or parked. Outages are no reason for either."""
        return [line for line in self.complaints() if "event_retried" in line or "event_parked" in line]

    def _log(self, part: Part) -> Path:
        return self._folder / part.name / "output.log"

    def _launch(self, part: Part) -> None:
        folder = self._folder / part.name
        folder.mkdir(exist_ok=True)
        part.process = spawn(part.command, log=self._log(part), environment=part.environment, folder=PROJECT)
        part.process.record(folder / "process.pid")  # where the next session looks for orphans of this one

    async def _keep(self, part: Part) -> None:
        while True:
            process = part.current
            await until(lambda: not process.alive, patience=_FOREVER)  # noqa: B023 awaited within the turn
            if self._closing or part.resting:
                return
            if part.ended_by_us is not process:
                self.fallen.append(f"{part.name} ended by itself:\n{log_tail(self._log(part))}")
                await asyncio.sleep(FALL_PAUSE_SECONDS)
            self._launch(part)

    async def _until_ready(self, part: Part) -> None:
        try:
            await eventually(part.ready, bool, seconds=READY_SECONDS)
        except TimeoutError:
            raise AssertionError(f"{part.name} was not ready:\n{log_tail(self._log(part))}") from None


def _entry(line: str) -> dict[str, Any]:
    """A line of a log; what is no JSON, a traceback say, counts as an error."""
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {"level": "error", "event": line[:200]}
    return content if isinstance(content, dict) else {"level": "error", "event": line[:200]}


def answering(url: str) -> Callable[[], Awaitable[bool]]:
    """Whether a page answers with 200."""

    async def look() -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(url, timeout=_PROBE) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    return look


def listening(port: int) -> Callable[[], Awaitable[bool]]:
    """Whether somebody takes connections on a port of this machine."""

    async def look() -> bool:
        return await asyncio.to_thread(is_listening, port)

    return look
