"""Where the local platform keeps its data and which ports it takes: the one place for both."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.processes import APPS
from libs.common.settings import load_settings

PROJECT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
DEFAULT_PORT_BASE = 18_400
PORTS_RESERVED = 100

_API_OFFSET = 20
_INTERNAL_OFFSET = 40
_ROLES_PER_SERVICE = 8


class LocalPorts(BaseModel):
    """The block of a hundred ports that one local platform uses, by purpose."""

    model_config = ConfigDict(frozen=True)

    base: Annotated[int, Field(ge=1024, le=65_535 - PORTS_RESERVED)] = DEFAULT_PORT_BASE

    @property
    def gateway(self) -> int:
        return self.base

    @property
    def mongo(self) -> int:
        return self.base + 1

    @property
    def amqp(self) -> int:
        return self.base + 2

    @property
    def management(self) -> int:
        return self.base + 3

    @property
    def broker_metrics(self) -> int:
        return self.base + 4

    @property
    def epmd(self) -> int:
        return self.base + 5

    @property
    def distribution(self) -> int:
        return self.base + 6

    @property
    def smtp(self) -> int:
        return self.base + 7

    @property
    def inbox(self) -> int:
        return self.base + 8

    def api(self, service: str) -> int:
        """The port of a service's HTTP API."""
        return self.base + _API_OFFSET + APPS.index(service)

    def internal(self, service: str, process: int = 0) -> int:
        """The port of health and metrics of a service's `process`-th process, counted from 0."""
        if not 0 <= process < _ROLES_PER_SERVICE:
            raise ValueError(f"a service has at most {_ROLES_PER_SERVICE} local processes, not {process + 1}")
        return self.base + _INTERNAL_OFFSET + APPS.index(service) * _ROLES_PER_SERVICE + process


class LocalSettings(BaseSettings):
    """The local runner's own settings; each variable is `CERTRAIL_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="CERTRAIL_", frozen=True, extra="ignore")

    state_dir: Path = Field(default=PROJECT / ".state", description="data, logs and secrets of the local platform")
    port_base: int = Field(
        default=DEFAULT_PORT_BASE, ge=1024, le=65_535 - PORTS_RESERVED, description="first of a hundred ports"
    )
    mongo_cache_gb: float = Field(default=0.5, ge=0.25, le=256, description="memory for the database's cache")
    mongo_admin_url: SecretStr | None = Field(
        default=None, description="a MongoDB replica set to use, with its administrator; started here without it"
    )
    amqp_admin_url: SecretStr | None = Field(
        default=None, description="a RabbitMQ to use, with its administrator; started here without it"
    )
    management_url: str | None = Field(
        default=None, validate_default=True, description="that RabbitMQ's management API: http://host:port"
    )

    @field_validator("management_url")
    @classmethod
    def _beside_the_broker(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("amqp_admin_url") is not None:
            raise ValueError("is needed beside CERTRAIL_AMQP_ADMIN_URL")
        return value

    @property
    def ports(self) -> LocalPorts:
        return LocalPorts(base=self.port_base)

    @classmethod
    def load(cls) -> Self:
        """Read the environment, or leave with a line for each variable that is wrong."""
        return load_settings(cls)
