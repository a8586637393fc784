"""`certrail events`: what services tell each other."""

from fnmatch import fnmatchcase
from typing import Annotated, Any

import typer

from deploy.cli.access import Access
from deploy.cli.console import run, say, say_json
from deploy.cli.log_stream import Offset, parse_offset, read_log

app = typer.Typer(no_args_is_help=True, help="Look at the events on the bus.")


@app.callback()
def events() -> None:
    """Look at the events on the bus."""


@app.command()
def tail(
    *,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="first, last (the last some), next, an offset, or a moment like 2026-11-22T10:00Z; last unless given, "
            "and first with --candidate",
        ),
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Only these types; * and ? stand for others: exams.*")
    ] = None,
    candidate: Annotated[str | None, typer.Option(help="Only events about this candidate's ID")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes; Ctrl-C ends it")] = False,
    data: Annotated[bool, typer.Option("--data", help="Show the data, which may hold personal data")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line")] = False,
) -> None:
    """Print events: time, type, program, subject, the subject's version, trace."""
    offset = parse_offset(begin or ("first" if candidate else "last"))
    # From the next event on there is nothing to see unless we wait for it.
    run(_tail(offset, types or ["*"], candidate, limit, follow=follow or offset == "next", data=data, as_json=as_json))


async def _tail(
    offset: Offset,
    types: list[str],
    candidate: str | None,
    limit: int | None,
    *,
    follow: bool,
    data: bool,
    as_json: bool,
) -> None:
    shown = 0
    async for position, event in read_log(Access.load().operator_amqp, offset, follow=follow):
        if not wanted(event, types, candidate):
            continue
        _show(position, event, data=data, as_json=as_json)
        shown += 1
        if shown == limit:
            return


def wanted(event: dict[str, Any], types: list[str], candidate: str | None) -> bool:
    """Whether an event is of one of the types, with or without their common prefix, and about the candidate."""
    name = str(event.get("type", ""))
    short = name.removeprefix("certrail.")
    if not any(fnmatchcase(name, pattern) or fnmatchcase(short, pattern) for pattern in types):
        return False
    about = (event.get("subject"), event.get("data", {}).get("candidate_id"))
    return candidate is None or candidate in about


def _show(position: int, event: dict[str, Any], *, data: bool, as_json: bool) -> None:
    if as_json:
        shown = event if data else {key: event[key] for key in event if key != "data"}
        say_json({"offset": position, **shown}, indent=False)
        return
    trace = str(event.get("traceparent") or "").split("-")
    columns = (
        str(event.get("time", ""))[:23].ljust(23),
        str(event.get("type", "")).removeprefix("certrail.").ljust(36),
        str(event.get("program", "")).ljust(8),
        str(event.get("subject") or "-").ljust(14),
        f"v{event.get('subjectversion', '-')}".ljust(4),
        trace[1] if len(trace) > 1 else "-",
    )
    say("  ".join(columns))
    if data:
        say(f"    {event.get('data')}")
