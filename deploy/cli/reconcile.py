"""`certrail vendors reconcile`: compare a vendor's list of registrations with ours, and show what does not agree."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.access import Access
from deploy.cli.client import operator_client
from deploy.cli.console import note, output, run, say, say_json, table
from deploy.cli.errors import FAILED
from libs.common.ids import new_id

LOOK_SECONDS = 0.5
_SHOWN = 20
_KINDS = ("missing_here", "missing_there", "different", "unreadable")
_MEDIA_TYPES = {".csv": "text/csv", ".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson"}
"""By how a name ends; anything else is tab-separated."""


def reconcile(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The vendor's list (.txt, .csv or .jsonl)")],
    *,
    vendor: Annotated[str, typer.Option(help="Whose list it is")],
    program: Annotated[str, typer.Option(help="The program's id")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day that it covers")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day that it covers")],
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Also write every finding to this file", dir_okay=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Compare a vendor's list of registrations with ours. Nothing is changed by it; exit 1 where they do not agree."""
    media_type = _MEDIA_TYPES.get(file.suffix, "text/tab-separated-values")
    period = {"vendor": vendor, "first": first.date().isoformat(), "last": last.date().isoformat()}
    shown, findings = run(_compare(Access.load(), file.read_bytes(), media_type, program, period, csv_file))
    if as_json:
        say_json({**shown, "findings": findings})
    else:
        _show(shown, findings)
    if any(shown["counts"][kind] for kind in _KINDS):
        raise typer.Exit(FAILED)


async def _compare(  # noqa: PLR0917 all of one request
    access: Access, content: bytes, media_type: str, program: str, period: dict[str, str], csv_file: Path | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    path = f"/programs/{program}/reconciliations"
    async with operator_client(access) as client:
        shown = await client.upload("exams", path, content, media_type, key=new_id(), **period)
        one = f"{path}/{shown['reconciliation_id']}"
        while shown["state"] != "done":
            await asyncio.sleep(LOOK_SECONDS)
            shown = await client.get("exams", one)
        if csv_file is not None:
            with csv_file.open("wb") as target:
                await client.download("exams", f"{one}/findings.csv", target)
            note(f"every finding is in {csv_file}")
        page = await client.get("exams", f"{one}/findings", limit=_SHOWN)
        return shown, page["items"]


def _show(shown: dict[str, Any], findings: list[dict[str, Any]]) -> None:
    counts = shown["counts"]
    say(f"{counts['listed']:,} registrations listed, {counts['equal']:,} the same here", style="bold")
    for kind in _KINDS:
        say(f"{kind.replace('_', ' '):14} {counts[kind]:>9,}")
    if not findings:
        return
    made = table("registration", "finding", "what")
    for one in findings:
        told = "; ".join(f"{each['field']}: {each['theirs']} there, {each['ours']} here" for each in one["differences"])
        made.add_row(one["registration_id"] or f"line {one['line']}", one["kind"], one["reason"] or told)
    output().print(made)
    note(f"comparison {shown['reconciliation_id']}; see the rest with --csv, act on each over the API")
