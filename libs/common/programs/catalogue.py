"""Reads the two long sections of a definition: exams, and certifications with their templates."""

import re
from collections.abc import Callable, Collection
from typing import Any

from libs.common.programs.errors import Path, dotted
from libs.common.programs.model import Certification, EarlierValidity, Exam, FormerName, PassCounts, Requirement
from libs.common.programs.policy import Way
from libs.common.programs.policy_reader import RenewalReader
from libs.common.programs.requirements import RequirementReader
from libs.common.programs.shape import CertificationShape, DefaultsShape, ExamShape, ProgramShape
from libs.common.programs.source import Source
from libs.common.programs.validation import validated

_CODE = re.compile(r"[A-Za-z0-9._:*-]{1,64}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def read_exams(raw: dict[str, Any], source: Source) -> dict[str, Exam]:
    """The exams that are well formed; faults of the others are reported."""
    exams: dict[str, Exam] = {}
    for code, entry in raw.items():
        path: Path = ("exams", code)
        shape = validated(ExamShape, entry, path, source)
        if shape is None:
            continue
        if shape.first_day and shape.last_day and shape.last_day < shape.first_day:
            source.report((*path, "last_day"), "is before first_day")
        fields = dict(shape) | {"aliases": tuple(shape.aliases)}
        exams[code] = Exam(code=code, **fields)
    for code, exam in exams.items():
        if exam.replaced_by is not None and exam.replaced_by not in raw:
            source.report(("exams", code, "replaced_by"), f"unknown exam {exam.replaced_by!r}")
    return exams


def read_certifications(
    raw: dict[str, Any],
    codes: Collection[str],
    exams: dict[str, Exam],
    head: ProgramShape | None,
    source: Source,
) -> dict[str, Certification]:
    """The certifications that are well formed, templates expanded; faults of the others are reported.

    `codes` are all exam codes written, also those whose entry is faulty, so that one fault is told once.
    """
    shapes = {name: validated(CertificationShape, raw[name], ("certifications", name), source) for name in raw}
    expanded = _Expansion(exams, source).expand(shapes)
    reader = RequirementReader(codes, raw.keys() | expanded.keys(), source.report)
    renewals = RenewalReader(head, exams, source)
    defaults = head.defaults if head else DefaultsShape()
    certifications: dict[str, Certification] = {}
    for name, (shape, path) in expanded.items():
        if not _CODE.fullmatch(name):
            source.report(path, "an id has only letters, digits and . _ : * -")
        if head and shape.level not in head.levels:
            source.report((*path, "level"), f"unknown level {shape.level!r}")
        requires = reader.read(shape.requires, (*path, "requires"))
        ways = renewals.ways(name, shape, path)
        if requires is not None:
            certification = _certification(name, shape, path, requires, ways=ways, defaults=defaults)
            certifications[name] = certification
            _check_dates(certification, path, source)
    renewals.check()
    return certifications


def _certification(
    name: str,
    shape: CertificationShape,
    path: Path,
    requires: Requirement,
    *,
    ways: tuple[Way, ...],
    defaults: DefaultsShape,
) -> Certification:
    own = shape.model_fields_set
    return Certification(
        id=name,
        title=shape.title,
        level=shape.level,
        track=shape.track,
        requires=requires,
        validity_years=shape.validity if "validity" in own else defaults.validity,
        earlier_validity=tuple(
            EarlierValidity(earlier.earned_before, earlier.validity) for earlier in shape.earlier_validity
        ),
        pass_counts=_pass_counts(shape, defaults),
        entitlements=tuple(shape.entitlements if "entitlements" in own else defaults.entitlements),
        also_tracks=tuple(shape.also_tracks),
        renewal=ways,
        retired_on=shape.retired,
        formerly=tuple(FormerName(former.title, former.until, former.id) for former in shape.formerly),
        path=dotted(path),
        validity_clause=dotted((*path, "validity")) if "validity" in own else "defaults.validity",
    )


def _pass_counts(shape: CertificationShape, defaults: DefaultsShape) -> PassCounts:
    own, common = shape.pass_counts, defaults.pass_counts
    return PassCounts(
        written=(own if "written" in own.model_fields_set else common).written,
        practical=(own if "practical" in own.model_fields_set else common).practical,
    )


def _check_dates(certification: Certification, path: Path, source: Source) -> None:
    days = [earlier.earned_before for earlier in certification.earlier_validity]
    if days != sorted(set(days)):
        source.report((*path, "earlier_validity"), "must be in order of 'earned_before', each day once")
    ends = [former.until for former in certification.formerly]
    if ends != sorted(set(ends)):
        source.report((*path, "formerly"), "must be in order of 'until', each day once")


class _Expansion:
    """Turns each template into one certification for every exam of its roles."""

    def __init__(self, exams: dict[str, Exam], source: Source) -> None:
        self._exams = exams
        self._source = source
        self._done: dict[str, tuple[CertificationShape, Path]] = {}

    def expand(self, shapes: dict[str, CertificationShape | None]) -> dict[str, tuple[CertificationShape, Path]]:
        """Certifications by id, each with the path where it is written."""
        for name, shape in shapes.items():
            path: Path = ("certifications", name)
            if shape is None:
                continue
            if shape.each_exam is None:
                self._add(name, shape, path)
                continue
            self._template(name, shape, shape.each_exam.role, path)
        return self._done

    def _template(self, name: str, shape: CertificationShape, roles: list[str], path: Path) -> None:
        for position, role in enumerate(roles):
            if all(exam.role != role for exam in self._exams.values()):
                self._source.report((*path, "each_exam", "role", position), f"no exam has the role {role!r}")
        if "{exam}" not in name:
            self._source.report(path, "the id of a template must contain {exam}")
            return
        for exam in self._exams.values():
            if exam.role not in roles:
                continue
            fill = self._filler(exam)
            made = shape.model_copy(
                update={key: fill(getattr(shape, key), (*path, key)) for key in ("title", "track", "requires")}
            )
            self._add(fill(name, path), made, path)

    def _filler(self, exam: Exam) -> Callable[[Any, Path], Any]:
        words = {"exam": exam.code, "title": exam.title, "track": exam.track}

        def fill(value: Any, place: Path) -> Any:
            if isinstance(value, list):
                return [fill(item, (*place, position)) for position, item in enumerate(value)]
            if isinstance(value, dict):
                return {key: fill(item, (*place, key)) for key, item in value.items()}
            if not isinstance(value, str):
                return value
            return _PLACEHOLDER.sub(lambda match: self._word(match[1], words, exam, place), value)

        return fill

    def _word(self, key: str, words: dict[str, str | None], exam: Exam, place: Path) -> str:
        if key not in words:
            self._source.report(place, f"unknown placeholder {{{key}}}; known are {{exam}}, {{title}}, {{track}}")
        elif words[key] is None:
            self._source.report(place, f"exam {exam.code!r} has no {key}")
        return words.get(key) or key

    def _add(self, name: str, shape: CertificationShape, path: Path) -> None:
        if name in self._done:
            self._source.report(path, f"makes {name!r}, which is there already")
            return
        self._done[name] = (shape, path)
