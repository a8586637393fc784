"""Where the platform is and how the operator gets in: the environment first, else the local platform's own state."""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.broker.definitions import OPERATOR
from deploy.broker.management import Management
from deploy.cli.errors import CliError
from deploy.local.mongod import mongo_url
from deploy.local.processes import recorded
from deploy.local.rabbitmq import ADMINISTRATOR, amqp_url
from deploy.local.secret_store import SecretStore
from deploy.local.settings import LOOPBACK, LocalSettings
from libs.common.settings import load_settings


class OperatorSettings(BaseSettings):
    """Addresses of a platform that `certrail up` did not start; each variable is `CERTRAIL_` and the field's name."""

    model_config = SettingsConfigDict(env_prefix="CERTRAIL_", frozen=True, extra="ignore")

    gateway_url: str | None = Field(default=None, description="the gateway: http://host:port")
    operator_secret: SecretStr | None = Field(default=None, description="secret of the client `operator`")
    operator_amqp_url: SecretStr | None = Field(default=None, description="broker, as its user `operator`")
    vendor_amqp_url: SecretStr | None = Field(default=None, description="broker, as the vendor whose file is fed")
    management_url: str | None = Field(default=None, description="the broker's management API: http://host:port")


@dataclass(frozen=True)
class Access:
    """Addresses and secrets, each looked up when it is first needed."""

    local: LocalSettings
    given: OperatorSettings

    @classmethod
    def load(cls) -> "Access":
        """Read the environment, or leave with a line for each variable that is wrong."""
        return cls(LocalSettings.load(), load_settings(OperatorSettings))

    @cached_property
    def _secrets(self) -> SecretStore:
        if not (self.local.state_dir / "secrets.json").exists():
            raise CliError(
                f"no platform was ever started in {self.local.state_dir}",
                hint="start one with `certrail up`, or name another: CERTRAIL_GATEWAY_URL with "
                "CERTRAIL_OPERATOR_SECRET, CERTRAIL_OPERATOR_AMQP_URL, CERTRAIL_VENDOR_AMQP_URL, "
                "CERTRAIL_MANAGEMENT_URL",
            )
        return SecretStore(self.local.state_dir)

    @property
    def operator_secret(self) -> str:
        given = self.given.operator_secret
        return given.get_secret_value() if given else self._secrets.get("client/operator")

    @property
    def elsewhere(self) -> bool:
        """Whether the platform is one that `certrail up` did not start here: its processes cannot be seen."""
        return self.given.gateway_url is not None

    def api_url(self, service: str) -> str:
        """Where a service's API is: behind the gateway, or on its own port where there is none."""
        return f"{self.gateway_url or self._own_port(service)}/api/{service}/v1"

    @property
    def gateway_url(self) -> str | None:
        """The gateway's address; None where the local platform runs without one."""
        if self.given.gateway_url:
            return self.given.gateway_url.rstrip("/")
        running = recorded(self.local.state_dir / "gateway" / "server.pid")
        return f"http://{LOOPBACK}:{self.local.ports.gateway}" if running else None

    def _own_port(self, service: str) -> str:
        return f"http://{LOOPBACK}:{self.local.ports.api(service)}"

    @property
    def operator_amqp(self) -> str:
        given = self.given.operator_amqp_url
        return given.get_secret_value() if given else self._amqp(OPERATOR)

    def vendor_amqp(self, vendor: str) -> str:
        """The broker's address as that vendor. Raises `CliError` where the account given is another's."""
        given = self.given.vendor_amqp_url
        if given is None:
            return self._amqp(vendor)
        user = unquote(urlsplit(given.get_secret_value()).username or "")
        if user != vendor:
            raise CliError(f"CERTRAIL_VENDOR_AMQP_URL is the account of {user!r}, not of {vendor!r}")
        return given.get_secret_value()

    def _amqp(self, user: str) -> str:
        return amqp_url(self.broker_address, user, self._secrets.get(f"amqp/{user}"))

    @property
    def broker_address(self) -> str:
        """`host:port` of the broker."""
        admin = self.local.amqp_admin_url
        if admin is not None:
            return urlsplit(admin.get_secret_value()).netloc.rpartition("@")[2]
        return f"{LOOPBACK}:{self.local.ports.amqp}"

    @property
    def mongo_administrator(self) -> str:
        """The database's address as its administrator, who reads and writes every service's.

        Raises:
            CliError: of a platform elsewhere nobody has said who that is.
        """
        if self.local.mongo_admin_url is not None:
            return self.local.mongo_admin_url.get_secret_value()
        if self.elsewhere:
            raise CliError("this needs the database's administrator", hint="name it: CERTRAIL_MONGO_ADMIN_URL")
        address = f"{LOOPBACK}:{self.local.ports.mongo}"
        return mongo_url(address, "admin", "admin", self._secrets.get("mongo/admin"))

    @property
    def management_address(self) -> str:
        return self.local.management_url or f"http://{LOOPBACK}:{self.local.ports.management}"

    @property
    def broker_administrator(self) -> Management:
        """The management API as the administrator, who makes and removes accounts.

        Raises:
            CliError: of a platform elsewhere nobody has said who that is.
        """
        given = self.local.amqp_admin_url
        parts = urlsplit(given.get_secret_value() if given else "")
        if parts.username:
            return Management(self.management_address, unquote(parts.username), unquote(parts.password or ""))
        if self.kept_passwords is None:
            raise CliError(
                "this needs the broker's administrator",
                hint="name it: CERTRAIL_AMQP_ADMIN_URL and CERTRAIL_MANAGEMENT_URL",
            )
        return Management(self.management_address, ADMINISTRATOR, self.kept_passwords.get("amqp/admin"))

    @property
    def kept_passwords(self) -> SecretStore | None:
        """Where the platform keeps its passwords, if that is on this machine."""
        folder = self.local.state_dir
        return SecretStore(folder) if (folder / "secrets.json").exists() else None

    @property
    def management(self) -> Management:
        """The management API as the operator, who sees queues and changes nothing."""
        given = self.given.operator_amqp_url
        password = unquote(urlsplit(given.get_secret_value()).password or "") if given else None
        return Management(self.management_address, OPERATOR, password or self._secrets.get(f"amqp/{OPERATOR}"))
