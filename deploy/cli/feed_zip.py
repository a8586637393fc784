"""`certrail feed FILE.zip`: gives in a vendor's file of results, follows its import, and tells what became of it."""

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import typer
from rich.progress import Progress, TaskID

from deploy.cli.access import Access
from deploy.cli.client import OperatorClient, operator_client
from deploy.cli.console import note, progress_bar, run, say, say_json
from deploy.cli.errors import FAILED, CliError
from libs.common.clock import Clock, SystemClock
from libs.common.programs import Program, ProgramErrors
from services.exams.feeds.batches import Batch, Position, batches
from services.exams.feeds.catalogues import VendorCatalogues
from services.exams.feeds.members import RefusedError, examine
from services.exams.feeds.rows import Sheet
from services.exams.vendors.definition import Vendor, load_vendors

POLL_SECONDS = 0.3
_MOST_UNPACKED_BYTES = 4_294_967_296
_SHOWN = 50
"""Bad rows listed; the rest is in the JSON, and in the file's CSV."""


class _Advance(Protocol):
    def __call__(self, done: int, total: int) -> None: ...


@dataclass
class Account:
    """What became of a file, or would."""

    state: str
    counts: Mapping[str, int]
    refusal: Mapping[str, str] | None = None
    members: list[dict[str, Any]] = field(default_factory=list)
    bad: list[dict[str, Any]] = field(default_factory=list)
    """All of them only where JSON is asked for."""
    file_id: str | None = None
    times_seen: int = 1
    lines: int = 0

    @property
    def accepted(self) -> int:
        return sum(self.counts.get(name, 0) for name in ("results", "absences", "unchanged"))

    @property
    def rejected(self) -> int:
        return self.counts.get("bad", 0)

    @property
    def is_clean(self) -> bool:
        return self.state == "done" and not self.rejected and not any(each["refusal"] for each in self.members)


def feed_zip(
    path: Path, vendor: str, programs: Mapping[str, Program], folder: Path, *, dry_run: bool, as_json: bool
) -> None:
    """Give in a file, or check it here. The exit status is 1 if it was refused or any row was."""
    started = monotonic()
    with progress_bar("lines") as bar:
        if dry_run:
            account = check_here(
                path, _vendor(folder, vendor), programs, SystemClock(), _advancing(bar, "checking", path)
            )
        else:
            size = path.stat().st_size
            account = run(give_in(Access.load(), path, size, vendor, bar=bar, every=as_json))
    _report(path, account, monotonic() - started, dry_run=dry_run, as_json=as_json)
    if not account.is_clean:
        raise typer.Exit(FAILED)


def check_here(path: Path, vendor: Vendor, programs: Mapping[str, Program], clock: Clock, advance: _Advance) -> Account:
    """Read a file as an import reads it, and record nothing."""
    try:
        members = examine(path, _MOST_UNPACKED_BYTES)
    except RefusedError as refused:
        return Account("refused", {}, {"code": refused.code, "message": refused.message})
    account = Account("done", Counter(), lines=sum(member.lines for member in members))
    shown: list[dict[str, Any]] = [{"name": member.name, "refusal": None} for member in members]
    counts: Counter[str] = Counter()
    catalogues, now, done = VendorCatalogues(vendor, programs), clock.now(), 0
    for batch in batches(path, members, Position(), lambda header: Sheet(header, catalogues, vendor.time_zone, now)):
        if batch.refused is not None:
            shown[batch.member.index]["refusal"] = {"code": batch.refused.code, "message": batch.refused.message}
        counts.update(results=len(batch.good), bad=len(batch.bad), rows=len(batch.good) + len(batch.bad))
        account.bad += _bad_rows(batch)
        done += len(batch.good) + len(batch.bad)
        advance(done, account.lines)
    account.counts, account.members = counts, shown
    if all(member["refusal"] for member in shown):
        account.state, account.refusal = "refused", {"code": "no_rows", "message": "no member has rows of the form"}
    return account


