"""`certrail trace`: the whole way from a vendor's message to the last mail, by any id that somebody has of it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import aio_pika
import typer

from deploy.cli import way
from deploy.cli.access import Access
from deploy.cli.client import OperatorClient, operator_client
from deploy.cli.console import run, say, say_json
from deploy.cli.errors import CliError
from deploy.cli.log_stream import Offset, parse_offset, read_log
from deploy.cli.way import End, Event, Step
from libs.common.events import SERVICES
from libs.common.parked.queue import open_parked

MOST_PEOPLE = 10
"""Whose results and mails are asked for. More than these have no message in common that is worth following."""
MOST_IDS = 50
"""As many as the services take in one question."""
MOST_PARKED = 10_000
_STYLES = {"mailed": "green", "quiet": "", "under_way": "yellow"}


@dataclass(frozen=True)
class Way:
    """What is known of an id."""

    id: str
    steps: Sequence[Step]
    ends: Sequence[End]


def trace(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A correlation id, an event's, a vendor's message, result or registration, or a mail's Message-ID",
        ),
    ],
    *,
    begin: Annotated[
        str,
        typer.Option("--from", help="Where in the log to begin: first, an offset, or a moment like 2026-11-22T10:00Z"),
    ] = "first",
    data: Annotated[bool, typer.Option("--data", help="Show the events' data, which may hold personal data")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Print what became of a message: each step with the time since the first, and where the way ends."""
    if not name.strip():
        raise CliError("there is no id to follow", hint="certrail events tail --json shows what events are known by")
    found = run(follow(Access.load(), name.strip(), parse_offset(begin), data=data))
    if as_json:
        say_json(
            {"id": found.id, "steps": [asdict(one) for one in found.steps], "ends": [asdict(e) for e in found.ends]}
        )
        return
    _show(found)


async def follow(access: Access, name: str, offset: Offset, *, data: bool) -> Way:
    """Look in the log, in exams, among parked messages and in notify.

    Raises:
        CliError: nobody knows anything of that id.
    """
    name = way.own_id(name)
    async with operator_client(access) as client:
        told = await _mails(client, [name], None)
        if told:  # a mail's id: the way is that of the event that it was sent for
            name = str(told[0]["cause_event_id"])
        events = await _events(access, offset, name)
        names = [name, *way.origins(events)][:MOST_IDS]
        people = sorted({str(event["data"]["candidate_id"]) for event in events if "candidate_id" in event["data"]})
        received = await _received(client, names, people[:MOST_PEOPLE])
        mails = {mail["message_id"]: mail for mail in told}
        known = [*names, *(str(event["id"]) for event in events)]
        for person in people[:MOST_PEOPLE]:
            for start in range(0, len(known), MOST_IDS):
                mails |= {
                    mail["message_id"]: mail for mail in await _mails(client, known[start : start + MOST_IDS], person)
                }
    parked = await parked_of(access, known)
    steps = way.steps_of(events, received, data=data)
    ends = way.ends_of(events, received, mails.values(), parked, data=data)
    if not steps and not ends:
        raise CliError(f"nothing is known of {name!r}", hint="the log of events reaches back for 14 days")
    return Way(name, steps, ends)


async def _events(access: Access, offset: Offset, name: str) -> list[Event]:
    """The events on the way. The log is read twice: for the chains that the id is in, then for what is in those."""
    chains = {way.chain_of(event) async for event in _log(access, offset) if way.is_meant(event, name)}
    if not chains:
        return []
    return way.belonging([event async for event in _log(access, offset) if way.chain_of(event) in chains], name)


async def _log(access: Access, offset: Offset) -> AsyncIterator[Event]:
    """What the log holds. Something without an id is no event, and stops nobody from looking at the others."""
    async for _, event in read_log(access.operator_amqp, offset, follow=False):
        if "id" in event:
            yield event


async def _received(client: OperatorClient, names: Sequence[str], people: Sequence[str]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for whose in ({}, *({"candidate_id": person} for person in people)):
        answer = await client.get("exams", "/received", id=list(names), **whose)
        found |= {(item["kind"], f"{item['message_id']} {item['received_at']}"): item for item in answer["items"]}
    return list(found.values())


async def _mails(client: OperatorClient, names: Sequence[str], person: str | None) -> list[dict[str, Any]]:
    whose = {} if person is None else {"candidate_id": person}
    answer: Mapping[str, Any] = await client.get("notify", "/mails", id=list(names), **whose)
    return list(answer["items"])


async def parked_of(access: Access, names: Sequence[str]) -> list[dict[str, Any]]:
    """What services have set aside of these events, or of what follows from them."""
    found: list[dict[str, Any]] = []
    async with await aio_pika.connect(access.operator_amqp, timeout=10) as connection:
        for service in SERVICES:
            async with open_parked(connection, service) as queue:
                async for parked in queue.read(
                    lambda one: any(way.is_on_the_way(event, names) for event in one.events), MOST_PARKED
                ):
                    said = {"service": service, "id": parked.id, "code": parked.code}
                    found.append({**said, "routing_key": parked.routing_key})
    return found


def _show(found: Way) -> None:
    began = found.steps[0].at if found.steps else None
    for step in found.steps:
        since = (step.at - began).total_seconds() if began else 0.0
        about = " ".join(f"{key}={value}" for key, value in step.about.items())
        say(f"{step.at:%Y-%m-%d %H:%M:%S}  {since:+10.3f} s  {step.where:<12} {step.what:<24} {about}")
        if step.data is not None:
            say(f"    {dict(step.data)}")
    say("")
    for end in found.ends:
        say(f"{end.state:<10} {end.text}", style=_STYLES.get(end.state, "red"))
