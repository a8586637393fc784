"""Makes a fresh `mongod` a replica set of one with an administrator; transactions need a replica set.

The blocking driver, each short step in a worker thread: the asyncio one leaves sockets open when it is closed
while connecting, which is what waiting for a server comes down to.
"""

import asyncio
from typing import Any, TypeAlias

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure, ServerSelectionTimeoutError

REPLICA_SET = "rs0"
POLL_SECONDS = 0.1

_Client: TypeAlias = MongoClient[dict[str, Any]]

_UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18
_ALREADY_INITIALIZED = 23
_NOT_YET_INITIALIZED = 94


class ReplicaSetError(Exception):
    """The server answers, but refuses to become what we need."""


async def ensure_replica_set(member: str, admin_user: str, admin_password: str) -> None:
    """Wait until the server at `member` (`host:port`) is primary and knows the administrator.

    A server without accounts takes its first one from the machine it runs on (the localhost exception): the
    first call must come from there. Waits for ever for a server that does not answer: bring a deadline.

    Raises:
        ReplicaSetError: it has accounts, but the administrator's password is another one.
    """
    while not await asyncio.to_thread(_make_ready, member, admin_user, admin_password):  # noqa: ASYNC110 as above
        await asyncio.sleep(POLL_SECONDS)


def _make_ready(member: str, user: str, password: str) -> bool:
    try:
        with _connect(member, user, password) as admin:
            return _is_primary_here(admin, member)
    except (AutoReconnect, ServerSelectionTimeoutError):
        return False
    except OperationFailure as error:
        if error.code not in (_AUTHENTICATION_FAILED, _UNAUTHORIZED):
            raise ReplicaSetError(f"mongod refuses: {error}") from error
    return _first_start(member, user, password)


def _first_start(member: str, user: str, password: str) -> bool:
    """One step towards a replica set with an administrator, allowed only while there are no accounts."""
    with _connect(member) as guest:
        try:
            if not (guest.admin.command("hello")).get("setName"):
                _initiate(guest, member)
            if not (guest.admin.command("hello"))["isWritablePrimary"]:
                return False
            guest.admin.command("createUser", user, pwd=password, roles=["root"])
        except AutoReconnect:
            return False
        except OperationFailure as error:
            raise ReplicaSetError(
                f"mongod has accounts already and does not accept the password of {user!r}: {error.details}"
            ) from error
    return False


def _initiate(guest: _Client, member: str) -> None:
    config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": member}]}
    try:
        guest.admin.command("replSetInitiate", config)
    except OperationFailure as error:
        if error.code != _ALREADY_INITIALIZED:
            raise


def _is_primary_here(admin: _Client, member: str) -> bool:
    """Whether it is primary; a member that is configured under another address is given this one first."""
    hello = admin.admin.command("hello")
    if hello["isWritablePrimary"] and hello.get("me") == member:
        return True
    try:
        config = (admin.admin.command("replSetGetConfig"))["config"]
    except OperationFailure as error:
        if error.code != _NOT_YET_INITIALIZED:
            raise
        return False
    if config["members"][0]["host"] != member:
        config["members"][0]["host"] = member
        config["version"] += 1
        admin.admin.command("replSetReconfig", config, force=True)
    return False


def _connect(member: str, user: str | None = None, password: str | None = None) -> _Client:
    return MongoClient(
        member,
        username=user,
        password=password,
        directConnection=True,
        serverSelectionTimeoutMS=500,
        connectTimeoutMS=500,
        socketTimeoutMS=20_000,
    )
