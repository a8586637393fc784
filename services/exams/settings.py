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
    exams_feeds_dir: Path | None = Field(
        default=None, description="folder with a folder for each vendor, whose result files are taken from there"
    )
    exams_feeds_settle_seconds: float = Field(
        default=10, ge=0, le=3600, description="a file that has not changed for so long is whole"
    )
    exams_feeds_max_bytes: int = Field(
        default=268_435_456, ge=1_024, le=4_294_967_296, description="size of a vendor's file at most"
    )
    exams_feeds_max_unpacked_bytes: int = Field(
        default=4_294_967_296, ge=1_024, description="size of all that is in it, unpacked, at most"
    )
