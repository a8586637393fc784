"""`certrail audit`: who saw and changed what, and whether the log of it is whole."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import quote

import typer
from aio_pika.exceptions import AMQPError
from rich.progress import Progress
from rich.text import Text

from deploy.cli.access import Access
from deploy.cli.client import OperatorClient, operator_client
from deploy.cli.console import note, output, progress_bar, run, say, say_json, table
from deploy.cli.errors import FAILED
from deploy.cli.log_stream import read_log
from libs.common.audit.api import MOST_RECORDS
from libs.common.audit.chain import Finding, Seal, Verifier
from libs.common.audit.seals import EVENTS
from libs.common.events import SERVICES

app = typer.Typer(no_args_is_help=True, help="See who saw and changed what, and whether the log of it is whole.")

_TYPES = {model.event_type: service for service, model in EVENTS.items()}

Chain = tuple[str, str]
"""Service and program."""
Seals = Mapping[Chain, Sequence[Seal]]


@dataclass(frozen=True)
class Verdict:
    """What became of one chain.

    Attributes:
        records: how many are whole, from the first on.
        sealed: the number of the last record that a seal names.
    """

    service: str
    program: str
    records: int
    head: str
    sealed: int
    finding: Finding | None


@app.command()
def verify(
    *,
    program: Annotated[str | None, typer.Option(help="Only this program's chains")] = None,
    log: Annotated[
        bool, typer.Option(help="Compare with the seals in the broker's log of the last 14 days too")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Read every service's audit log and find any change or gap; exit 1 where there is one."""
    verdicts = run(read_verdicts(Access.load(), program, log=log))
    if as_json:
        say_json([asdict(verdict) for verdict in verdicts])
    else:
        _show(verdicts)
    if any(verdict.finding for verdict in verdicts):
        raise typer.Exit(FAILED)


@app.command("list")
def list_records(
    *,
    program: Annotated[str, typer.Option(help="The program's id")],
    candidate: Annotated[str | None, typer.Option(help="Only what concerns this candidate's ID")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this subject of a token did")] = None,
    service: Annotated[str | None, typer.Option(help="Only this service's log")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line")] = False,
) -> None:
    """Print records of the audit logs, service by service, the oldest first."""
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"{service} is none of {', '.join(SERVICES)}", param_hint="--service")
    wanted = {"candidate": candidate, "actor": actor}
    query = {name: value for name, value in wanted.items() if value is not None}
    run(_list(Access.load(), [service] if service else SERVICES, program, query, as_json=as_json))


async def _list(
    access: Access, services: Sequence[str], program: str, query: Mapping[str, str], *, as_json: bool
) -> None:
    async with operator_client(access) as client:
        for service in services:
            async for record in _records(client, service, program, query):
                if as_json:
                    say_json(record, indent=False)
                else:
                    say(_line(record))


def _line(record: Mapping[str, Any]) -> str:
    about = ", ".join(record["candidates"]) or "-"
    outcome = str(record["status"]) if record["step"] == "answered" else "asked"
    columns = (
        record["at"][:23],
        record["service"].ljust(11),
        str(record["n"]).rjust(7),
        outcome.ljust(5),
        record["method"].ljust(6),
        record["operation"].ljust(28),
        record["actor"].ljust(20),
        about,
    )
    return "  ".join(columns)


async def _records(
    client: OperatorClient, service: str, program: str, query: Mapping[str, str]
) -> AsyncIterator[dict[str, Any]]:
    path, after = _path(program), 0
    while True:
        page = await client.get(service, path, after=after, limit=MOST_RECORDS, **query)
        for record in page["items"]:
            yield record
        if page["next"] is None:
            return
        after = page["next"]


async def read_verdicts(access: Access, program: str | None, *, log: bool) -> list[Verdict]:
    """What became of every chain, or of every one of a program's."""
    async with operator_client(access) as client:
        programs = [program] if program else await client.programs()
        chains = [(service, name) for name in programs for service in SERVICES]
        # Seals are read before the records that they speak of, so that none can be ahead of what is read.
        seals = await _seals(client, chains)
        if log:
            await _add_logged(access, seals)
        with progress_bar("records") as bar:
            return [await _verdict(client, chain, seals[chain], bar) for chain in chains]


async def _seals(client: OperatorClient, chains: Sequence[Chain]) -> dict[Chain, list[Seal]]:
    seals: dict[Chain, list[Seal]] = {}
    for service, program in chains:
        pages = client.pages("identity", f"{_path(program)}/seals", of=service, limit=1000)
        seals[service, program] = [Seal(item["n"], item["hash"]) async for item in pages]
    return seals


async def _add_logged(access: Access, seals: Mapping[Chain, list[Seal]]) -> None:
    """Add the seals that the broker's log has; without the broker only a note is made of it."""
    try:
        async for _, event in read_log(access.operator_amqp, "first", follow=False):
            chain = (_TYPES.get(event.get("type", ""), ""), event.get("program", ""))
            if chain in seals:
                seals[chain].append(Seal(event["data"]["n"], event["data"]["hash"]))
    except (AMQPError, ConnectionError, TimeoutError) as error:
        note(f"without the broker's log, which cannot be read: {error}", style="yellow")


async def _verdict(client: OperatorClient, chain: Chain, seals: Sequence[Seal], bar: Progress) -> Verdict:
    service, program = chain
    verifier = Verifier(service, program, seals)
    task = bar.add_task(f"{service} {program}", total=verifier.sealed or None, detail="")
    async for record in _records(client, service, program, {}):
        verifier.take(record)
        bar.advance(task)
        if verifier.finding is not None:
            break
    return Verdict(service, program, verifier.head.n, verifier.head.hash, verifier.sealed, verifier.end())


def _show(verdicts: Sequence[Verdict]) -> None:
    made = table("service", "program", "records", "sealed", "head", "verdict", numbers=("records", "sealed"))
    for verdict in verdicts:
        finding = verdict.finding
        word = Text(finding.words, "bold red") if finding else Text("whole" if verdict.records else "empty", "green")
        counts = (f"{verdict.records:,}", f"{verdict.sealed:,}")
        made.add_row(verdict.service, verdict.program, *counts, verdict.head[:16] if verdict.records else "-", word)
    output().print(made)


def _path(program: str) -> str:
    return f"/programs/{quote(program, safe='')}/audit"
