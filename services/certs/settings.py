"""Settings of certs."""

from pydantic import Field, SecretStr

from libs.common.settings import ServiceSettings


class CertsSettings(ServiceSettings):
    """What certs needs beside the common settings."""

    certs_keys_secret: SecretStr = Field(
        min_length=32, description="encrypts the keys that sign credentials, as they lie in the database"
    )
    issuer_key_days: int = Field(
        default=365, ge=1, le=3650, description="how long a program's keys sign before others follow them"
    )
    signing_processes: int = Field(
        default=2, ge=1, le=64, description="processes at the lowest priority that sign credentials"
    )
