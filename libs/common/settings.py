"""Settings of a process, read once from the environment; a wrong one stops the start and says which and why."""

import sys
from pathlib import Path
from typing import TypeVar

from pydantic import Field, FilePath, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.common.tls import ServerAddress, broker_address, database_address

PREFIX = "CERTRAIL_"


class ProcessSettings(BaseSettings):
    """What every process that answers HTTP needs; each variable is `CERTRAIL_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    mongo_url: ServerAddress = Field(description="MongoDB address with user, password, database and replica set")
    tls_ca_file: FilePath | None = Field(
        default=None, description="certificates of the authorities that prove database and broker; else the system's"
    )
    tls_client_file: FilePath | None = Field(
        default=None, description="certificate and private key by which we prove ourselves to both, in one file"
    )
    programs_dir: Path = Field(description="folder of the program definitions (*.yaml)")
    host: str = Field(default="127.0.0.1", description="address that the API and the internal port listen on")
    api_port: int = Field(default=8080, ge=0, le=65535, description="port of the HTTP API")
    internal_port: int = Field(default=9080, ge=0, le=65535, description="port of health, readiness and metrics")
    public_url: str = Field(default="http://127.0.0.1:8080", description="how people reach the gateway")
    jwks_url: str = Field(
        default="http://127.0.0.1:8080/api/identity/v1/jwks.json", description="keys that sign access tokens"
    )
    token_issuer: str = Field(default="certrail", description="`iss` of access tokens")
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$", description="least level logged")
    log_human: bool = Field(default=False, description="logs for a terminal instead of JSON lines")
    leave_seconds: float = Field(
        default=0, ge=0, le=120, description="time to go on answering HTTP after SIGTERM, for gateways to notice"
    )
    drain_seconds: float = Field(default=20, gt=0, le=300, description="time to finish what is in hand on SIGTERM")

    @property
    def database_address(self) -> str:
        """Where the database is, with what TLS takes."""
        return database_address(self.mongo_url.get_secret_value(), self.tls_ca_file, self.tls_client_file)


class ServiceSettings(ProcessSettings):
    """What every service on the bus needs to know beside that."""

    amqp_url: ServerAddress = Field(description="RabbitMQ address with user, password and virtual host")
    erasure_key: SecretStr = Field(
        min_length=32, description="secret under which erased ids are remembered; never changed"
    )
    field_keys_dir: Path | None = Field(
        default=None, description="folder of the keys that encrypt the most sensitive fields, a file each"
    )
    batch_size: int = Field(default=200, ge=1, le=1000, description="events handled in one transaction at most")
    otlp_endpoint: str | None = Field(default=None, description="OpenTelemetry collector; no traces without it")

    @property
    def broker_address(self) -> str:
        """Where the broker is, with what TLS takes."""
        return broker_address(self.amqp_url.get_secret_value(), self.tls_ca_file, self.tls_client_file)


S = TypeVar("S", bound=BaseSettings)


def load_settings(model: type[S]) -> S:
    """Read `model` from the environment, or leave with status 2 and a line for each variable that is wrong."""
    try:
        return model()
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            name = PREFIX + "_".join(str(part) for part in fault["loc"]).upper()
            print(f"{name}: {fault['msg']}", file=sys.stderr)  # noqa: T201 the log is not configured yet
        raise SystemExit(2) from None
