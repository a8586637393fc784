"""`certrail parked`: what services could not handle, shown, tried again, or dropped."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import aio_pika
import typer

from deploy.cli.access import Access
from deploy.cli.console import note, output, progress_bar, run, say, say_json, table
from deploy.cli.errors import CliError
from libs.common.bus.failures import ERROR, FIRST_FAILURE, LAST_FAILURE, STACK, TRIES
from libs.common.events import SERVICES
from libs.common.parked.queue import Homeless, Parked, ParkedQueue, Wanted, open_parked

app = typer.Typer(no_args_is_help=True, help="List, show, replay or drop messages that services could not handle.")

_ALL = 1_000_000

Ids = Annotated[list[str] | None, typer.Argument(help="Ids as `parked list` shows them", show_default=False)]
Service = Annotated[str | None, typer.Option(help=f"Only of this service: {', '.join(SERVICES)}")]
Code = Annotated[str | None, typer.Option(help="Only those parked with this code")]
Limit = Annotated[int, typer.Option(min=1, max=_ALL, help="How many of a service at most")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]
All = Annotated[bool, typer.Option("--all", help="All of them")]


@app.command("list")
def list_parked(service: Service = None, code: Code = None, limit: Limit = 50, as_json: AsJson = False) -> None:
    """List parked messages, the earliest failure first."""
    found = run(_look(_services(service), _wanted(None, code), limit))
    if as_json:
        say_json(found)
        return
    if not found:
        note("nothing is parked")
        return
    columns = ("service", "id", "event", "code", "tries", "last failure", "error")
    made = table(*columns, numbers=("tries",))
    for row in found:
        first_line = (row["error"] or "").partition("\n")[0]
        values = (row["service"], row["id"], row["routing_key"], row["code"], row["tries"], row["last_failure"])
        made.add_row(*("-" if value is None else str(value) for value in values), first_line)
    output().print(made)


@app.command()
def show(
    ids: Annotated[list[str], typer.Argument(help="Ids as `parked list` shows them")],
    service: Service = None,
    as_json: AsJson = False,
) -> None:
    """Show parked messages whole: the failure, the stack and the body, which may hold personal data."""
    found = run(_look(_services(service), _wanted(ids, None), _ALL, whole=True))
    _require_found(ids, [row["id"] for row in found])
    if as_json:
        say_json(found)
        return
    for row in found:
        for name, value in row.items():
            if name not in ("stack", "body"):
                say(f"{name.replace('_', ' '):<15}{'-' if value is None else value}")
        say(f"\n{row['stack'] or ''}")
        say(f"{row['body']}\n")


@app.command()
def replay(
    ids: Ids = None,
    *,
    service: Service = None,
    code: Code = None,
    everything: All = False,
    limit: Limit = _ALL,
    as_json: AsJson = False,
) -> None:
    """Give parked messages back to the queue they failed in, as for their first try."""
    _require_choice(ids, service, code, everything=everything)
    done = run(_each(_services(service), _once(_wanted(ids, code)), limit, ParkedQueue.replay, "replaying"))
    _require_found(ids, done)
    _report(done, "replayed", as_json=as_json)


@app.command()
def drop(
    ids: Ids = None,
    *,
    service: Service = None,
    code: Code = None,
    everything: All = False,
    limit: Limit = _ALL,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")] = False,
    as_json: AsJson = False,
) -> None:
    """Drop parked messages for good."""
    _require_choice(ids, service, code, everything=everything)
    services, wanted = _services(service), _wanted(ids, code)
    chosen = [row["id"] for row in run(_look(services, wanted, limit))]
    _require_found(ids, chosen)
    if chosen and not yes:
        typer.confirm(
            f"Drop {len(chosen)} parked message{'s' if len(chosen) > 1 else ''} for good?", abort=True, err=True
        )
    # Only those that were asked about: others may have been parked while the question stood there.
    done = run(_each(services, _wanted(chosen, code), limit, ParkedQueue.drop, "dropping")) if chosen else []
    _report(done, "dropped", as_json=as_json)


def _services(service: str | None) -> Sequence[str]:
    if service is not None and service not in SERVICES:
        raise CliError(f"--service: there is no service {service!r}", hint=f"there are {', '.join(SERVICES)}")
    return SERVICES if service is None else (service,)


def _wanted(ids: Sequence[str] | None, code: str | None) -> Wanted:
    chosen = frozenset(ids) if ids else None
    return lambda parked: (chosen is None or parked.id in chosen) and code in (None, parked.code)


def _once(wanted: Wanted) -> Wanted:
    """Each message once in a queue: what fails again at once is parked again behind us, and would never end."""
    seen: set[tuple[str, str, str]] = set()

    def first_time(parked: Parked) -> bool:
        key = (parked.service, parked.queue, parked.id)
        if key in seen or not wanted(parked):
            return False
        seen.add(key)
        return True

    return first_time


def _require_choice(ids: Sequence[str] | None, service: str | None, code: str | None, *, everything: bool) -> None:
    if everything == bool(ids or service or code):
        raise CliError("say which: ids, --service, --code, or --all alone")


def _require_found(ids: Sequence[str] | None, found: Sequence[str]) -> None:
    missing = sorted(set(ids or ()) - set(found))
    if missing:
        raise CliError(f"not parked: {', '.join(missing)}")


def _report(done: Sequence[str], verb: str, *, as_json: bool) -> None:
    if as_json:
        say_json({verb: done})
    else:
        say(f"{verb} {len(done)}")


async def _look(services: Sequence[str], wanted: Wanted, limit: int, *, whole: bool = False) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with await aio_pika.connect(Access.load().operator_amqp, timeout=10) as connection:
        for service in services:
            async with open_parked(connection, service) as queue:
                found += [_row(parked, whole=whole) async for parked in queue.read(wanted, limit)]
    return sorted(found, key=lambda row: row["last_failure"] or "")


async def _each(
    services: Sequence[str],
    wanted: Wanted,
    limit: int,
    action: Callable[[ParkedQueue, Parked], Awaitable[None]],
    doing: str,
) -> list[str]:
    """Do something to each wanted message; their ids."""
    done: list[str] = []
    with progress_bar("messages") as bar:
        task = bar.add_task(doing, total=None, detail="")
        async with await aio_pika.connect(Access.load().operator_amqp, timeout=10) as connection:
            for service in services:
                async with open_parked(connection, service) as queue:
                    async for parked in queue.read(wanted, limit):
                        try:
                            await action(queue, parked)
                        except Homeless as error:
                            raise CliError(str(error)) from None
                        done.append(parked.id)
                        bar.advance(task)
    return done


def _row(parked: Parked, *, whole: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "service": parked.service,
        "id": parked.id,
        "queue": parked.queue,
        "routing_key": parked.routing_key,
        "vendor": parked.vendor,
        "code": parked.code,
        "tries": parked.header(TRIES),
        "first_failure": parked.header(FIRST_FAILURE),
        "last_failure": parked.header(LAST_FAILURE),
        "error": parked.header(ERROR),
    }
    if whole:
        row["stack"] = parked.header(STACK)
        row["content_type"] = parked.message.content_type
        row["body"] = parked.message.body.decode("utf-8", errors="backslashreplace")
    return row
