"""`certrail restore`: databases as they were at a moment, and what the services have said since."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from deploy.backup.catalogue import Catalogue
from deploy.backup.catching_up import MARGIN, CatchingUp, Told
from deploy.backup.changes import Client, keep_what_follows
from deploy.backup.errors import BackupError
from deploy.backup.restoring import Restored, Restoring, check, plan
from deploy.cli.access import Access
from deploy.cli.backup import (
    Folder,
    KeyFile,
    Services,
    administrator,
    chosen,
    copy_now,
    databases_of,
    keep_erasures,
    read_key,
)
from deploy.cli.console import note, progress_bar, run, say
from deploy.cli.errors import CliError
from deploy.cli.log_stream import read_log
from deploy.mongo.users import audit_database_name, database_name
from libs.common.events import SERVICES

_ENDED = {"identity": ("sessions", "refresh_tokens", "staff_sessions", "staff_refresh_tokens")}
"""What must not come back: somebody may have ended it since, or changed the password that it was had by."""


def restore(
    folder: Folder,
    *,
    service: Services = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="A moment like 2026-11-22T10:00:00.250Z; without it the last one there is"),
    ] = None,
    events: Annotated[
        bool, typer.Option(help="Tell it what was said on the bus since; without, only of erasures")
    ] = True,
    copy: Annotated[bool, typer.Option(help="Make a new copy at the end")] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing")] = False,
    key_file: KeyFile = None,
) -> None:
    """Put services' databases back to a moment; they must not run meanwhile, and database and broker must.

    Without `--at` to the last moment that was kept, or that before somebody removed a database. Audit logs are only
    added to. Whoever was erased stays so.
    """
    names, moment, catalogue = chosen(service), parse_moment(at), Catalogue(folder, read_key(key_file))
    access = Access.load()
    with administrator(access) as client:
        _nobody_runs(client, names)
        keep_erasures(client, catalogue, since=None)
        _keep_the_rest(client, catalogue)
        databases = databases_of(names)
        made = plan(catalogue, databases, moment)
        note(f"checking the files of the copy of {made.copy.moment.at:%Y-%m-%d %H:%M:%S} UTC and what follows it")
        check(catalogue, made, databases)
        if not yes:
            typer.confirm(f"replace what {', '.join(names)} have now?", abort=True, err=True)
        with progress_bar("documents and changes") as bar:
            task = bar.add_task("restoring", total=None, detail="")
            restored = Restoring(
                client,
                catalogue,
                replaced=[*map(database_name, names)],
                added_to=[*map(audit_database_name, names)],
                on_restored=lambda database, count: bar.update(task, advance=count, detail=database),
            ).run(made, moment)
        _show(names, restored)
        for name in names:
            for ended in _ENDED.get(name, ()):
                client[database_name(name)][ended].delete_many({})
        told = run(_catch_up(access, client, catalogue, names, restored, events=events))
        _show_told(told, names)
        if copy:
            copy_now(client, catalogue, SERVICES)
    say("start the services again; then `certrail doctor` says whether all is whole")


def parse_moment(text: str | None) -> datetime | None:
    """A moment; UTC where it does not say. Raises `CliError`."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CliError(f"--at: {text!r} is no moment like 2026-11-22T10:00:00.250Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _nobody_runs(client: Client, services: Sequence[str]) -> None:
    """Raises `CliError` where a process of one of the services is connected to the database."""
    query: list[dict[str, Any]] = [
        {"$currentOp": {"allUsers": True, "idleConnections": True}},
        {"$match": {"appName": {"$regex": f"^certrail-({'|'.join(services)})-"}}},
        {"$group": {"_id": "$appName"}},
    ]
    found = sorted(row["_id"] for row in client.admin.aggregate(query))
    if found:
        raise CliError(
            f"still connected to the database: {', '.join(found)}",
            hint="stop them first: here with `certrail down --service NAME`",
        )


def _keep_the_rest(client: Client, catalogue: Catalogue) -> None:
    """Keep what has changed since the last slice, as far as the database still tells."""
    try:
        keep_what_follows(client, catalogue, databases_of(SERVICES))
    except BackupError as error:
        note(f"without the changes since the last slice: {error}", style="yellow")


async def _catch_up(
    access: Access, client: Client, catalogue: Catalogue, services: Sequence[str], restored: Restored, *, events: bool
) -> Told:
    since = restored.at
    work = CatchingUp(client, access.operator_amqp, dict.fromkeys(services, since))
    if events:
        log: AsyncIterator[Any] = read_log(access.operator_amqp, since - MARGIN, follow=False)
        await work.run(log)
    return await work.erase_again(catalogue.erasures())


def _show(services: Sequence[str], restored: Restored) -> None:
    say(
        f"restored {', '.join(services)}: {restored.documents:,} documents and {restored.changes:,} changes, "
        f"through {restored.at:%Y-%m-%d %H:%M:%S.%f} UTC"
    )
    if restored.stopped:
        say(f"ended there because {restored.stopped}")


def _show_told(told: Told, services: Sequence[str]) -> None:
    for name in services:
        say(f"{name}: {told.again[name]:,} events told again, {told.noted[name]:,} of its own noted as said")
    if told.mails:
        say(f"{told.mails:,} mails are known to have gone since")
    say(f"{told.erasures:,} erasures told again")
