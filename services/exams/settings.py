"""Settings of exams."""

from pathlib import Path

from pydantic import Field, SecretStr

from libs.common.settings import ServiceSettings


class ExamsSettings(ServiceSettings):
    """What exams needs beside the common settings."""

    vendors_dir: Path | None = Field(
        default=None, description="folder of the vendors' definitions (*.yaml); without it vendors use the bus alone"
    )
    credentials_secret: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="encrypts the secrets that sign vendors' notifications; without it vendors have tokens only",
    )
    vendor_secrets_dir: Path | None = Field(
        default=None, description="folder of the secrets that the vendors' definitions name, one file each"
    )
