"""The client of SFTP servers. It takes 18 MB of memory, which only a process with such a server needs."""

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, cast

import asyncssh

from libs.common.errors import Unavailable
from libs.common.ids import new_id
from libs.common.vendor_files.sftp import Fault, RemoteFile, SecretSource, SftpError, SftpShape

CONNECT_SECONDS = 15.0
"""For connection and log-in together."""
KEEPALIVE_SECONDS = 15.0
"""After three of them without an answer the connection is given up, so that no read waits for ever."""
BLOCK_BYTES = 262_144


class SftpSession:
    """What we do on a server while connected. Every method raises `SftpError`."""

    def __init__(self, client: asyncssh.SFTPClient) -> None:
        self._client = client

    async def list(self, folder: str) -> list[RemoteFile]:
        """The plain files of a folder by name; folders and links are left out."""
        with _faults(folder):
            found = [_remote(folder, entry) async for entry in self._client.scandir(folder)]
        return sorted((file for file in found if file is not None), key=lambda file: file.name)

    async def look(self, path: str) -> RemoteFile | None:
        """A file as it is now; None where it is gone."""
        try:
            with _faults(path):
                attributes = await self._client.stat(path)
        except SftpError as error:
            if error.fault is Fault.MISSING:
                return None
            raise
        return _file(path, attributes)

    async def read(self, path: str) -> AsyncIterator[bytes]:
        """A file's content, block by block."""
        with _faults(path):
            async with self._client.open(path, "rb") as file:
                while block := cast("bytes", await file.read(BLOCK_BYTES)):
                    yield block

    async def write(self, path: str, blocks: AsyncIterator[bytes]) -> None:
        """Write a file so that nobody sees it half-written: under another name, then renamed over what is there."""
        target = PurePosixPath(path)
        draft = str(target.with_name(f".{target.name}.{new_id()}.part"))
        with _faults(path):
            try:
                async with self._client.open(draft, "wb") as file:
                    async for block in blocks:
                        await file.write(block)
                await self._rename(draft, path)
            except BaseException:
                await self._discard(draft)
                raise

    async def _rename(self, draft: str, path: str) -> None:
        try:
            await self._client.posix_rename(draft, path)
        except asyncssh.SFTPOpUnsupported:
            await self._client.rename(draft, path)  # refused by the server where the name is taken

    async def _discard(self, draft: str) -> None:
        # Never written perhaps, or the connection is gone; what went wrong first is what counts.
        with suppress(asyncssh.Error, OSError, TimeoutError):
            await asyncio.wait_for(self._client.remove(draft), CONNECT_SECONDS)

    async def remove(self, path: str) -> None:
        """Delete a file; one that is gone already is no error."""
        try:
            with _faults(path):
                await self._client.remove(path)
        except SftpError as error:
            if error.fault is not Fault.MISSING:
                raise


@asynccontextmanager
async def open_session(server: SftpShape, secrets: SecretSource) -> AsyncIterator[SftpSession]:
    """As `sftp.connect`."""
    where = f"{server.host}:{server.port}"
    with _faults(where, opening=True):
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await asyncssh.connect(server.host, server.port, **_options(server, secrets))
    try:
        with _faults(where):
            client = await asyncio.wait_for(connection.start_sftp_client(), CONNECT_SECONDS)
        yield SftpSession(client)
    finally:
        connection.abort()
        await connection.wait_closed()


def _options(server: SftpShape, secrets: SecretSource) -> dict[str, Any]:
    try:
        password = secrets.get(server.password).get_secret_value() if server.password else None
        pem = secrets.get(server.private_key).get_secret_value() if server.private_key else None
        key = asyncssh.import_private_key(pem) if pem is not None else None
    except Unavailable as error:
        raise SftpError(Fault.SECRET, str(error)) from None
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise SftpError(Fault.SECRET, "the secret is no private key without a passphrase") from None
    trusted = [asyncssh.import_public_key(line) for line in server.host_keys]
    return {
        "config": None,
        "known_hosts": (trusted, [], []),
        "username": server.username,
        "password": password,
        "client_keys": [key] if key else None,
        "agent_path": None,
        "gss_auth": False,
        "gss_kex": False,
        "login_timeout": CONNECT_SECONDS,
        "keepalive_interval": KEEPALIVE_SECONDS,
    }


@contextmanager
def _faults(what: str, *, opening: bool = False) -> Iterator[None]:
    """Tell the library's errors in our own words."""
    try:
        yield
    except asyncssh.HostKeyNotVerifiable:
        raise SftpError(Fault.HOST_KEY, f"{what} shows a host key that the definition does not name") from None
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        raise SftpError(Fault.MISSING, f"{what}: there is no such file or folder") from None
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect):
        raise SftpError(Fault.DENIED, f"{what}: permission denied") from None
    except asyncssh.PermissionDenied:
        raise SftpError(Fault.LOGIN, f"{what} does not let us in") from None
    except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError) as error:
        raise SftpError(Fault.UNREACHABLE, f"{what}: the connection broke ({type(error).__name__})") from error
    except (OSError, TimeoutError) as error:
        words = "cannot be reached" if opening else "the connection broke"
        raise SftpError(Fault.UNREACHABLE, f"{what}: {words} ({type(error).__name__})") from error
    except asyncssh.Error as error:
        raise SftpError(Fault.FAILED, f"{what}: {error}") from error


def _remote(folder: str, entry: asyncssh.SFTPName) -> RemoteFile | None:
    name = entry.filename if isinstance(entry.filename, str) else entry.filename.decode("utf-8", "replace")
    return _file(str(PurePosixPath(folder, name)), entry.attrs)


def _file(path: str, attributes: asyncssh.SFTPAttrs) -> RemoteFile | None:
    plain = attributes.permissions is None or stat.S_ISREG(attributes.permissions)
    if not plain or attributes.size is None or attributes.mtime is None:
        return None
    moment = datetime.fromtimestamp(attributes.mtime, UTC)
    return RemoteFile(path, PurePosixPath(path).name, attributes.size, moment)
