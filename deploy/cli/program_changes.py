"""`certrail programs dry-run` and `publish`: what a new definition would change, and putting it in force."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.access import Access
from deploy.cli.client import operator_client
from deploy.cli.console import note, output, progress_bar, run, say, say_json, table
from deploy.cli.errors import CliError
from deploy.cli.programs import AsJson, Folder, load
from deploy.local.platform import PROGRAMS
from libs.common.ids import new_id
from libs.common.programs import Program, ProgramErrors, load_program, load_rules

LOOK_SECONDS = 0.5
KINDS = ("gained", "lost", "moved", "changed")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The new definition")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Also write every change to this file", dir_okay=False)]


def dry_run(file: File, csv_file: Csv = None, as_json: AsJson = False) -> None:
    """Try a new definition on every candidate: who gains, who loses, whose dates move. Nothing is changed by it.

    The definition must load without a fault and bear a higher version than the one in force.
    """
    new = _load(file)
    shown = run(_try(Access.load(), new, csv_file))
    if as_json:
        say_json(shown)
    else:
        _show(shown)


def publish(
    file: File,
    directory: Folder = PROGRAMS,
    csv_file: Csv = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Try a new definition, show what it would change, and put it in force.

    It is put into the folder that the services read; they take it over within seconds, without a restart, and
    certs then evaluates every candidate anew. An artwork that it names must lie there already: put a new one beside the
    old one, under a name of its own.
    """
    new = _load(file, directory)
    known = load(directory)
    if new.id not in known:
        raise CliError(f"{directory} holds no program {new.id!r}", hint="name the services' folder with --dir")
    access = Access.load()
    _show(run(_try(access, new, csv_file)))
    if not yes and not typer.confirm("Put it in force?", err=True):
        raise typer.Abort
    target = _file_of(directory, new.id)
    staged = target.with_suffix(".staged")
    staged.write_text(new.definition, encoding="utf-8")
    staged.replace(target)  # at once: no service may read half of it
    note(f"{target} is version {new.version} now")
    run(_await_reach(access, new))
    say(f"{new.id} version {new.version} is in force, for every candidate", style="green")


def _load(file: Path, folder: Path | None = None) -> Program:
    """A draft: for its rules, or with the files that it names from the services' folder."""
    try:
        return load_program(file, folder=folder) if folder else load_rules(file)
    except ProgramErrors as error:
        raise CliError(f"the definition is not in order:\n{error}") from error


def _file_of(directory: Path, program: str) -> Path:
    return next(path for path in sorted(directory.glob("*.yaml")) if load_program(path).id == program)


async def _try(access: Access, new: Program, csv_file: Path | None) -> dict[str, Any]:
    async with operator_client(access) as client:
        path = f"/programs/{new.id}/dry-runs"
        shown = await client.post("certs", path, {"definition": new.definition}, key=new_id())
        with progress_bar("candidates") as bar:
            task = bar.add_task("dry run", total=shown["total"], detail="")
            while shown["state"] != "finished":
                await asyncio.sleep(LOOK_SECONDS)
                shown = await client.get("certs", f"{path}/{shown['run_id']}")
                detail = f"{shown['affected']:,} affected"
                bar.update(task, completed=shown["done"], total=max(shown["total"], shown["done"]), detail=detail)
        if csv_file is not None:
            with csv_file.open("wb") as target:
                await client.download("certs", f"{path}/{shown['run_id']}/changes.csv", target)
            note(f"every change is in {csv_file}")
        result: dict[str, Any] = shown
        return result


def _show(shown: dict[str, Any]) -> None:
    say(f"{shown['program']}: version {shown['from_version']} to {shown['to_version']}", style="bold")
    say(f"{shown['done']:,} candidates, {shown['affected']:,} of them affected")
    if not shown["counts"]:
        say("nothing would be different", style="green")
        return
    made = table("certification", *KINDS, numbers=KINDS)
    for row in shown["counts"]:
        made.add_row(row["certification"], *(f"{row[kind]:,}" if row[kind] else "" for kind in KINDS))
    made.add_row("all", *(f"{sum(row[kind] for row in shown['counts']):,}" for kind in KINDS), style="bold")
    output().print(made)


async def _await_reach(access: Access, new: Program) -> None:
    """Wait until every ledger is evaluated with the new version; an interruption leaves the services at it."""
    async with operator_client(access) as client:
        with progress_bar("candidates") as bar:
            task = bar.add_task("evaluating anew", total=None, detail="")
            while True:
                shown = await client.get("certs", f"/programs/{new.id}/policy")
                reached = shown["candidates"] - shown["outdated"] if shown["version"] == new.version else 0
                bar.update(task, completed=reached, total=shown["candidates"], detail=f"version {shown['version']}")
                if shown["version"] == new.version and shown["outdated"] == 0:
                    return
                if not sys.stderr.isatty() and reached:
                    note(f"{reached:,} of {shown['candidates']:,} candidates evaluated anew")
                await asyncio.sleep(LOOK_SECONDS)
