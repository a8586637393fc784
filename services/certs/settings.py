"""Settings of certs."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from libs.common.http.senders import TRUSTED_PROXIES, networks_text
from libs.common.settings import ServiceSettings


class CertsSettings(ServiceSettings):
    """What certs needs beside the common settings."""

    certs_keys_secret: SecretStr = Field(
        min_length=32, description="encrypts the keys that sign credentials, as they lie in the database"
    )
    trusted_proxies: Annotated[str, AfterValidator(networks_text)] = Field(
        default=TRUSTED_PROXIES, description="networks of the gateway, whose X-Forwarded-For is believed"
    )
    country_header: str | None = Field(
        default=None, description="header in which the gateway says from which country a request comes"
    )
    public_requests: int = Field(
        default=120, ge=1, le=1_000_000, description="public requests a minute from one address, to each process"
    )
    issuer_key_days: int = Field(
        default=365, ge=1, le=3650, description="how long a program's keys sign before others follow them"
    )
    provider_secrets_dir: Path | None = Field(
        default=None, description="folder of the secrets that the programs' badge providers need, one file each"
    )
    signing_processes: int = Field(
        default=1, ge=1, le=64, description="processes at the lowest priority that sign credentials"
    )
    drawing_processes: int = Field(default=2, ge=1, le=64, description="processes that draw certificates and logos")
