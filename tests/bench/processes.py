"""The processes under measurement: started, stopped, and read for the CPU time and memory they took."""

import asyncio
import os
import resource
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local.processes import ServerProcess, log_tail, spawn
from deploy.local.settings import PROJECT
from tests.bench.pipeline import Service

_STOP_SECONDS = 30.0


class BenchError(Exception):
    """A participant did not do what it should; the message says what was seen."""


@dataclass(frozen=True)
class Running:
    """A started process with its name."""

    name: str
    process: ServerProcess
    log: Path | None = None

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL for one that does not go."""
        if not self.process.alive:
            return
        psutil.Process(self.process.pid).terminate()
        try:
            await poll(lambda: not self.process.alive, seconds=_STOP_SECONDS, what=f"the end of {self.name}")
        except BenchError:
            await self.process.kill()

    def check(self) -> None:
        """Raises `BenchError` where the process has ended."""
        if not self.process.alive:
            raise BenchError(f"{self.name} ended by itself:\n{log_tail(self.log) if self.log else ''}")


@asynccontextmanager
async def running(services: Sequence[Service], work: Path) -> AsyncIterator[list[Running]]:
    """The services as processes, their logs in `work`; stopped in the end."""
    started: list[Running] = []
    try:
        for number, service in enumerate(services):
            log = work / f"{service.name}.{number}.log"
            log.unlink(missing_ok=True)
            variables = {**os.environ, **service.environment}
            started.append(
                Running(service.name, spawn(service.argv, log=log, environment=variables, folder=PROJECT), log)
            )
        yield started
    finally:
        await asyncio.gather(*(each.stop() for each in started))


async def poll(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait for `condition`. Raises `BenchError` naming `what` after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 the condition lives in other processes: nobody sets an event
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise BenchError(f"{what} did not come in {seconds:.0f} s") from None


@dataclass(frozen=True)
class CpuSpent:
    """CPU seconds between two moments."""

    parts: dict[str, float]
    foreign: float
    """The part of the machine, 0 to 1, that none of the measured took, nor this process and what it ran meanwhile."""


class CpuMeter:
    """Counts, from its making on, what each part of a measurement costs, and what the rest of the machine does."""

    def __init__(self, parts: Mapping[str, Sequence[int]]) -> None:
        self._parts = parts
        self._before = self._read()
        self._harness = _harness_cpu_seconds()
        self._machine = _machine_cpu_seconds()
        self._began = time.monotonic()

    def stop(self, *, unseen: float = 0.0) -> CpuSpent:
        """The account; `unseen` are seconds of processes that belong to the measurement but to no part."""
        possible = (time.monotonic() - self._began) * (psutil.cpu_count() or 1)
        machine = _machine_cpu_seconds() - self._machine
        harness = _harness_cpu_seconds() - self._harness
        parts = {part: spent - self._before[part] for part, spent in self._read().items()}
        foreign = machine - harness - unseen - sum(parts.values())
        return CpuSpent(parts, max(0.0, foreign / possible))

    def _read(self) -> dict[str, float]:
        return {part: sum(map(_cpu_seconds, pids)) for part, pids in self._parts.items()}


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process and all that it started, the ended ones included."""
    total = 0.0
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # ended between the listing and the reading: its parent's figure has it
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _machine_cpu_seconds() -> float:
    """What all processors did, and what the host took from them, since the machine started."""
    spent = psutil.cpu_times()
    return float(spent.user + spent.nice + spent.system + spent.irq + spent.softirq + spent.steal)


def _harness_cpu_seconds() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def memory_mb(services: Iterable[Running]) -> dict[str, float]:
    """Resident memory by service, in MB (10^6 bytes)."""
    held: dict[str, float] = defaultdict(float)
    for each in services:
        root = psutil.Process(each.process.pid)
        for process in (root, *root.children(recursive=True)):
            held[each.name] += process.memory_info().rss / 1e6
    return dict(held)
