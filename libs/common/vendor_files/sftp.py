"""SFTP as a vendor's definition describes it: who the server must be, who we are there, and what can go wrong.

```yaml
sftp:
  host: sftp.vendor.example
  port: 22
  username: certrail
  host_keys:                     # all that the server may show; two while it changes its key
    - ssh-ed25519 AAAAC3Nza…
  password: vue-sftp-password    # names of secrets; one of the two, or both where the server wants both
  private_key: vue-sftp-key
```
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from libs.common.events.types import Line
from libs.common.programs.written import Shape
from libs.common.secret_files import SecretName

if TYPE_CHECKING:
    from libs.common.vendor_files.sftp_client import SftpSession


def _host_key(line: str) -> str:
    try:
        load_ssh_public_key(line.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("is no public key as in `ssh-keyscan`, like `ssh-ed25519 AAAA…`") from None
    return line


class SftpShape(Shape):
    """The section `sftp` of a vendor's definition."""

    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:_-]{1,253}$")]
    port: Annotated[int, Field(ge=1, le=65_535)] = 22
    username: Line
    host_keys: Annotated[list[Annotated[str, AfterValidator(_host_key)]], Field(min_length=1, max_length=10)]
    password: SecretName | None = None
    private_key: SecretName | None = None

    @model_validator(mode="after")
    def _some_secret(self) -> "SftpShape":
        if self.password is None and self.private_key is None:
            raise ValueError("needs `password` or `private_key`, the name of a secret")
        return self


class SecretSource(Protocol):
    """Where secrets are read, anew each time."""

    def get(self, name: str) -> SecretStr:
        """The secret of that name. Raises `Unavailable` where there is none."""


class Fault(StrEnum):
    """What keeps us from a server, or from something on it."""

    UNREACHABLE = "unreachable"
    """No connection, or it broke."""
    HOST_KEY = "host_key"
    """It shows a key that is not in the definition: another server answers, or theirs has a new key."""
    LOGIN = "login"
    """It does not let us in."""
    SECRET = "secret"  # noqa: S105 the name of a fault
    """Our own password or key is missing or cannot be read."""
    DENIED = "denied"
    """It lets us in, and not do this."""
    MISSING = "missing"
    """There is no such file or folder."""
    FAILED = "failed"
    """Whatever else it answers: a full disk, say."""


class SftpError(Exception):
    """An SFTP server, or what we asked it for, cannot be had. The message holds no secret."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A plain file in a folder of the server."""

    path: str
    name: str
    size: int
    """In bytes."""
    modified_at: datetime
    """In whole seconds."""


@asynccontextmanager
async def connect(server: SftpShape, secrets: SecretSource) -> AsyncIterator["SftpSession"]:
    """A session on the server, until the block ends.

    Nothing of the machine's own SSH (known hosts, keys, agent, configuration) is used.

    Raises:
        SftpError: the server cannot be reached, is not the one it should be, or does not let us in.
    """
    from libs.common.vendor_files.sftp_client import open_session  # noqa: PLC0415 loaded only where there is a server

    async with open_session(server, secrets) as session:
        yield session
