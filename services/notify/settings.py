"""Settings of notify: the mail server it hands its mails to."""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, FilePath, SecretStr, model_validator

from libs.common.events.types import EmailAddress
from libs.common.settings import ServiceSettings
from services.notify.dkim import read_keys
from services.notify.domain.pacing import read_rates


def _rates(text: str) -> str:
    read_rates(text)
    return text


def _dkim_folder(folder: Path) -> Path:
    read_keys(folder)
    return folder


class SmtpTls(StrEnum):
    """How the connection to the mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class NotifySettings(ServiceSettings):
    """What notify needs beside the common settings."""

    smtp_host: str = Field(default="127.0.0.1", min_length=1, description="mail server")
    smtp_port: int = Field(default=1025, ge=1, le=65535, description="its port")
    smtp_user: str | None = Field(default=None, min_length=1, description="account there; none without it")
    smtp_password: SecretStr | None = Field(default=None, description="the account's password")
    smtp_tls: SmtpTls | None = Field(
        default=None, description="none, starttls or tls; starttls unless the server is on this machine"
    )
    smtp_ca_file: FilePath | None = Field(
        default=None, description="certificates of authorities that are trusted for it beside the system's"
    )
    mail_rates: Annotated[str, AfterValidator(_rates)] | None = Field(
        default=None, description="mails a second to a domain, for each process: `example.com=20 *=100`"
    )
    dkim_keys_dir: Annotated[Path, AfterValidator(_dkim_folder)] | None = Field(
        default=None, description="private keys that sign mails, each named as its public part is in the DNS"
    )
    smtp_connections: int = Field(default=4, ge=1, le=64, description="connections kept open to it")

    return_path: EmailAddress | None = Field(
        default=None,
        description="where bounces go, such as bounces@mail.example, with each mail's id after a plus sign; "
        "without it the program's sender gets them",
    )
    mail_reports_dir: Path | None = Field(
        default=None, description="a maildir to which bounces and complaints are delivered; none is read without it"
    )

    @property
    def smtp_protection(self) -> SmtpTls:
        """The protection asked for, or the default for where the server is."""
        if self.smtp_tls is not None:
            return self.smtp_tls
        return SmtpTls.NONE if _is_loopback(self.smtp_host) else SmtpTls.STARTTLS

    @model_validator(mode="after")
    def _account_is_whole_and_safe(self) -> Self:
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("smtp_user and smtp_password need each other")
        if self.smtp_user is not None and self.smtp_protection is SmtpTls.NONE and not _is_loopback(self.smtp_host):
            raise ValueError("smtp_tls none would send smtp_password over the network for all to read")
        return self


def _is_loopback(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name, and names are not looked up to decide on protection
        return False
