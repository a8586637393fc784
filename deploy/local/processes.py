"""Starting, watching and ending server processes that outlive the command that started them."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local.secret_store import write_private

POLL_SECONDS = 0.05
LOG_TAIL_LINES = 15
LOG_ROLL_BYTES = 10_000_000


class StartError(Exception):
    """A server did not come up; the message says why and quotes the end of its log."""


class PortTakenError(StartError):
    """Somebody else already listens where a server should."""


@dataclass(frozen=True)
class ServerProcess:
    """One process, known by its id and the moment it began, so that a reused id is never mistaken for it."""

    pid: int
    began: float

    @classmethod
    def of(cls, pid: int) -> "ServerProcess":
        return cls(pid, psutil.Process(pid).create_time())

    @property
    def alive(self) -> bool:
        """Whether it still runs; a dead child of ours is reaped here."""
        try:
            process = psutil.Process(self.pid)
            if process.create_time() != self.began:
                return False
            if process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1:
                return True  # a dead first thread is no end: others may still hold sockets and files
        except psutil.NoSuchProcess:
            return False
        self._reap()
        return False

    async def terminate(self, *, patience: float) -> bool:
        """Ask it to stop; kill it if it has not within `patience` seconds. True if it stopped itself."""
        if not self.alive:
            return True
        os.kill(self.pid, signal.SIGTERM)
        try:
            await until(lambda: not self.alive, patience=patience)
        except TimeoutError:
            await self.kill()
            return False
        return True

    async def kill(self) -> None:
        """End it at once (SIGKILL) and wait until it is gone."""
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
        await until(lambda: not self.alive, patience=10)

    def record(self, file: Path) -> None:
        """Write down which process it is, for a later command to find."""
        write_private(file, f"{self.pid} {self.began!r}\n")

    def _reap(self) -> None:
        try:
            os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return  # somebody else's child: its own parent reaps it


def recorded(file: Path) -> ServerProcess | None:
    """The process written down in `file`, if it still runs."""
    try:
        pid, began = file.read_text().split()
    except FileNotFoundError:
        return None
    process = ServerProcess(int(pid), float(began))
    return process if process.alive else None


def spawn(command: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path) -> ServerProcess:
    """Start a process in a session of its own, its output appended to `log`.

    Raises:
        StartError: the program is missing or may not be run.
    """
    if log.exists() and log.stat().st_size > LOG_ROLL_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    try:
        with log.open("ab") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )
    except OSError as error:
        raise StartError(f"{command[0]} cannot be started: {error.strerror}") from error
    child.returncode = 0  # ServerProcess reaps it; this keeps Popen from warning that it still runs
    return ServerProcess.of(child.pid)


async def until(condition: Callable[[], bool], *, patience: float) -> None:
    """Wait for `condition`. Raises `TimeoutError` after `patience` seconds."""
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 a process elsewhere sets no event of ours
            await asyncio.sleep(POLL_SECONDS)


def log_tail(log: Path) -> str:
    """The last lines of a log, to show beside an error."""
    if not log.exists():
        return "(no log)"
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(lines[-LOG_TAIL_LINES:])
