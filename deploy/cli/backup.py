"""`certrail backup`: copies of the databases, and the changes since; `certrail backups` says what there is."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from aio_pika.exceptions import AMQPError
from pymongo import MongoClient

from deploy.backup.catalogue import Catalogue, ErasedAccount, Erasure, Moment, chain
from deploy.backup.catching_up import erasure_of
from deploy.backup.changes import Client, keep_what_follows
from deploy.backup.copying import make_copy
from deploy.backup.errors import BackupError
from deploy.backup.files import Key
from deploy.cli.access import Access
from deploy.cli.console import note, output, progress_bar, run, say, say_json, table
from deploy.cli.errors import CliError
from deploy.cli.log_stream import read_log
from deploy.mongo.users import audit_database_name, database_name
from libs.common.events import SERVICES

_OVERLAP = timedelta(hours=1)
"""How far back the broker's log is read for erasures: an erasure is told twice, an hour apart."""

Folder = Annotated[Path, typer.Argument(help="Folder of the backup")]
Services = Annotated[list[str] | None, typer.Option("--service", help="Only this service; more than one may be named")]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="File of the key that seals the backup", exists=True, dir_okay=False)
]


def backup(
    folder: Folder,
    *,
    service: Services = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on and keep every change since; Ctrl-C ends it, and nothing is lost")
    ] = False,
    every: Annotated[int, typer.Option(min=1, max=3600, help="Seconds between two slices of changes")] = 60,
    changes: Annotated[
        bool, typer.Option("--changes", help="Make no new copy: keep the changes since the last slice, once")
    ] = False,
    keep_days: Annotated[
        int | None, typer.Option(min=1, help="Then remove copies that are older; never the newest one")
    ] = None,
    key_file: KeyFile = None,
) -> None:
    """Copy the services' databases as they are at one moment, while everything runs; `--follow` keeps what comes.

    A copy is of one moment by itself. With the changes since, `certrail restore` comes to any moment between.
    """
    catalogue = Catalogue(folder, read_key(key_file))
    names = chosen(service)
    with administrator(Access.load()) as client:
        if changes:
            _continue(client, catalogue, every=every, follow=follow)
        else:
            copy_now(client, catalogue, names)
            if follow:
                _continue(client, catalogue, every=every, follow=True)
    if keep_days is not None:
        gone = catalogue.forget_before(Moment(int((datetime.now(UTC) - timedelta(days=keep_days)).timestamp()), 0))
        say(f"removed {len(gone)} copies and slices of changes")


def backups(
    folder: Folder,
    *,
    check: Annotated[bool, typer.Option("--check", help="Read every file and compare its hash")] = False,
    key_file: KeyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Show the copies of a backup, and to which moments each can be brought."""
    catalogue = Catalogue(folder, read_key(key_file))
    copies, slices = catalogue.copies(), catalogue.slices()
    if not copies:
        raise CliError(f"there is no copy in {folder}")
    if check:
        for copy in copies:
            catalogue.check_copy(copy, copy.databases)
        for each in slices:
            catalogue.check_slice(each)
    rows = []
    for copy in copies:
        last, gap = copy.moment, None
        try:
            kept = chain(slices, copy.databases, copy.moment, None)
            last = kept[-1].through if kept else last
        except BackupError as error:
            gap = str(error)
        rows.append((copy, last, gap))
    if as_json:
        say_json(
            [
                {
                    "moment": copy.moment.at,
                    "databases": sorted(copy.databases),
                    "documents": copy.documents,
                    "until": last.at,
                    "gap": gap,
                    "key": copy.key,
                }
                for copy, last, gap in rows
            ]
        )
        return
    made = table("copy of", "databases", "documents", "can be brought to", "key", numbers=("databases", "documents"))
    for copy, last, gap in rows:
        reach = f"{last.at:%Y-%m-%d %H:%M:%S}" if gap is None else gap
        made.add_row(_words(copy.moment), str(len(copy.databases)), f"{copy.documents:,}", reach, copy.key or "none")
    output().print(made)
    say(f"{len(catalogue.erasures())} erasures are on the list{'; every file is as it was written' if check else ''}")


def chosen(services: Sequence[str] | None) -> list[str]:
    """The services that are named, or all. Raises `CliError` for one that does not exist."""
    if unknown := [name for name in services or () if name not in SERVICES]:
        raise CliError(f"--service: {unknown[0]!r} is none of {', '.join(SERVICES)}")
    return list(services or SERVICES)


def databases_of(services: Sequence[str]) -> list[str]:
    """Each service's own database, and that of its audit log."""
    return [*map(database_name, services), *map(audit_database_name, services)]


def read_key(path: Path | None) -> Key | None:
    return None if path is None else Key(path.read_bytes())


@contextmanager
def administrator(access: Access) -> Iterator[Client]:
    """The database as its administrator, for the length of a command."""
    with MongoClient[dict[str, Any]](access.mongo_administrator, serverSelectionTimeoutMS=10_000) as client:
        yield client


def copy_now(client: Client, catalogue: Catalogue, services: Sequence[str]) -> None:
    """Make a copy, and bring the list of erasures up to date."""
    # First of all: what changes while the copy is made is to be kept, too.
    before = catalogue.copies()
    keep_erasures(client, catalogue, since=before[-1].moment.at - _OVERLAP if before else None)
    with progress_bar("documents") as bar:
        task = bar.add_task("copying", total=None, detail="")

        def on_copied(database: str, collection: str, count: int) -> None:
            bar.update(task, advance=count, detail=f"{database}.{collection}")

        copy = make_copy(client, catalogue, databases_of(services), on_copied)
    say(f"copied {copy.documents:,} documents of {', '.join(services)} as they were at {_words(copy.moment)} UTC")


def keep_erasures(client: Client, catalogue: Catalogue, *, since: datetime | None) -> None:
    """Add everybody to the list of whom the broker's log says that they were erased, or identity is erasing them."""
    found = [*_under_way(client)]
    try:
        found += run(_logged(Access.load(), since))
    except (AMQPError, ConnectionError, TimeoutError) as error:
        note(f"erasures are listed without the broker's log, which cannot be read: {error}", style="yellow")
    catalogue.keep_erasures(found)


def _continue(client: Client, catalogue: Catalogue, *, every: int, follow: bool) -> None:
    if follow:
        note(f"keeping changes every {every} s; Ctrl-C ends it")
    try:
        while True:
            catalogue.keep_erasures(_under_way(client))
            if (kept := keep_what_follows(client, catalogue, databases_of(SERVICES))) is not None:
                say(f"{kept.changes:,} changes through {_words(kept.through)} UTC")
            if not follow:
                return
            time.sleep(every)
    except KeyboardInterrupt:
        note("ended; `certrail backup --changes --follow` goes on from here")


async def _logged(access: Access, since: datetime | None) -> list[Erasure]:
    log = read_log(access.operator_amqp, since or "first", follow=False)
    return [erasure async for _, event in log if (erasure := erasure_of(event))]


def _under_way(client: Client) -> Iterator[Erasure]:
    """Erasures of the last hour, which identity tells once more at its end."""
    for row in client[database_name("identity")]["erasures"].find({"state": "erasing"}):
        accounts = [ErasedAccount(**account) for account in row["accounts"]]
        erased_at = row["erased_at"].replace(tzinfo=UTC)
        yield Erasure(program=row["program"], candidate_id=row["candidate_id"], accounts=accounts, erased_at=erased_at)


def _words(moment: Moment) -> str:
    return f"{moment.at:%Y-%m-%d %H:%M:%S}"
