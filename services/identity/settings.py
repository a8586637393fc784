"""Settings of identity."""

import json
from pathlib import Path

from joserfc.jwk import Key, KeySet
from pydantic import Field, SecretStr

from libs.common.settings import ServiceSettings


class IdentitySettings(ServiceSettings):
    """What identity needs beside the common settings."""

    signing_keys_file: Path = Field(
        description="private keys that sign access tokens, a JWK set; the first signs, the others only verify"
    )
    operator_secret: SecretStr | None = Field(
        default=None, min_length=32, description="secret of the client `operator`; without it there is none"
    )


def read_signing_keys(path: Path) -> list[Key]:
    """The private keys of a JWK set file (RFC 7517, 5).

    Raises:
        ValueError: the file holds no set of private keys that each have a `kid`.
    """
    keys = list(KeySet.import_key_set(json.loads(path.read_text())).keys)
    if not keys or any(not key.is_private or not key.kid for key in keys):
        raise ValueError(f"{path.name}: needs private keys, each with a kid")
    return keys
