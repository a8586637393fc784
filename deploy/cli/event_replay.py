"""`certrail events replay`: events of the log told to one service again."""

from collections import Counter
from typing import Annotated

import typer

from deploy.backup.catching_up import publishing, to_service
from deploy.cli.access import Access
from deploy.cli.console import run, say
from deploy.cli.errors import CliError
from deploy.cli.events import wanted
from deploy.cli.log_stream import Offset, parse_offset, read_log
from libs.common.bus.topology import EVENT_BINDINGS
from libs.common.events import SERVICES


def replay(
    service: Annotated[str, typer.Argument(help="Whom to tell")],
    *,
    begin: Annotated[
        str, typer.Option("--from", help="first, an offset, or a moment like 2026-11-22T10:00Z")
    ] = "first",
    types: Annotated[list[str] | None, typer.Option("--type", help="Only these types, as for events tail")] = None,
    candidate: Annotated[str | None, typer.Option(help="Only events about this candidate's ID")] = None,
) -> None:
    """Tell a service again what others have said; what it knows changes nothing.

    It reaches back as far as the log does: 14 days.
    """
    if service not in SERVICES:
        raise CliError(f"{service!r} is none of {', '.join(SERVICES)}")
    told = run(_replay(Access.load(), service, parse_offset(begin), types or ["*"], candidate))
    for kind, count in sorted(told.items()):
        say(f"{count:>9,}  {kind}")
    say(f"{told.total():,} events told to {service} again")


async def _replay(access: Access, service: str, begin: Offset, types: list[str], candidate: str | None) -> Counter[str]:
    heard = {model.event_type for model in EVENT_BINDINGS[service]}
    told: Counter[str] = Counter()
    async with publishing(access.operator_amqp) as publisher:
        async for _, event in read_log(access.operator_amqp, begin, follow=False):
            if event.get("type") in heard and wanted(event, types, candidate):
                await publisher.add([to_service(service, event)])
                told[str(event["type"])] += 1
    return told
