"""Folders that we share with a vendor: on its SFTP server, or on this machine where its definition names none."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from libs.common.errors import Unavailable
from libs.common.ids import new_id
from libs.common.vendor_files.sftp import SecretSource, SftpError, SftpShape, connect

if TYPE_CHECKING:
    from libs.common.vendor_files.sftp_client import SftpSession

BLOCK_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Found:
    """A file in a folder."""

    name: str
    size: int
    """In bytes."""
    modified_at: datetime


class Place(Protocol):
    """What we do in folders while connected. Every method raises `Unavailable`."""

    async def files(self, folder: str) -> list[Found]:
        """The plain files of a folder, by name."""
        ...

    def read(self, folder: str, name: str) -> AsyncIterator[bytes]:
        """A file's content, block by block."""
        ...

    async def write(self, folder: str, name: str, content: bytes) -> None:
        """Write a file so that nobody sees it half-written, over what is there of that name."""
        ...


Reach = Callable[[SftpShape | None], AbstractAsyncContextManager[Place]]
"""Opens the place on a vendor's server, or on this machine where it has none. Raises `Unavailable`."""


class _Local:
    """Folders of this machine."""

    async def files(self, folder: str) -> list[Found]:
        return await asyncio.to_thread(self._files, folder)

    def _files(self, folder: str) -> list[Found]:
        try:
            entries = [(one.name, one.stat()) for one in os.scandir(folder) if one.is_file(follow_symlinks=False)]
        except OSError as error:
            raise _fault(folder, error) from error
        plain = [one for one in entries if not one[0].startswith(".")]
        return [
            Found(name, status.st_size, datetime.fromtimestamp(int(status.st_mtime), UTC))
            for name, status in sorted(plain, key=lambda one: one[0])
        ]

    async def read(self, folder: str, name: str) -> AsyncIterator[bytes]:
        path = Path(folder, name)
        try:
            file = await asyncio.to_thread(path.open, "rb")
            with file:
                while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
                    yield block
        except OSError as error:
            raise _fault(str(path), error) from error

    async def write(self, folder: str, name: str, content: bytes) -> None:
        await asyncio.to_thread(self._write, folder, name, content)

    def _write(self, folder: str, name: str, content: bytes) -> None:
        draft = Path(folder, f".{name}.{new_id()}.part")
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(Path(folder, name))
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise _fault(folder, error) from error


class _Remote:
    """Folders of an SFTP server."""

    def __init__(self, session: "SftpSession") -> None:
        self._session = session

    async def files(self, folder: str) -> list[Found]:
        try:
            files = await self._session.list(folder)
        except SftpError as error:
            raise Unavailable(str(error)) from error
        return [Found(one.name, one.size, one.modified_at) for one in files if not one.name.startswith(".")]

    async def read(self, folder: str, name: str) -> AsyncIterator[bytes]:
        try:
            async for block in self._session.read(f"{folder.rstrip('/')}/{name}"):
                yield block
        except SftpError as error:
            raise Unavailable(str(error)) from error

    async def write(self, folder: str, name: str, content: bytes) -> None:
        async def blocks() -> AsyncIterator[bytes]:
            for start in range(0, len(content), BLOCK_BYTES):
                yield content[start : start + BLOCK_BYTES]

        try:
            await self._session.write(f"{folder.rstrip('/')}/{name}", blocks())
        except SftpError as error:
            raise Unavailable(str(error)) from error


def reach_with(secrets: SecretSource) -> Reach:
    """Opens vendors' places with these secrets."""

    @asynccontextmanager
    async def reach(server: SftpShape | None) -> AsyncIterator[Place]:
        if server is None:
            yield _Local()
            return
        try:
            async with connect(server, secrets) as session:
                yield _Remote(session)
        except SftpError as error:
            raise Unavailable(str(error)) from error

    return reach


def _fault(what: str, error: OSError) -> Unavailable:
    return Unavailable(f"{what}: {error.strerror or type(error).__name__}")
