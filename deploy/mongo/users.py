"""Database accounts: one for each service, which reads and writes its own database and no other."""

import asyncio
from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from libs.common.events import SERVICES

_TIMEOUT_MS = 10_000


def database_name(service: str) -> str:
    """The database of a service; its account is kept there as well."""
    return f"certrail_{service}"


async def ensure_users(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Give each service its account, or its present password and rights if it has one.

    Args:
        admin_url: address of the server with an administrator's account.
        passwords: by service.

    Raises:
        KeyError: a service has no password.
    """
    await asyncio.to_thread(_ensure_users, admin_url, passwords)


def _ensure_users(admin_url: str, passwords: Mapping[str, str]) -> None:
    with MongoClient[dict[str, Any]](admin_url, serverSelectionTimeoutMS=_TIMEOUT_MS) as client:
        for service in SERVICES:
            _ensure_user(client[database_name(service)], service, passwords[service])


def _ensure_user(database: Database[dict[str, Any]], user: str, password: str) -> None:
    known = database.command("usersInfo", user)
    command = "updateUser" if known["users"] else "createUser"
    database.command(command, user, pwd=password, roles=[{"role": "readWrite", "db": database.name}])
