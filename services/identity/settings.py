"""Settings of identity."""

import json
from pathlib import Path
from typing import Annotated

from joserfc.jwk import Key, KeySet
from pydantic import AfterValidator, Field, SecretStr, StringConstraints, TypeAdapter, ValidationError

from libs.common.events.types import ProgramId
from libs.common.http.senders import TRUSTED_PROXIES, networks_text
from libs.common.settings import ServiceSettings

_SECRETS = TypeAdapter(dict[ProgramId, Annotated[str, StringConstraints(min_length=1, max_length=1000)]])


class IdentitySettings(ServiceSettings):
    """What identity needs beside the common settings."""

    signing_keys_file: Path = Field(
        description="private keys to begin with, a JWK set; the first signs. Read where the database has none yet"
    )
    signing_keys_secret: SecretStr = Field(min_length=32, description="encrypts the signing keys in the database")
    operator_secret: SecretStr | None = Field(
        default=None, min_length=32, description="secret of the client `operator`; without it there is none"
    )
    breached_passwords_file: Path | None = Field(
        default=None, description="more leaked passwords than the list that ships: one or its SHA-1 a line"
    )
    trusted_proxies: Annotated[str, AfterValidator(networks_text)] = Field(
        default=TRUSTED_PROXIES,
        description="networks of the gateway, whose X-Forwarded-For is believed",
    )
    openid_secrets_file: Path | None = Field(
        default=None, description="secrets of our clients at identity providers, JSON: program id to secret"
    )
    provider_clients_file: Path | None = Field(
        default=None,
        description="vendors that may ask our OpenID provider who comes to them, JSON: client id to client",
    )
    sign_in_url: str | None = Field(
        default=None, description="where providers send people back to, the program's id follows it"
    )

    @property
    def sign_in_page(self) -> str:
        return self.sign_in_url or f"{self.public_url.rstrip('/')}/sign-in"

    @property
    def provider_issuer(self) -> str:
        return f"{self.public_url.rstrip('/')}/api/identity/v1/provider"


def read_openid_secrets(path: Path | None) -> dict[str, str]:
    """The secrets by program; none without a file. Raises `ValueError` where the file holds anything else."""
    if path is None:
        return {}
    try:
        return _SECRETS.validate_json(path.read_bytes())
    except ValidationError:
        # Its words would hold the secrets.
        raise ValueError(f"{path.name}: needs a JSON object of program ids with a secret each") from None


def read_signing_keys(path: Path) -> list[Key]:
    """The private keys of a JWK set file (RFC 7517, 5).

    Raises:
        ValueError: the file holds no set of private keys that each have a `kid`.
    """
    keys = list(KeySet.import_key_set(json.loads(path.read_text())).keys)
    if not keys or any(not key.is_private or not key.kid for key in keys):
        raise ValueError(f"{path.name}: needs private keys, each with a kid")
    return keys
