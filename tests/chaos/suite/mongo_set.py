"""Three members of a replica set on this machine. Everybody, the members too, reaches each by its link alone."""

import asyncio
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.mongod import STOP_SECONDS, launch_mongod, mongo_url
from deploy.local.processes import ServerProcess, log_tail
from deploy.local.settings import LOOPBACK
from deploy.mongo.replica_set import REPLICA_SET
from tests.e2e.waiting import READY_SECONDS, eventually

ELECTION_MILLISECONDS = 3_000
"""The default of ten seconds would leave most of a short run without a primary."""
CACHE_GB = 0.25
ADMIN = "admin"
_HEALTHY = frozenset({"PRIMARY", "SECONDARY"})
_GIVE_UP_MS = 2_000
T = TypeVar("T")


@dataclass
class Member:
    """One `mongod`."""

    name: str
    port: int
    link_port: int
    folder: Path
    keyfile: Path
    process: ServerProcess | None = None

    @property
    def address(self) -> str:
        """Where the set and its clients believe it to be."""
        return f"{LOOPBACK}:{self.link_port}"

    @property
    def pid(self) -> int:
        if self.process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.alive

    def launch(self) -> None:
        self.process = launch_mongod(self.folder, self.port, self.keyfile, CACHE_GB)

    async def kill(self) -> None:
        if self.process is not None:
            await self.process.kill()

    async def stop(self) -> None:
        if self.process is not None:
            await self.process.terminate(patience=STOP_SECONDS)

    def deny_writes(self, *, denied: bool) -> None:
        """Let every write to a file fail, as on a full disk; or no more."""
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (0 if denied else hard, hard))


class MongoSet:
    """The members and the set that they are."""

    def __init__(self, members: list[Member], password: str) -> None:
        self.members = members
        self._password = password

    @property
    def admin_url(self) -> str:
        return mongo_url(",".join(member.address for member in self.members), "admin", ADMIN, self._password)

    async def start(self) -> None:
        """Start all, make them a set, and make the administrator."""
        for member in self.members:
            member.launch()
        first = self.members[0]
        await self._until(lambda: _initiate(first.port, [member.address for member in self.members]))
        await self._until(lambda: _make_administrator(first.port, self._password))
        await self.healthy()

    async def healthy(self) -> None:
        """Wait until every member works and one is primary."""
        await self._until(lambda: _states(self.admin_url).keys() == {m.address for m in self.members})

    async def primary(self) -> Member:
        """The primary; waits for an election where there is none."""
        addresses = {member.address: member for member in self.members}
        found: list[Member] = []

        def look() -> bool:
            found.extend(addresses[address] for address, state in _states(self.admin_url).items() if state == "PRIMARY")
            return bool(found)

        await self._until(look)
        return found[0]

    async def step_down(self) -> None:
        """Tell the primary to give up its place for some seconds."""
        await self._until(lambda: _step_down(self.admin_url))

    async def kill(self) -> None:
        await asyncio.gather(*(member.kill() for member in self.members))

    async def _until(self, look: Callable[[], bool]) -> None:
        """Wait for something that the set must come to. Raises `AssertionError` with the ends of the logs."""
        try:
            await eventually(lambda: asyncio.to_thread(_tried, look), bool, seconds=READY_SECONDS)
        except TimeoutError:
            tails = "\n".join(f"{member.name}:\n{log_tail(member.folder / 'mongod.log')}" for member in self.members)
            raise AssertionError(f"the replica set did not come to what it must:\n{tails}") from None


def _tried(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except PyMongoError:
        return False


def _client(url: str, **options: Any) -> MongoClient[dict[str, Any]]:
    return MongoClient(url, serverSelectionTimeoutMS=_GIVE_UP_MS, connectTimeoutMS=_GIVE_UP_MS, **options)


def _direct(port: int) -> MongoClient[dict[str, Any]]:
    return _client(f"mongodb://{LOOPBACK}:{port}/", directConnection=True)


def _initiate(port: int, addresses: list[str]) -> bool:
    # The first member is preferred: the first account can only be made on the primary, and only past its link.
    members = [
        {"_id": number, "host": address, "priority": 2 if number == 0 else 1}
        for number, address in enumerate(addresses)
    ]
    settings = {"electionTimeoutMillis": ELECTION_MILLISECONDS, "heartbeatIntervalMillis": 1_000}
    with _direct(port) as guest:
        if not guest.admin.command("hello").get("setName"):
            guest.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members, "settings": settings})
        return bool(guest.admin.command("hello")["isWritablePrimary"])


def _make_administrator(port: int, password: str) -> bool:
    with _direct(port) as guest:
        guest.admin.command("createUser", ADMIN, pwd=password, roles=["root"])
    return True


def _states(url: str) -> dict[str, str]:
    """The healthy members with their states; empty while there is no primary."""
    with _client(url) as client:
        members = client.admin.command("replSetGetStatus")["members"]
    states = {str(each["name"]): str(each["stateStr"]) for each in members if each["stateStr"] in _HEALTHY}
    return states if "PRIMARY" in states.values() else {}


def _step_down(url: str) -> bool:
    with _client(url) as client:
        client.admin.command("replSetStepDown", 15, secondaryCatchUpPeriodSecs=5)
    return True
