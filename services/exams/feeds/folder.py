"""The watched folder of a vendor: what lies in it is kept in the archive, then removed from it."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from libs.common.clock import Clock
from libs.common.vendor_files.names import is_finished_name
from services.exams.feeds.archive import Archive, Arrival, TooLargeError
from services.exams.feeds.lines import BLOCK_BYTES
from services.exams.feeds.settling import Settling
from services.exams.feeds.sources import Look, SourceFaultError, UnsettledError


@dataclass(frozen=True, slots=True)
class _Looks:
    """What changes while a file is written, or when another takes its name."""

    size: int
    modified_ns: int
    inode: int


class FolderSource:
    """A folder on this machine or mounted here. Subfolders and links are left alone."""

    EVERY: ClassVar = timedelta(seconds=2)
    AFTER_FAULT: ClassVar = timedelta(seconds=30)

    def __init__(self, vendor: str, folder: Path, archive: Archive, clock: Clock, settle: timedelta) -> None:
        self.key = f"folder:{vendor}"
        self.vendor = vendor
        self._folder = folder
        self._archive = archive
        self._clock = clock
        self._settling = Settling(settle)

    async def look(self) -> Look:
        """Take what is whole. Raises `SourceFaultError`."""
        try:
            files = await asyncio.to_thread(self._list)
            taken = 0
            too_large: str | None = None
            for name in self._settling.look(files, self._clock.now()):
                try:
                    taken += await self._take(name, files[name])
                except TooLargeError as error:
                    too_large = f"{name}: {error}"
        except FileNotFoundError:
            raise SourceFaultError("missing", f"there is no folder {self._folder}") from None
        except PermissionError as error:
            raise SourceFaultError("denied", f"{error.filename}: permission denied") from None
        except OSError as error:
            raise SourceFaultError("failed", f"{self._folder}: {error.strerror}") from error
        if too_large is not None:
            raise SourceFaultError("too_large", too_large, taken=taken)
        return Look(self.EVERY, taken)

    def pause_after(self, _failures: int) -> timedelta:
        return self.AFTER_FAULT

    def _list(self) -> dict[str, _Looks]:
        with os.scandir(self._folder) as entries:
            found = [
                (entry.name, entry.stat(follow_symlinks=False)) for entry in entries if is_finished_name(entry.name)
            ]
        return {name: _looks(state) for name, state in found if stat.S_ISREG(state.st_mode)}

    async def _take(self, name: str, looks: _Looks) -> bool:
        if looks.size > self._archive.most_bytes:
            raise TooLargeError(self._archive.most_bytes)  # without reading what would be thrown away
        path = self._folder / name
        written_at = datetime.fromtimestamp(looks.modified_ns / 1e9, UTC)
        arrival = Arrival(self.vendor, name[:200], "folder", written_at=written_at)
        try:
            await self._archive.keep(arrival, _blocks(path, looks))
        except (UnsettledError, FileNotFoundError):
            return False  # written to, replaced or removed meanwhile
        if await asyncio.to_thread(_looks_now, path) == looks:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            self._settling.forget(name)
        return True


async def _blocks(path: Path, looks: _Looks) -> AsyncIterator[bytes]:
    """A file's content, if it stays what it was from the first byte to the last."""
    descriptor = await asyncio.to_thread(os.open, path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        while block := await asyncio.to_thread(os.read, descriptor, BLOCK_BYTES):
            yield block
        if _looks(os.fstat(descriptor)) != looks:
            raise UnsettledError
    finally:
        os.close(descriptor)


def _looks_now(path: Path) -> _Looks | None:
    try:
        return _looks(path.lstat())
    except FileNotFoundError:
        return None


def _looks(state: os.stat_result) -> _Looks:
    return _Looks(state.st_size, state.st_mtime_ns, state.st_ino)
