"""Database accounts: one for each service, which reads and writes its own database and no other.

Beside it each has a database for its audit log, which it may read and append to: no right of its account changes or
removes a record there.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from pymongo import MongoClient
from pymongo.database import Database

from deploy.processes import PORTAL
from libs.common.audit.trail import audit_name
from libs.common.events import SERVICES

_TIMEOUT_MS = 10_000
_APPEND_ONLY: Final = "appendOnly"
_APPENDING: Final = ("find", "insert", "createCollection", "createIndex", "listCollections", "listIndexes")


def database_name(service: str) -> str:
    """The database of a service; its account is kept there as well."""
    return f"certrail_{service}"


def audit_database_name(service: str) -> str:
    """The database of a service's audit log."""
    return audit_name(database_name(service))


async def ensure_users(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Give each service its account, or its present password and rights if it has one.

    Args:
        admin_url: address of the server with an administrator's account.
        passwords: by service, and the portal's.

    Raises:
        KeyError: one of them has no password.
    """
    await asyncio.to_thread(_ensure_users, admin_url, passwords)


def _ensure_users(admin_url: str, passwords: Mapping[str, str]) -> None:
    with MongoClient[dict[str, Any]](admin_url, serverSelectionTimeoutMS=_TIMEOUT_MS) as client:
        for service in SERVICES:
            audit = client[audit_database_name(service)]
            _ensure_append_only(audit)
            roles = [
                {"role": "readWrite", "db": database_name(service)},
                {"role": _APPEND_ONLY, "db": audit.name},
            ]
            _ensure_user(client[database_name(service)], service, passwords[service], roles)
        # What candidates and staff do is on record where it is done, not in the portal.
        portal = [{"role": "readWrite", "db": database_name(PORTAL)}]
        _ensure_user(client[database_name(PORTAL)], PORTAL, passwords[PORTAL], portal)


def _ensure_append_only(database: Database[dict[str, Any]]) -> None:
    known = database.command("rolesInfo", _APPEND_ONLY)
    command = "updateRole" if known["roles"] else "createRole"
    privileges = [{"resource": {"db": database.name, "collection": ""}, "actions": list(_APPENDING)}]
    database.command(command, _APPEND_ONLY, privileges=privileges, roles=[])


def _ensure_user(database: Database[dict[str, Any]], user: str, password: str, roles: list[dict[str, str]]) -> None:
    known = database.command("usersInfo", user)
    command = "updateUser" if known["users"] else "createUser"
    database.command(command, user, pwd=password, roles=roles)
