"""Reads `requires`: what it takes to earn a certification.

requires: 200-301                       a pass of the exam
requires: {exam: 350-401, until: DAY}   the same, able to complete the requirement up to that day only
requires: {certification: JNCIA-Junos}  a prerequisite, active on the day
requires: {all: [...]}, {any: [...]}    every part, one part
requires: {n_of: {n: 2, of: [...]}}     so many parts
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from libs.common.programs.errors import Path
from libs.common.programs.model import AllNode, AnyNode, CertificationNode, ExamNode, NOfNode, Requirement

_FORMS = "an exam code, or one of: exam, certification, all, any, n_of"


@dataclass(frozen=True, slots=True)
class RequirementReader:
    """Reads the `requires` of one file, reporting every fault with its path."""

    exams: Collection[str]
    certifications: Collection[str]
    report: Callable[[Path, str], None]

    def read(self, raw: Any, path: Path) -> Requirement | None:
        """The requirement, or None where anything in it was reported."""
        if isinstance(raw, str):
            return self._exam(raw, None, path)
        if not isinstance(raw, dict):
            self.report(path, f"must be {_FORMS}{_unquoted(raw)}")
            return None
        if "exam" in raw:
            return self._dated_exam(raw, path)
        if len(raw) != 1:
            self.report(path, f"must be exactly one thing: {_FORMS}")
            return None
        form, value = next(iter(raw.items()))
        return self._form(form, value, (*path, form))

    def _form(self, form: str, value: Any, path: Path) -> Requirement | None:
        if form == "certification":
            return self._certification(value, path)
        if form == "n_of":
            return self._n_of(value, path)
        if form in {"all", "any"}:
            parts = self._parts(value, path)
            if parts is None:
                return None
            return AllNode(parts) if form == "all" else AnyNode(parts)
        self.report(path, f"unknown form {form!r}; must be {_FORMS}")
        return None

    def _exam(self, code: Any, until: date | None, path: Path) -> ExamNode | None:
        if not isinstance(code, str) or code not in self.exams:
            self.report(path, f"unknown exam {code!r}{_unquoted(code)}")
            return None
        return ExamNode(code, until)

    def _dated_exam(self, raw: dict[str, Any], path: Path) -> ExamNode | None:
        for key in raw.keys() - {"exam", "until"}:
            self.report((*path, key), "unknown key; an exam takes 'exam' and 'until'")
        until = raw.get("until")
        if until is not None and type(until) is not date:
            self.report((*path, "until"), "must be a date like 2026-03-18")
            return None
        return self._exam(raw["exam"], until, (*path, "exam"))

    def _certification(self, name: Any, path: Path) -> CertificationNode | None:
        if not isinstance(name, str) or name not in self.certifications:
            self.report(path, f"unknown certification {name!r}")
            return None
        return CertificationNode(name)

    def _n_of(self, value: Any, path: Path) -> NOfNode | None:
        if not isinstance(value, dict) or value.keys() != {"n", "of"}:
            self.report(path, "must have the keys 'n' and 'of'")
            return None
        parts = self._parts(value["of"], (*path, "of"))
        count = value["n"]
        if type(count) is not int or not 1 <= count <= len(value["of"] or ()):
            self.report((*path, "n"), "must be a whole number from 1 to the number of parts")
            return None
        return None if parts is None else NOfNode(count, parts)

    def _parts(self, value: Any, path: Path) -> tuple[Requirement, ...] | None:
        if not isinstance(value, list) or not value:
            self.report(path, "must be a list with at least one part")
            return None
        parts = [self.read(part, (*path, position)) for position, part in enumerate(value)]
        complete = tuple(part for part in parts if part is not None)
        return complete if len(complete) == len(parts) else None


def _unquoted(value: Any) -> str:
    """A hint for a code that YAML took for a number or a date."""
    return "; put the code in quotes" if isinstance(value, int | float | date) else ""
