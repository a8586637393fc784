"""Servers that somebody else runs and whose addresses the environment gives: used, set up, never started or stopped."""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit

from deploy.local.mongod import mongo_url
from deploy.local.rabbitmq import amqp_url


class Database(Protocol):
    """A MongoDB server, as the platform needs it."""

    @property
    def admin_url(self) -> str: ...
    @property
    def place(self) -> str: ...
    def url(self, database: str, user: str, password: str) -> str: ...
    async def stop(self) -> None: ...
    async def kill(self) -> None: ...


class Broker(Protocol):
    """A RabbitMQ server, as the platform needs it."""

    @property
    def management_url(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def admin_user(self) -> str: ...
    @property
    def admin_password(self) -> str: ...
    def amqp_url(self, user: str, password: str) -> str: ...
    async def stop(self) -> None: ...
    async def kill(self) -> None: ...


class _Theirs:
    """Not ours to stop."""

    async def stop(self) -> None:
        """Leave it running."""

    async def kill(self) -> None:
        """Leave it running."""


@dataclass(frozen=True)
class GivenDatabase(_Theirs):
    """The MongoDB replica set at `admin_url`, which carries an administrator's account."""

    admin_url: str

    @property
    def place(self) -> str:
        return f"at {_address(self.admin_url)}"

    def url(self, database: str, user: str, password: str) -> str:
        """The address for a user of one database."""
        return mongo_url(_address(self.admin_url), database, user, password)


@dataclass(frozen=True)
class GivenBroker(_Theirs):
    """The RabbitMQ at `admin_url`, which carries an administrator's account, with its management API."""

    admin_url: str
    management_url: str

    @property
    def place(self) -> str:
        return f"at {_address(self.admin_url)}"

    @property
    def admin_user(self) -> str:
        return unquote(urlsplit(self.admin_url).username or "")

    @property
    def admin_password(self) -> str:
        return unquote(urlsplit(self.admin_url).password or "")

    def amqp_url(self, user: str, password: str) -> str:
        """The address for a user of the virtual host `/`."""
        return amqp_url(_address(self.admin_url), user, password)


def _address(url: str) -> str:
    """`host:port` of an address, without the account."""
    return urlsplit(url).netloc.rpartition("@")[2]
