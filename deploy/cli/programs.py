"""`certrail programs`: the program definitions, and whether they are in order."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from deploy.cli.console import note, output, say, say_json, table
from deploy.cli.errors import FAILED, CliError
from deploy.local.platform import PROGRAMS
from libs.common.programs import (
    Clause,
    Program,
    ProgramError,
    ProgramErrors,
    load_program,
    load_programs,
    load_rules,
    prerequisites,
)

app = typer.Typer(no_args_is_help=True, help="Show and check program definitions.")

_RULES = (
    "defaults",
    "renewal",
    "ladder",
    "credits",
    "courses",
    "retake",
    "emeritus",
    "designations",
    "legacy_validity",
    "extensions",
    "agreement",
)
"""Sections that hold rules, in the order shown."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]
Folder = Annotated[
    Path,
    typer.Option(
        "--dir", envvar="CERTRAIL_PROGRAMS_DIR", help="Folder of the definitions (*.yaml)", show_default=False
    ),
]


@app.command("list")
def list_programs(directory: Folder = PROGRAMS, as_json: AsJson = False) -> None:
    """List the programs with the size of their catalogues."""
    rows = [_summary(program) for program in load(directory).values()]
    if as_json:
        say_json(rows)
        return
    columns = ("program", "name", "version", "candidate IDs", "exams", "certifications", "time zone")
    made = table(*columns, numbers=("exams", "certifications"))
    for row in rows:
        made.add_row(*(str(value) for value in row.values()))
    output().print(made)


@app.command()
def show(
    program: Annotated[str, typer.Argument(help="The program's id")],
    directory: Folder = PROGRAMS,
    as_json: AsJson = False,
) -> None:
    """Show a program's certifications, exams and rules."""
    known = load(directory)
    if program not in known:
        raise CliError(f"there is no program {program!r}", hint=f"known are {', '.join(known)}")
    found = known[program]
    certifications, exams, rules = _certifications(found), _exams(found), _rules(found)
    if as_json:
        say_json({**_summary(found), "certifications": certifications, "exam_list": exams, "rules": rules})
        return
    say(f"{found.name} ({found.id}), version {found.version}", style="bold")
    for title, rows in (("Certifications", certifications), ("Exams", exams), ("Rules", rules)):
        say(f"\n{title}", style="bold")
        made = table(*rows[0]) if rows else table("none")
        for row in rows:
            made.add_row(*("" if value is None else Text(str(value)) for value in row.values()))
        output().print(made)


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Definitions; without any, those of --dir")] = None,
    directory: Folder = PROGRAMS,
    as_json: AsJson = False,
) -> None:
    """Check definitions; prints each fault as file:line: path: what is wrong, and exits with 1 if there is any."""
    checked, faults = _checked(files or [], directory)
    if as_json:
        rows = [
            {"file": fault.file, "line": fault.line, "path": fault.path, "message": fault.message} for fault in faults
        ]
        say_json({"programs": checked, "faults": rows})
    else:
        for fault in faults:
            say(str(fault), style="red")
        if not faults:
            say(f"in order: {', '.join(checked)}", style="green")
    if faults:
        note(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}")
        raise typer.Exit(FAILED)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="A definition")],
    new: Annotated[Path, typer.Argument(help="Another version of it")],
    as_json: AsJson = False,
) -> None:
    """Show what one version of a definition states otherwise than another, with the lines of both.

    Both must be in order. What a change means for people, `certrail simulate --policy` shows on their histories.
    """
    rows = differences(_loaded(old), _loaded(new))
    if as_json:
        say_json(rows)
        return
    if not rows:
        say("no difference", style="green")
        return
    made = table("change", "clause", "old", "new")
    for row in rows:
        made.add_row(row["change"], *(Text(part) for part in (row["clause"], _shown(row["old"]), _shown(row["new"]))))
    output().print(made)


def differences(old: Program, new: Program) -> list[dict[str, Any]]:
    """Statements that were added, removed or changed, by path."""
    before, after = old.clauses.statements(), new.clauses.statements()
    rows = []
    for path in [*after, *(path for path in before if path not in after)]:
        was, now = before.get(path), after.get(path)
        if was is not None and now is not None and was.wording == now.wording:
            continue
        change = "added" if was is None else "removed" if now is None else "changed"
        rows.append({"change": change, "clause": path, "old": _stated(was), "new": _stated(now)})
    return rows


def _stated(clause: Clause | None) -> dict[str, Any] | None:
    return None if clause is None else {"line": clause.line, "wording": clause.wording}


def _shown(stated: dict[str, Any] | None) -> str:
    return "" if stated is None else f"{stated['wording']} (line {stated['line']})"


def _loaded(file: Path) -> Program:
    try:
        return load_rules(file)
    except ProgramErrors as error:
        raise CliError(f"the definition is not in order:\n{error}") from None


def _rules(program: Program) -> list[dict[str, Any]]:
    """What the definition states beside exams and certifications."""
    return [
        {"rule": clause.path, "line": clause.line, "text": clause.wording}
        for clause in program.clauses.sections(_RULES)
    ]


def _checked(files: list[Path], directory: Path) -> tuple[list[str], list[ProgramError]]:
    """The ids of definitions in order, and the faults of the others."""
    good: list[str] = []
    faults: list[ProgramError] = []
    if not files:
        try:
            return list(load_programs(directory)), []
        except ProgramErrors as error:
            return [], list(error.errors)
    for file in files:
        try:
            good.append(load_program(file).id)
        except ProgramErrors as error:
            faults.extend(error.errors)
    return good, faults


def load(directory: Path = PROGRAMS) -> dict[str, Program]:
    """All programs of a folder. Raises `CliError` with every fault where one is not in order."""
    try:
        return load_programs(directory)
    except ProgramErrors as error:
        raise CliError(f"the program definitions are not in order:\n{error}") from error


def _summary(program: Program) -> dict[str, Any]:
    return {
        "program": program.id,
        "name": program.name,
        "version": program.version,
        "candidate_ids": f"{program.candidate_id_prefix}{'0' * program.candidate_id_digits}",
        "exams": len(program.exams),
        "certifications": len(program.certifications),
        "time_zone": str(program.time_zone),
    }


def _certifications(program: Program) -> list[dict[str, Any]]:
    return [
        {
            "certification": certification.id,
            "title": certification.title,
            "level": certification.level,
            "track": certification.track,
            "valid_years": certification.validity_years,
            "after": " ".join(sorted(prerequisites(certification))) or None,
        }
        for certification in program.certifications.values()
    ]


def _exams(program: Program) -> list[dict[str, Any]]:
    return [
        {
            "exam": exam.code,
            "title": exam.title,
            "first_day": exam.first_day.isoformat() if exam.first_day else None,
            "last_day": exam.last_day.isoformat() if exam.last_day else None,
        }
        for exam in program.exams.values()
    ]