async def give_in(access: Access, path: Path, size: int, vendor: str, *, bar: Progress, every: bool) -> Account:
    """Upload a file and follow it to its end; an interruption of ours does not interrupt the import."""
    async with operator_client(access) as client:
        task = bar.add_task(f"sending {path.name}", total=size, detail="")
        query = {"vendor": vendor, "name": path.name}
        sent = await client.upload_file("exams", "/feeds/files", path, size, partial(bar.advance, task), **query)
        bar.update(task, visible=False)
        file = await _followed(client, sent["file_id"], _advancing(bar, "importing", path))
        account = Account(
            file["state"],
            file["counts"],
            file["refusal"],
            file["members"],
            file_id=file["file_id"],
            times_seen=file["times_seen"],
            lines=file["progress"]["lines"],
        )
        async for row in client.pages(
            "exams", f"/feeds/files/{file['file_id']}/bad-rows", limit=200 if every else _SHOWN
        ):
            account.bad.append(row)
            if not every and len(account.bad) >= _SHOWN:
                break
        return account


async def _followed(client: OperatorClient, file_id: str, advance: _Advance) -> dict[str, Any]:
    while True:
        file: dict[str, Any] = await client.get("exams", f"/feeds/files/{file_id}")
        advance(file["progress"]["lines_done"], file["progress"]["lines"])
        if file["state"] in {"done", "refused"}:
            return file
        await asyncio.sleep(POLL_SECONDS)


def _advancing(bar: Progress, what: str, path: Path) -> _Advance:
    task: TaskID | None = None
    started = monotonic()

    def advance(done: int, total: int) -> None:
        nonlocal task
        if task is None:
            task = bar.add_task(f"{what} {path.name}", total=None, detail="")
        pace = done / max(monotonic() - started, 0.001)
        bar.update(task, completed=done, total=total or None, detail=f"{pace:,.0f}/s" if done else "")

    return advance


def _vendor(folder: Path, name: str) -> Vendor:
    try:
        found = load_vendors(folder).get(name)
    except ProgramErrors as error:
        raise CliError(str(error)) from None
    if found is None:
        raise CliError(f"there is no definition of the vendor {name!r} in {folder}")
    return found


def _bad_rows(batch: Batch) -> list[dict[str, Any]]:
    return [
        {
            "member": batch.member.name,
            "line": row.line,
            "registration_id": row.registration_id,
            "program": row.program,
            "faults": [fault._asdict() for fault in row.faults],
        }
        for row in batch.bad
    ]


def _report(path: Path, account: Account, seconds: float, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        say_json(_outcome(path, account, seconds))
        return
    style = "red" if sys.stderr.isatty() else ""
    if account.refusal is not None:
        note(f"{path}: {account.refusal['message']} [{account.refusal['code']}]", style=style)
    for member in account.members:
        if member["refusal"]:
            note(f"{path}:{member['name']}: {member['refusal']['message']} [{member['refusal']['code']}]", style=style)
    for row in account.bad[:_SHOWN]:
        for fault in row["faults"]:
            where = ":".join(
                part for part in (str(path), row["member"], str(row["line"]), f" {fault['column']}") if part.strip()
            )
            note(f"{where}: {fault['message']} [{fault['code']}]", style=style)
    if account.rejected > _SHOWN:
        note(f"… and {account.rejected - _SHOWN} more rejected rows; --json lists them all")
    if account.times_seen > 1:
        note("this file was given in before; nothing was done again")
    say(f"rows      {account.counts.get('rows', 0):>10,}")
    say(f"accepted  {account.accepted:>10,}")
    say(f"rejected  {account.rejected:>10,}")
    if dry_run:
        say("recorded           0  (dry run)")
    else:
        recorded = account.counts.get("results", 0) + account.counts.get("absences", 0)
        say(f"recorded  {recorded:>10,}  ({account.counts.get('unchanged', 0):,} were known)")


def _outcome(path: Path, account: Account, seconds: float) -> dict[str, Any]:
    return {
        "file": str(path),
        "file_id": account.file_id,
        "state": account.state,
        "refusal": account.refusal,
        "rows": account.counts.get("rows", 0),
        "accepted": account.accepted,
        "counts": dict(account.counts),
        "members": account.members,
        "seconds": round(seconds, 3),
        "rejected": account.bad,
    }
