"""A real SFTP server: users with passwords or keys, a folder, and everything that can be wrong with it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
from pydantic import SecretStr

from libs.common.errors import Unavailable
from libs.common.vendor_files.sftp import SftpShape


class SftpUnderTest:
    """The server. `folder` is what its users see as `/`."""

    def __init__(self, folder: Path, passwords: Mapping[str, str], keys: Mapping[str, str]) -> None:
        self.folder = folder
        self.passwords = dict(passwords)
        self.keys = dict(keys)
        """Public keys of users, by name."""
        self.forbidden: set[str] = set()
        """Paths that nobody may open, remove or list."""
        self.read_only = False
        self.breaks_after: int | None = None
        """So many bytes of a read it answers, then it drops the connection."""
        self.port = 0
        self.logins = 0
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self.connections: set[asyncssh.SSHServerConnection] = set()

    @property
    def host_key(self) -> str:
        """As a definition has it."""
        return self._key.export_public_key().decode().strip()

    def shape(self, username: str = "certrail", **changes: Any) -> SftpShape:
        """The section of a definition that leads here; secrets are named `<user>-password` unless given."""
        fields = {"host": "127.0.0.1", "port": self.port, "username": username, "host_keys": [self.host_key]}
        return SftpShape(**{**fields, "password": f"{username}-password", **changes})

    async def start(self) -> None:
        """Listen, after a stop on the same port as before."""
        self._acceptor = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=lambda: _Logins(self),
            server_host_keys=[self._key],
            sftp_factory=lambda channel: _Files(self, channel),
            config=None,
        )
        self.port = self._acceptor.get_port()

    async def stop(self) -> None:
        """Go away, connections and all."""
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
            self._acceptor = None
        for connection in list(self.connections):
            connection.abort()
            await connection.wait_closed()

    async def change_host_key(self) -> None:
        """Come back as another server."""
        await self.stop()
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        await self.start()


class _Logins(asyncssh.SSHServer):
    def __init__(self, server: SftpUnderTest) -> None:
        self._server = server
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._server.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._server.connections.discard(self._connection)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return self._server.passwords.get(username) == password

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        known = self._server.keys.get(username)
        return known is not None and key.export_public_key() == asyncssh.import_public_key(known).export_public_key()

    def auth_completed(self) -> None:
        self._server.logins += 1


class _Files(asyncssh.SFTPServer):
    def __init__(self, server: SftpUnderTest, channel: Any) -> None:
        super().__init__(channel, chroot=str(server.folder).encode())
        self._server = server
        self._sent = 0

    def _check(self, path: bytes, *, writing: bool = False) -> None:
        if path.decode() in self._server.forbidden or (writing and self._server.read_only):
            raise asyncssh.SFTPPermissionDenied("not allowed")

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        self._check(path, writing=bool(pflags & asyncssh.FXF_WRITE))
        return super().open(path, pflags, attrs)

    def read(self, file_obj: Any, offset: int, size: int) -> Any:
        content = super().read(file_obj, offset, size)
        self._sent += size
        if self._server.breaks_after is not None and self._sent > self._server.breaks_after:
            for connection in list(self._server.connections):
                connection.abort()
            raise asyncssh.SFTPFailure("gone")
        return content

    def scandir(self, path: bytes) -> Any:
        self._check(path)
        return super().scandir(path)

    def remove(self, path: bytes) -> Any:
        self._check(path, writing=True)
        return super().remove(path)


class SecretsInHand:
    """Secrets by name, as `Secrets` reads them from a folder."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = secrets

    def get(self, name: str) -> SecretStr:
        if name not in self._secrets:
            raise Unavailable(f"the secret {name} cannot be read")
        return SecretStr(self._secrets[name])


@asynccontextmanager
async def sftp_server(
    folder: Path, passwords: Mapping[str, str] | None = None, keys: Mapping[str, str] | None = None
) -> AsyncIterator[SftpUnderTest]:
    """A server on a free port; one user `certrail` with the password `open sesame` unless others are given."""
    server = SftpUnderTest(folder, passwords if passwords is not None else {"certrail": "open sesame"}, keys or {})
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        await asyncio.sleep(0)
