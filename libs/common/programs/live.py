"""The programs of a running service: read from their folder, and read again when a file there has changed.

A new definition takes effect without a restart. It must load without a fault and bear a higher version than the one
it replaces; otherwise everything stays as it is, and the log says why.
"""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog
from prometheus_client import Gauge

from libs.common.programs.errors import ProgramError, ProgramErrors
from libs.common.programs.loader import load_programs
from libs.common.programs.model import Program

LOOK_SECONDS = 5.0

VERSION = Gauge("certrail_program_version", "Version of a program's definition in force here", ["program"])

log = structlog.get_logger(__name__)

Fingerprint = frozenset[tuple[str, int, int]]


class LivePrograms(Mapping[str, Program]):
    """Programs by id. A look-up gives the version in force at that moment; keep the `Program`, not its parts."""

    def __init__(self, folder: Path) -> None:
        """Read every definition. Raises `ProgramErrors` where one has a fault."""
        self._folder = folder
        self._seen = _fingerprint(folder)
        self._programs = load_programs(folder)
        self._show()

    def __getitem__(self, program: str) -> Program:
        return self._programs[program]

    def __iter__(self) -> Iterator[str]:
        return iter(self._programs)

    def __len__(self) -> int:
        return len(self._programs)

    async def watch(self, stopping: asyncio.Event) -> None:
        """Look for changes until `stopping` is set."""
        while not stopping.is_set():
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await stopping.wait()
            except TimeoutError:
                await asyncio.to_thread(self.look)

    def look(self) -> bool:
        """Take over what has changed. Returns whether something was."""
        seen = _fingerprint(self._folder)
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            programs = load_programs(self._folder)
            self._check_versions(programs)
        except (ProgramErrors, OSError) as error:
            faults = [str(each) for each in error.errors] if isinstance(error, ProgramErrors) else [str(error)]
            log.error("programs_refused", detail=faults)  # noqa: TRY400 the faults say all, with their lines
            return False
        self._programs = programs
        self._show()
        log.info("programs_changed", detail={name: program.version for name, program in programs.items()})
        return True

    def _check_versions(self, programs: Mapping[str, Program]) -> None:
        faults = []
        for name, before in self._programs.items():
            after = programs.get(name)
            if after is None:
                faults.append(ProgramError(str(self._folder), 1, "id", f"{name!r} is in use and cannot be taken away"))
            elif _said(after) != _said(before) and after.version <= before.version:
                message = f"{name} has changed, so its version must be higher than {before.version}"
                faults.append(ProgramError(f"{name}.yaml", 1, "version", message))
        if faults:
            raise ProgramErrors(tuple(faults))

    def _show(self) -> None:
        for name, program in self._programs.items():
            VERSION.labels(name).set(program.version)


def _said(program: Program) -> tuple[str, str | None]:
    """Everything that a program's files say."""
    return program.definition, program.branding.artwork


def _fingerprint(folder: Path) -> Fingerprint:
    files = (path for kind in ("*.yaml", "*.svg") for path in folder.glob(kind))
    stats = ((path.name, path.stat()) for path in files)
    return frozenset((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
