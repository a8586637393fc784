"""`certrail doctor`: whether everything that must be so across the services is so, and how to mend what is not."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import aio_pika
import typer
from rich.text import Text

from deploy.cli.access import Access
from deploy.cli.audit import read_verdicts
from deploy.cli.backup import administrator
from deploy.cli.console import output, progress_bar, run, say, say_json, table
from deploy.cli.errors import FAILED
from deploy.cli.programs import Folder, load
from deploy.cli.queues import depths, working_queues
from deploy.doctor.broker import look_at
from deploy.doctor.dossiers import KINDS, Dossier
from deploy.doctor.findings import Finding
from deploy.doctor.judging import Surroundings, judge
from deploy.doctor.reading import Client, all_dossiers, count_of, dossier_of
from deploy.local.platform import PROGRAMS
from libs.common.bus.topology import parked_queue
from libs.common.events import SERVICES

SETTLE_SECONDS = 3.0
"""What is found while everything runs is looked at again after this long: events may have been on their way."""
LOOKS = 5
_SUSPECTS = 500
"""How many candidates are kept for the second look at a time."""


def doctor(
    *,
    program: Annotated[str | None, typer.Option(help="Only this program's candidates")] = None,
    candidate: Annotated[str | None, typer.Option(help="Only this candidate")] = None,
    audit: Annotated[bool, typer.Option(help="Verify the audit logs, too, which reads every record")] = True,
    directory: Folder = PROGRAMS,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Compare what the services hold, candidate by candidate, and look into each one's own house.

    It only reads. Every finding says what to do about it; the exit status is 1 where there is one.
    """
    programs = load(directory)
    access = Access.load()
    counted: Counter[str] = Counter()
    with administrator(access) as client:
        surroundings = Surroundings(programs, datetime.now(UTC))
        found = list(_candidates(client, surroundings, program, candidate, counted))
        if candidate is None:
            found += settled(client)
            found += run(_broker(access))
    if audit and candidate is None:
        found += run(_audit(access, program))
    if as_json:
        say_json({"counts": counted, "findings": [asdict(finding) for finding in found], "well": not found})
    else:
        _show(found, counted)
    if found:
        raise typer.Exit(FAILED)


def settled(client: Client) -> list[Finding]:
    """What is wrong in the services' own houses, and still is when looked at again."""
    # It loads the code of all services: more than a second, which every command would take.
    from deploy.doctor.services import look_into  # noqa: PLC0415

    found = list(look_into(client, datetime.now(UTC)))
    if not found:
        return []
    time.sleep(SETTLE_SECONDS)
    again = {(one.check, one.service, one.subject): one for one in look_into(client, datetime.now(UTC))}
    keys = {(one.check, one.service, one.subject) for one in found}
    return [one for key, one in again.items() if key in keys]


def _candidates(
    client: Client, surroundings: Surroundings, program: str | None, candidate: str | None, counted: Counter[str]
) -> Iterator[Finding]:
    everybody: Iterable[Dossier] = (
        [dossier_of(client, candidate)] if candidate is not None else all_dossiers(client, program)
    )
    suspects: list[str] = []
    with progress_bar("candidates") as bar:
        task = bar.add_task("comparing", total=1 if candidate else count_of(client), detail="")
        for dossier in everybody:
            _count(dossier, counted)
            if judge(dossier, surroundings):
                suspects.append(dossier.candidate_id)
            bar.update(task, advance=1, detail=dossier.candidate_id)
            if len(suspects) >= _SUSPECTS:
                yield from _second_look(client, surroundings, suspects)
                suspects.clear()
    yield from _second_look(client, surroundings, suspects)


def _second_look(client: Client, surroundings: Surroundings, suspects: Sequence[str]) -> Iterator[Finding]:
    """What is still so of suspects; that of a healthy platform passes while its events arrive."""
    left = {candidate: judge(dossier_of(client, candidate), surroundings) for candidate in suspects}
    for _ in range(LOOKS):
        left = {candidate: findings for candidate, findings in left.items() if findings}
        if not left:
            return
        time.sleep(SETTLE_SECONDS / LOOKS)
        left = {candidate: judge(dossier_of(client, candidate), surroundings) for candidate in left}
    for findings in left.values():
        yield from findings


def _count(dossier: Dossier, counted: Counter[str]) -> None:
    counted["candidates"] += 1
    for kind in KINDS:
        counted[f"{kind}s"] += len(dossier.of(kind))
    ledger = dossier.one("ledger")
    if ledger is not None:
        counted["facts"] += len(ledger["facts"])
        counted["certifications"] += len(ledger["certifications"])


async def _broker(access: Access) -> list[Finding]:
    wanted = working_queues()
    async with await aio_pika.connect(access.operator_amqp, timeout=10) as connection:
        return list(look_at(await depths(connection, (*wanted, *map(parked_queue, SERVICES))), wanted))


async def _audit(access: Access, program: str | None) -> list[Finding]:
    return [
        Finding(
            "audit-broken",
            verdict.service,
            verdict.finding.words,
            verdict.program,
            mend="docs/operators.md, Audit log; after a restore the seals may be younger than the records",
        )
        for verdict in await read_verdicts(access, program, log=True)
        if verdict.finding is not None
    ]


def _show(found: Sequence[Finding], counted: Counter[str]) -> None:
    say(", ".join(f"{count:,} {name}" for name, count in sorted(counted.items())))
    if not found:
        say("all is whole", style="bold green")
        return
    made = table("finding", "service", "about", "what", "what to do")
    for finding in found:
        about = finding.subject + "".join(f"\n{one}" for one in finding.ids)
        style = "bold red" if finding.severity == "error" else "yellow"
        made.add_row(Text(finding.check, style), finding.service, about, finding.what, finding.mend)
    output().print(made)
    kinds = Counter(finding.check for finding in found)
    say(f"{len(found):,} findings: {', '.join(f'{count:,} {kind}' for kind, count in sorted(kinds.items()))}")
