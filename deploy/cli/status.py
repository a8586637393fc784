"""`certrail status`: what runs, whether it can work, and what waits where."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import aio_pika
import aiohttp
import typer
from aio_pika.exceptions import AMQPError

from deploy.broker.management import ManagementError
from deploy.cli.access import Access
from deploy.cli.client import operator_client
from deploy.cli.console import output, run, say, say_json, table
from deploy.cli.errors import FAILED, CliError
from deploy.cli.metrics import read_figures
from deploy.cli.queues import Depth, depths, working_queues
from deploy.local.platform import MAIL_CATCHER, child_process
from deploy.local.processes import recorded
from deploy.local.settings import LOOPBACK, LocalSettings
from deploy.processes import APPS
from libs.common.bus.topology import is_retry_queue, parked_queue
from libs.common.events import SERVICES

_TIMEOUT = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True)
class ProcessState:
    """One process of the local platform."""

    name: str
    pid: int | None
    ready: str
    """`ready`, what is wrong, or empty where nobody is asked."""
    outbox: int | None = None
    """Unsent outbox rows; None where it has no outbox or does not answer."""
    outbox_parked: int | None = None


@dataclass(frozen=True)
class QueueState:
    """One queue."""

    name: str
    consumers: int
    ready: int
    unacked: int | None
    """In somebody's hands, as the broker last counted, some seconds ago; None where it does not tell."""


@dataclass(frozen=True)
class State:
    """The whole platform."""

    processes: list[ProcessState]
    """None of a platform elsewhere."""
    queues: list[QueueState]
    parked: dict[str, int]
    unmatched: int | None

    @property
    def well(self) -> bool:
        """Whether every process works, and somebody reads every queue."""
        read = [queue for queue in self.queues if not is_retry_queue(queue.name)]
        return (
            all(process.pid is not None and process.ready in ("ready", "") for process in self.processes)
            and bool(read)
            and all(queue.consumers for queue in read)
        )


def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False) -> None:
    """Show processes, readiness, queues, parked messages and what the outboxes still hold.

    The exit status is 0 where everything runs and is ready.
    """
    state = run(read_state(Access.load()))
    if as_json:
        say_json({**asdict(state), "well": state.well})
    else:
        _show(state)
    if not state.well:
        raise typer.Exit(FAILED)


async def read_state(access: Access) -> State:
    """Ask everybody; what does not answer is part of the answer."""
    processes = [] if access.elsewhere else await _processes(access.local)
    found = await _depths(access)
    unacked = await _unacknowledged(access) if found else {}
    queues = [
        QueueState(name, depth.consumers, depth.ready, unacked.get(name))
        for name, depth in found.items()
        if name in working_queues()
    ]
    parked = {service: found[parked_queue(service)].ready for service in SERVICES if parked_queue(service) in found}
    return State(processes, queues, parked, await _unmatched(access))


async def _processes(local: LocalSettings) -> list[ProcessState]:
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        apps = await asyncio.gather(*(_app(session, local, app) for app in APPS), _mail_catcher(session, local))
    return [*_servers(local), *apps]


def _servers(local: LocalSettings) -> list[ProcessState]:
    files = {
        "mongod": (local.mongo_admin_url, local.state_dir / "mongo" / "server.pid"),
        "rabbitmq": (local.amqp_admin_url, local.state_dir / "rabbitmq" / "server.pid"),
        "gateway": (None, local.state_dir / "gateway" / "server.pid"),
    }
    found = {name: recorded(file) for name, (given, file) in files.items() if given is None}
    return [ProcessState(name, process.pid if process else None, "") for name, process in found.items()]


async def _app(session: aiohttp.ClientSession, local: LocalSettings, app: str) -> ProcessState:
    """A service, or the portal, which has no outbox."""
    process = child_process(local, app)
    if process is None:
        return ProcessState(app, None, "not running")
    url = f"http://{LOOPBACK}:{local.ports.internal(app)}/readyz"
    figures = await read_figures(session, local, app) if app in SERVICES else None
    return ProcessState(
        app,
        process.pid,
        await _readiness(session, url),
        int(figures.total("certrail_outbox_unsent")) if figures else None,
        int(figures.total("certrail_outbox_parked_rows")) if figures else None,
    )


async def _mail_catcher(session: aiohttp.ClientSession, local: LocalSettings) -> ProcessState:
    process = child_process(local, MAIL_CATCHER)
    if process is None:
        return ProcessState(MAIL_CATCHER, None, "not running")
    url = f"http://{LOOPBACK}:{local.ports.inbox}/healthz"
    return ProcessState(MAIL_CATCHER, process.pid, await _readiness(session, url))


async def _readiness(session: aiohttp.ClientSession, url: str) -> str:
    try:
        async with session.get(url) as response:
            if response.ok:
                return "ready"
            faults = (await response.json()).get("faults", {})
            return ", ".join(f"{name}: {fault}" for name, fault in faults.items())
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"no answer ({type(error).__name__})"


async def _depths(access: Access) -> dict[str, Depth]:
    try:
        async with await aio_pika.connect(access.operator_amqp, timeout=5) as connection:
            return await depths(connection, (*working_queues(), *map(parked_queue, SERVICES)))
    except (AMQPError, OSError, TimeoutError):
        return {}


async def _unacknowledged(access: Access) -> dict[str, int]:
    try:
        return await access.management.unacknowledged()
    except ManagementError:
        return {}


async def _unmatched(access: Access) -> int | None:
    try:
        async with operator_client(access) as client:
            totals: dict[str, Any] = await client.get("exams", "/totals")
    except (CliError, aiohttp.ClientError, TimeoutError):
        return None
    return int(totals["unmatched"])


def _show(state: State) -> None:
    if state.processes:
        _show_processes(state)
    if not state.queues:
        say("the broker does not answer", style="red")
        return
    queues = table("queue", "consumers", "ready", "unacked", numbers=("consumers", "ready", "unacked"))
    for queue in state.queues:
        if not is_retry_queue(queue.name) or queue.ready:
            queues.add_row(
                queue.name,
                _number(queue.consumers),
                _number(queue.ready),
                _number(queue.unacked),
                style="" if queue.consumers or is_retry_queue(queue.name) else "red",
            )
    output().print(queues)
    parked = ", ".join(f"{service} {count}" for service, count in state.parked.items() if count)
    say(f"\nparked     {parked or 'nothing'}", style="red" if parked else "")
    say(f"unmatched  {_number(state.unmatched)} results wait for their candidate")


def _show_processes(state: State) -> None:
    processes = table("process", "pid", "state", "outbox", "outbox parked", numbers=("pid", "outbox", "outbox parked"))
    for process in state.processes:
        processes.add_row(
            process.name,
            str(process.pid or "-"),
            process.ready or ("running" if process.pid else "not running"),
            _number(process.outbox),
            _number(process.outbox_parked),
            style="" if process.pid and process.ready in ("ready", "") else "red",
        )
    output().print(processes)
    say("")


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
