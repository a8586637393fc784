"""`certrail simulate`: what a policy makes of a history, before it meets real ones."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from rich.text import Text

from deploy.cli.console import output, say, say_json, table
from deploy.cli.errors import CliError
from deploy.cli.programs import Folder, load
from deploy.local.platform import PROGRAMS
from libs.common.programs import Program, ProgramErrors, load_rules
from services.certs.cases import Case, CaseError, answer, goals, read_inputs
from services.certs.domain.evaluate import evaluate


def simulate(
    file: Annotated[Path, typer.Argument(help="A case, or a file of cases, as JSON", show_default=False)],
    *,
    program: Annotated[str | None, typer.Option(help="The program, where a case names none")] = None,
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day to judge from, for every case")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="A definition to use instead of the installed one")] = None,
    directory: Folder = PROGRAMS,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Evaluate histories under a program's policy: status, dates, and the facts and clauses that made them.

    A case has `program`, `as_of` and `inputs`; the evaluation is that of the running service. With --policy a changed
    definition is tried on the same histories.
    """
    installed = _policies(policy, directory)
    cases, single = read_cases(file)
    answers = [_answered(case, program, as_of.date() if as_of else None, installed) for case in cases]
    if as_json:
        say_json(answers[0] if single else answers)
        return
    for one in answers:
        _print(one)


def read_cases(file: Path) -> tuple[list[Case], bool]:
    """The cases of a file, and whether it holds just one."""
    try:
        raw = orjson.loads(file.read_bytes())
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise CliError(f"{file} is not JSON: {error}") from None
    single = isinstance(raw, dict) and "cases" not in raw
    rows = [raw] if single else raw["cases"] if isinstance(raw, dict) else raw
    if not isinstance(rows, list):
        raise CliError(f"{file} holds no cases", hint="a case is an object with program, as_of and inputs")
    cases = []
    for position, row in enumerate(rows):
        try:
            cases.append(Case.model_validate(row))
        except ValidationError as error:
            first = error.errors()[0]
            name = row.get("id") if isinstance(row, dict) else None
            place = ".".join(str(part) for part in first["loc"])
            raise CliError(f"case {name or position}: {place}: {first['msg']}") from None
    return cases, single


def _policies(policy: Path | None, directory: Path) -> dict[str, Program]:
    installed = load(directory)
    if policy is None:
        return installed
    try:
        tried = load_rules(policy)
    except ProgramErrors as error:
        raise CliError(f"the definition is not in order:\n{error}") from None
    return {**installed, tried.id: tried}


def _answered(case: Case, program: str | None, as_of: date | None, installed: dict[str, Program]) -> dict[str, Any]:
    name = case.program or program
    if name is None:
        raise CliError(f"case {case.id}: names no program", hint="name one with --program")
    if name not in installed:
        raise CliError(f"case {case.id}: there is no program {name!r}", hint=f"known are {', '.join(installed)}")
    day = as_of or case.as_of
    if day is None:
        raise CliError(f"case {case.id}: has no as_of", hint="give one with --as-of")
    policy = installed[name]
    try:
        facts = read_inputs(case.inputs, policy)
    except CaseError as error:
        raise CliError(f"case {case.id}: {error}") from None
    standing = evaluate(policy, facts, day)
    return {**answer(case, policy, standing, facts), "goals": goals(policy, facts, day)}


def _print(one: dict[str, Any]) -> None:
    say(f"{one['id'] or one['program']}, as of {one['as_of']}", style="bold")
    made = table("certification", "status", "earned", "expires", "why")
    for entry in one["certifications"]:
        dates = entry["earned"], entry["expires"] or "never"
        made.add_row(Text(entry["cert"]), entry["status"], *dates, Text(entry["sentence"]))
    if one["certifications"]:
        output().print(made)
    else:
        say("nothing is held")
    for flag in one["flagged"]:
        say(f"{flag['flag']}: {flag['text']} ({flag['fact']})", style="yellow")
    for goal in one["goals"]:
        say(goal["text"])
    if one["earliest_retake"]:
        say(f"the exam failed last may be taken again from {one['earliest_retake']}")
    say("")
