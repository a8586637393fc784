"""A vendor's folder on its SFTP server: what lies in it is kept in the archive, then removed there, or remembered."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from libs.common.clock import Clock
from libs.common.vendor_files.names import is_finished_name
from libs.common.vendor_files.sftp import RemoteFile, SecretSource, SftpError, SftpShape, connect
from services.exams.feeds.archive import Archive, Arrival, TooLargeError
from services.exams.feeds.settling import Settling
from services.exams.feeds.shape import SftpFeedShape
from services.exams.feeds.sources import Look, SourceFaultError, UnsettledError
from services.exams.feeds.store import FeedStore

if TYPE_CHECKING:
    from libs.common.vendor_files.sftp_client import SftpSession


class SftpSource:
    """A folder of a server, looked at over one connection a look."""

    FIRST_PAUSE: ClassVar = timedelta(seconds=15)
    LONGEST_PAUSE: ClassVar = timedelta(hours=1)

    def __init__(
        self,
        vendor: str,
        server: SftpShape,
        feed: SftpFeedShape,
        *,
        secrets: SecretSource,
        archive: Archive,
        feeds: FeedStore,
        clock: Clock,
        settle: timedelta,
    ) -> None:
        self.key = f"sftp:{vendor}"
        self.vendor = vendor
        self._server = server
        self._feed = feed
        self._secrets = secrets
        self._archive = archive
        self._feeds = feeds
        self._clock = clock
        self._settle = settle
        self._settling = Settling(settle)

    async def look(self) -> Look:
        """Take what is whole. Raises `SourceFaultError`."""
        taken = 0
        too_large: str | None = None
        try:
            async with connect(self._server, self._secrets) as session:
                files = await self._new_files(session)
                looks = {path: (file.size, file.modified_at) for path, file in files.items()}
                for path in self._settling.look(looks, self._clock.now()):
                    try:
                        taken += await self._take(session, files[path])
                    except TooLargeError as error:
                        too_large = f"{path}: {error}"
        except SftpError as error:
            raise SourceFaultError(error.fault, str(error), taken=taken) from error
        if too_large is not None:
            raise SourceFaultError("too_large", too_large, taken=taken)
        every = timedelta(seconds=self._feed.every_seconds)
        soon = max(self._settle, timedelta(seconds=2))
        return Look(min(every, soon) if self._settling.waiting else every, taken)

    def pause_after(self, failures: int) -> timedelta:
        """Twice as long each time, up to an hour."""
        return min(self.FIRST_PAUSE * int(2 ** min(failures - 1, 20)), self.LONGEST_PAUSE)

    async def _new_files(self, session: "SftpSession") -> dict[str, RemoteFile]:
        listed = [file for file in await session.list(self._feed.folder) if is_finished_name(file.name)]
        if self._feed.after == "remove":
            return {file.path: file for file in listed}
        known = await self._feeds.left_files(self.key)
        keys = {self._left_key(file): file for file in listed}
        if gone := known - keys.keys():
            await self._feeds.forget_left(gone)
        return {file.path: file for key, file in keys.items() if key not in known}

    async def _take(self, session: "SftpSession", file: RemoteFile) -> bool:
        if file.size > self._archive.most_bytes:
            raise TooLargeError(self._archive.most_bytes)  # without fetching what would be thrown away
        arrival = Arrival(self.vendor, file.name[:200], "sftp", written_at=file.modified_at)
        try:
            await self._archive.keep(arrival, self._blocks(session, file))
        except UnsettledError:
            return False
        if self._feed.after == "remove":
            if await session.look(file.path) == file:
                await session.remove(file.path)
        else:
            await self._feeds.leave(self.key, self._left_key(file), self._clock.now())
        self._settling.forget(file.path)
        return True

    async def _blocks(self, session: "SftpSession", file: RemoteFile) -> AsyncIterator[bytes]:
        """A file's content, if it is the one that was listed from the first byte to the last."""
        size = 0
        async for block in session.read(file.path):
            size += len(block)
            yield block
        if size != file.size or await session.look(file.path) != file:
            raise UnsettledError

    def _left_key(self, file: RemoteFile) -> str:
        return f"{self.key}:{file.path}:{file.size}:{file.modified_at.isoformat()}"
