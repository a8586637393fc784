"""Gives database and broker what the platform needs: `python -m deploy.kubernetes.setup`, before each release.

Each account gets the password that its owner's address holds, so the two cannot differ. Safe to repeat; what is not
named is left alone. A replica set, a cluster and their administrators are there already.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import unquote, urlsplit

from pydantic import AnyHttpUrl, DirectoryPath, Field, FilePath, UrlConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.broker.definitions import OPERATOR
from deploy.broker.management import Management, ManagementError
from deploy.mongo.users import database_name, ensure_users
from deploy.processes import APPS
from libs.common.events import SERVICES
from libs.common.settings import PREFIX, load_settings
from libs.common.tls import ServerAddress, database_address

MONGO_FILE = "mongo-url"
AMQP_FILE = "amqp-url"


class SetUpSettings(BaseSettings):
    """Where the servers are, and with which addresses the platform will come to them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    mongo_admin_url: ServerAddress = Field(description="MongoDB address of an administrator")
    amqp_admin_url: ServerAddress = Field(description="RabbitMQ address of an administrator")
    management_url: Annotated[AnyHttpUrl, UrlConstraints(host_required=True)] = Field(
        description="RabbitMQ's management API, `http://host:port` or `https://host:port`"
    )
    operator_amqp_url: ServerAddress = Field(description="the address of the broker's account `operator`")
    accounts_dir: DirectoryPath = Field(description="a folder a service, with its addresses `mongo-url`, `amqp-url`")
    vendor_passwords_dir: DirectoryPath | None = Field(
        default=None, description="the vendors' broker passwords, a file each; no vendor is touched without it"
    )
    tls_ca_file: FilePath | None = Field(default=None, description="as for the services; for the management API too")
    tls_client_file: FilePath | None = Field(default=None, description="as for the services")

    @classmethod
    def load(cls) -> Self:
        """Read the environment, or leave with a line for each variable that is wrong."""
        return load_settings(cls)


class AddressError(ValueError):
    """An account's address is missing or does not hold what it should; the message names the file."""


def account_of(address: str, name: str, *, user: str, database: str | None = None) -> str:
    """The password in an account's address, which must be that of `user` (and in `database`).

    Raises:
        AddressError: it is another's, or holds no password. The message names it `name` and quotes nothing of it.
    """
    parts = urlsplit(address.strip())
    if unquote(parts.username or "") != user or not parts.password:
        raise AddressError(f"{name}: needs the account {user!r} with its password")
    if database is not None and parts.path.strip("/") != database:
        raise AddressError(f"{name}: needs the database {database!r}")
    return unquote(parts.password)


def database_passwords(folder: Path) -> dict[str, str]:
    """By service, and the portal's. Raises `AddressError`."""
    return {
        app: account_of(_read(folder / app / MONGO_FILE), f"{app}/{MONGO_FILE}", user=app, database=database_name(app))
        for app in APPS
    }


def broker_passwords(folder: Path, operator: str, vendors: Mapping[str, str]) -> dict[str, str]:
    """By service, vendor, and the operator's. Raises `AddressError`."""
    services = {
        service: account_of(_read(folder / service / AMQP_FILE), f"{service}/{AMQP_FILE}", user=service)
        for service in SERVICES
    }
    return {**services, **vendors, OPERATOR: account_of(operator, "operator-amqp-url", user=OPERATOR)}


def vendor_passwords(folder: Path | None) -> dict[str, str]:
    """By vendor; none without a folder. What Kubernetes itself keeps there begins with a dot."""
    if folder is None:
        return {}
    files = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return {path.name: path.read_text().strip() for path in sorted(files)}


async def set_up(settings: SetUpSettings) -> None:
    """Set both servers up, as soon as they answer; a cluster may come up after us.

    Raises:
        AddressError: an account's address is unfit.
        ManagementError: the broker refuses its definitions.
    """
    vendors = vendor_passwords(settings.vendor_passwords_dir)
    of_broker = broker_passwords(settings.accounts_dir, settings.operator_amqp_url.get_secret_value(), vendors)
    of_database = database_passwords(settings.accounts_dir)
    admin = urlsplit(settings.amqp_admin_url.get_secret_value())
    management = Management(
        str(settings.management_url).rstrip("/"),
        unquote(admin.username or ""),
        unquote(admin.password or ""),
        settings.tls_ca_file,
    )
    database = database_address(
        settings.mongo_admin_url.get_secret_value(), settings.tls_ca_file, settings.tls_client_file
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(management.apply(list(vendors), of_broker))
        group.create_task(ensure_users(database, of_database))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise AddressError(f"{path.parent.name}/{path.name}: {error.strerror}") from None


def main() -> None:
    settings = SetUpSettings.load()
    try:
        asyncio.run(set_up(settings))
    except* (AddressError, ManagementError) as errors:
        raise SystemExit("; ".join(str(error) for error in errors.exceptions)) from None
    print("accounts, exchanges, queues and permissions are in place")


if __name__ == "__main__":
    main()
