"""Loads program definitions: reads, applies defaults, expands templates, checks every reference."""

from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any

from libs.common.programs.artwork import LARGEST, ArtworkError, read_artwork
from libs.common.programs.benefits import read_benefits
from libs.common.programs.cases import read_cases
from libs.common.programs.catalogue import read_certifications, read_exams
from libs.common.programs.checks import check_badges, check_benefits, check_prerequisites, check_uses
from libs.common.programs.clauses import Clauses
from libs.common.programs.errors import Path, ProgramError, ProgramErrors
from libs.common.programs.model import GENERAL_NEWS, Branding, Certification, Exam, NewsText, Program
from libs.common.programs.policy import Policy
from libs.common.programs.policy_reader import read_policy
from libs.common.programs.shape import ProgramShape
from libs.common.programs.source import Source, read_text
from libs.common.programs.validation import validated


def load_program(path: FilePath, *, folder: FilePath | None = None) -> Program:
    """One definition from its file; files that it names are read from `folder`, its own unless given.

    Raises:
        ProgramErrors: with every fault in the file, each with its line.
    """
    return load_definition(read_text(path), name=path.name, folder=folder or path.parent)


def load_rules(path: FilePath) -> Program:
    """One definition from its file, for its rules: as `load_program`, without the files that it names."""
    return load_definition(read_text(path), name=path.name)


def load_definition(text: str, *, name: str, folder: FilePath | None = None) -> Program:
    """One definition from its text; faults are told with `name` as the file's. Raises as `load_program` does.

    Files that it names are read from `folder`; without one, a program is loaded for its rules, and has no artwork.
    """
    source = Source(name, text)
    head = validated(ProgramShape, source.data, (), source)
    raw_exams, raw_certifications = _section(source, "exams"), _section(source, "certifications")
    exams = read_exams(raw_exams, source)
    certifications = read_certifications(raw_certifications, raw_exams.keys(), exams, head, source)
    aliases = _aliases(exams, raw_exams.keys(), source)
    check_prerequisites(certifications, source)
    check_uses(head, certifications, source)
    check_badges(head, certifications, source)
    check_benefits(head, raw_certifications, source)
    policy = read_policy(head, exams, certifications, source)
    if head is not None and _overdue(head) < head.result_promise_business_days:
        source.report(("result_overdue_business_days",), "must be no less than result_promise_business_days")
    artwork = _artwork(head, folder, source)
    source.raise_faults()
    if head is None:
        raise AssertionError("a head that is missing was reported")
    return _program(
        head,
        artwork,
        exams,
        certifications,
        aliases,
        policy=policy,
        clauses=source.clauses(),
        definition=source.text,
    )


def load_programs(directory: FilePath) -> dict[str, Program]:
    """All definitions (`*.yaml`) of a directory by program id.

    Raises:
        ProgramErrors: with every fault in every file; also where there is no file, or two claim the same id
            or candidate-ID prefix.
    """
    errors: list[ProgramError] = []
    programs: dict[str, Program] = {}
    prefixes: dict[str, str] = {}
    paths = sorted(directory.glob("*.yaml"))
    if not paths:
        errors.append(ProgramError(str(directory), 1, "", "holds no program definition (*.yaml)"))
    for path in paths:
        try:
            program = load_program(path)
        except ProgramErrors as error:
            errors.extend(error.errors)
            continue
        if program.id in programs:
            errors.append(ProgramError(path.name, 1, "id", f"{program.id!r} is defined by another file too"))
        other = prefixes.setdefault(program.candidate_id_prefix, program.id)
        if other != program.id:
            message = f"{program.candidate_id_prefix!r} belongs to the program {other!r}"
            errors.append(ProgramError(path.name, 1, "candidate_id.prefix", message))
        programs[program.id] = program
    if errors:
        raise ProgramErrors(tuple(errors))
    return programs


def _section(source: Source, name: str) -> dict[str, Any]:
    """A section's entries; empty where it is missing or no mapping, which the head's validation reports."""
    section = source.data.get(name) if isinstance(source.data, dict) else None
    return section if isinstance(section, dict) else {}


def _aliases(exams: dict[str, Exam], codes: Any, source: Source) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for exam in exams.values():
        for position, alias in enumerate(exam.aliases):
            path: Path = ("exams", exam.code, "aliases", position)
            if alias in codes or alias in aliases:
                source.report(path, f"{alias!r} already names another exam")
            aliases[alias] = exam.code
    return aliases


def _artwork(head: ProgramShape | None, folder: FilePath | None, source: Source) -> str | None:
    """The program's artwork, where the definition names a file; faults in it are those of the name."""
    file = head.branding.artwork if head else None
    if file is None or folder is None:
        return None
    try:
        with (folder / file).open("rb") as opened:
            return read_artwork(opened.read(LARGEST + 1))
    except OSError as error:
        source.report(("branding", "artwork"), f"{file} cannot be read: {error.strerror}")
    except ArtworkError as error:
        source.report(("branding", "artwork"), f"{file} {error}")
    return None


def _program(
    head: ProgramShape,
    artwork: str | None,
    exams: dict[str, Exam],
    certifications: dict[str, Certification],
    aliases: dict[str, str],
    *,
    policy: Policy,
    clauses: Clauses,
    definition: str,
) -> Program:
    return Program(
        id=head.id,
        name=head.name,
        version=head.version,
        time_zone=head.time_zone,
        candidate_id_prefix=head.candidate_id.prefix,
        candidate_id_digits=head.candidate_id.digits,
        branding=Branding(**dict(head.branding) | {"artwork": artwork}),
        levels=tuple(head.levels),
        reminders=tuple(sorted(set(head.reminders_days), reverse=True)),
        result_promise=head.result_promise_business_days,
        exams=MappingProxyType(exams),
        certifications=MappingProxyType(certifications),
        aliases=MappingProxyType(aliases),
        policy=policy,
        clauses=clauses,
        profile_required=tuple(dict.fromkeys(head.profile.required)),
        employers=tuple(dict.fromkeys(head.profile.employers)),
        profile_confirm_days=head.profile.confirm_days,
        news=NewsText(**head.profile.news.model_dump()) if head.profile.news else GENERAL_NEWS,
        sign_in=head.sign_in.read(),
        cases=read_cases(head.cases),
        calendar=head.calendar.read(),
        result_overdue=_overdue(head),
        challenges=head.challenges.read() if head.challenges else None,
        badge_provider=head.badges.read(),
        certificate=head.certificate.read(),
        directory=head.directory.read() if head.directory else None,
        benefits=read_benefits(head.benefits),
        definition=definition,
    )


def _overdue(head: ProgramShape) -> int:
    """Left out, twice the promise."""
    given = head.result_overdue_business_days
    return 2 * head.result_promise_business_days if given is None else given
