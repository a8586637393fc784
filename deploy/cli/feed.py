"""`certrail feed`: publishes a vendor's file."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer

from deploy.cli.access import Access
from deploy.cli.console import note, progress_bar, run, say, say_json
from deploy.cli.errors import FAILED, CliError
from deploy.cli.feed_check import Checked, RowCheck, accepted_messages, check_rows
from deploy.cli.feed_csv import read_csv
from deploy.cli.feed_rows import Row, defaults_for, read_json_lines
from deploy.cli.feed_zip import feed_zip
from deploy.cli.programs import Folder, load
from deploy.cli.publishing import publish_all
from deploy.local.platform import PROGRAMS, VENDORS
from libs.common.bus.messages import Outgoing
from libs.common.bus.topology import VENDOR_NAME
from libs.common.clock import SystemClock

_JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
_SHOWN = 50
"""Rejected rows listed; the rest is in the JSON."""


@dataclass(frozen=True)
class VendorFile:
    """A file that can be read as often as needed."""

    path: Path
    rows: Callable[[], Iterator[Row]]
    columns: bool
    """Whether its fields are columns."""


def feed(
    file: Annotated[Path, typer.Argument(help="JSON Lines (.jsonl, .ndjson, .json), CSV (.csv) or result file (.zip)")],
    *,
    vendor: Annotated[str, typer.Option(help="Whose file it is: a vendor's name on the broker, like vue")],
    program: Annotated[str | None, typer.Option(help="Program of the rows that name none")] = None,
    event_type: Annotated[
        str | None, typer.Option("--type", help="Event type of the rows that name none, like ExamResultReported.v1")
    ] = None,
    unchecked: Annotated[bool, typer.Option("--unchecked", help="Send rows that the platform will refuse")] = False,
    rate: Annotated[float | None, typer.Option(min=0.01, help="Messages a second at most")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check, send nothing")] = False,
    directory: Folder = PROGRAMS,
    vendors: Annotated[
        Path,
        typer.Option("--vendors", envvar="CERTRAIL_VENDORS_DIR", help="Folder of the vendors' definitions (*.yaml)"),
    ] = VENDORS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON")] = False,
) -> None:
    """Check every row of a vendor's file, then publish the good ones as the vendor, each confirmed.

    A zip of result files is given in as it is, and its import followed. Running it twice doubles nothing. The exit
    status is 1 if any row was rejected.
    """
    if file.suffix.lower() == ".zip":
        _check_options_of_zip(file, vendor, program, event_type, unchecked=unchecked, rate=rate)
        feed_zip(file, vendor, load(directory), vendors, dry_run=dry_run, as_json=as_json)
        return
    source = open_file(file, vendor, program, event_type)
    check = None if unchecked else RowCheck(load(directory), SystemClock(), columns=source.columns)
    with progress_bar("rows") as bar:
        task = bar.add_task(f"checking {file.name}", total=None, detail="")
        checked = check_rows(source.rows(), check, partial(bar.advance, task))
    if not as_json:
        _show_rejected(file, checked)
    started = monotonic()
    sent = 0
    if not dry_run and checked.accepted:
        url = Access.load().vendor_amqp(vendor)
        sent = run(publish(url, accepted_messages(source.rows(), checked), file.name, checked.accepted, rate))
    _report(file, checked, sent, monotonic() - started, dry_run=dry_run, as_json=as_json)
    if checked.rejected:
        raise typer.Exit(FAILED)


def _check_options_of_zip(
    file: Path, vendor: str, program: str | None, event_type: str | None, *, unchecked: bool, rate: float | None
) -> None:
    if not VENDOR_NAME.fullmatch(vendor):
        raise CliError(f"--vendor: {vendor!r} is no vendor's name (small letters and digits)")
    if not file.is_file():
        raise CliError(f"there is no file {file}")
    if program or event_type or unchecked or rate:
        raise CliError("--program, --type, --unchecked and --rate are for JSON Lines and CSV")


def open_file(path: Path, vendor: str, program: str | None, event_type: str | None) -> VendorFile:
    """A vendor's file by its ending. Raises `CliError` where it cannot be read."""
    if not VENDOR_NAME.fullmatch(vendor):
        raise CliError(f"--vendor: {vendor!r} is no vendor's name (small letters and digits)")
    if not path.is_file():
        raise CliError(f"there is no file {path}")
    defaults = defaults_for(path, vendor, program, event_type)
    if path.suffix.lower() in _JSON_ENDINGS:
        return VendorFile(path, partial(read_json_lines, path, defaults), columns=False)
    if path.suffix.lower() == ".csv":
        return VendorFile(path, partial(read_csv, path, defaults), columns=True)
    raise CliError(f"{path}: a vendor's file ends in .zip, .csv or {', '.join(_JSON_ENDINGS)}")


async def publish(url: str, messages: Iterator[Outgoing], name: str, total: int, rate: float | None) -> int:
    """Publish with a progress bar; returns how many were confirmed."""
    with progress_bar("messages") as bar:
        task = bar.add_task(f"publishing {name}", total=total, detail="")
        started = monotonic()
        confirmed = 0

        def count() -> None:
            nonlocal confirmed
            confirmed += 1
            if confirmed % 100 == 0 or confirmed == total:
                bar.update(task, completed=confirmed, detail=f"{confirmed / (monotonic() - started):,.0f}/s")

        return await publish_all(url, messages, rate=rate, on_confirmed=count)


def _show_rejected(file: Path, checked: Checked) -> None:
    for row in checked.rejected[:_SHOWN]:
        for reason in row.reasons:
            where = f"{file}:{row.line}: {reason.path}: " if reason.path else f"{file}:{row.line}: "
            note(f"{where}{reason.message} [{reason.code}]", style="red" if sys.stderr.isatty() else "")
    if len(checked.rejected) > _SHOWN:
        note(f"… and {len(checked.rejected) - _SHOWN} more rejected rows; --json lists them all")


def _report(file: Path, checked: Checked, sent: int, seconds: float, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        say_json(_outcome(file, checked, sent, seconds))
        return
    say(f"rows      {checked.rows:>10,}")
    say(f"accepted  {checked.accepted:>10,}")
    by_code = ", ".join(f"{code} {count}" for code, count in checked.by_code().items())
    say(f"rejected  {len(checked.rejected):>10,}{f'  ({by_code})' if by_code else ''}")
    if dry_run:
        say("published          0  (dry run)")
    else:
        pace = f"  ({sent / seconds:,.0f}/s)" if sent else ""
        say(f"published {sent:>10,}{pace}")


def _outcome(file: Path, checked: Checked, sent: int, seconds: float) -> dict[str, Any]:
    return {
        "file": str(file),
        "rows": checked.rows,
        "accepted": checked.accepted,
        "published": sent,
        "seconds": round(seconds, 3),
        "rejected": [
            {"line": row.line, "reasons": [reason._asdict() for reason in row.reasons]} for row in checked.rejected
        ],
    }
