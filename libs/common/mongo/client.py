"""One connection to a service's own database, with the write concern that the guarantees rest on."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo.monitoring import CommandListener

Document: TypeAlias = dict[str, Any]
Client: TypeAlias = "AsyncIOMotorClient[Document]"
Database: TypeAlias = "AsyncIOMotorDatabase[Document]"
Session: TypeAlias = AsyncIOMotorClientSession

SELECTION_TIMEOUT_MS = 3_000
"""How long a call waits for a primary; longer than an election among healthy members."""


def open_client(url: str, *, application: str, listeners: Sequence[CommandListener] = ()) -> Client:
    """A client whose writes are journaled on a majority, and whose times come back with their zone.

    `listeners` hear of every command.
    """
    return AsyncIOMotorClient(
        url,
        appname=application,
        event_listeners=list(listeners),
        w="majority",
        journal=True,
        tz_aware=True,
        serverSelectionTimeoutMS=SELECTION_TIMEOUT_MS,
        connectTimeoutMS=SELECTION_TIMEOUT_MS,
        socketTimeoutMS=20_000,
        maxPoolSize=20,
    )


def open_database(client: Client) -> Database:
    """The database that the address names. Raises `pymongo.errors.ConfigurationError` where it names none."""
    return client.get_default_database()
