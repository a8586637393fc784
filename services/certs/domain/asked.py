"""What a program asks for, in words: a requirement or a way to renew as a tree whose every part can be read. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Literal

from libs.common.languages.days import spoken
from libs.common.programs import AllNode, AnyNode, CertificationNode, ExamNode, Program, Requirement
from libs.common.programs.policy import Way
from services.certs.languages import both, say, say_many

AskedKind = Literal["exam", "certification", "credits", "all", "any", "n_of"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that is asked for, or several of which so many are enough.

    Attributes:
        text: in the reader's language: of one thing what to do, of several how many of them.
        count: how many of the items are needed; of credits how many; else 1.
        code: of an exam or a certification.
        title: of what has a code.
        until: last day on which a pass of the exam completes it; None where there is none.
        items: what is chosen from; empty where it is one thing.
    """

    kind: AskedKind
    text: str
    count: int = 1
    code: str | None = None
    title: str | None = None
    until: date | None = None
    items: tuple["Asked", ...] = ()

    @property
    def name(self) -> str:
        """The code with its title."""
        return " ".join(part for part in (self.code, self.title) if part)

    @property
    def sentence(self) -> str:
        """All of it as part of one sentence."""
        if not self.items:
            return self.text
        if self.kind == "all":
            return both([each.sentence for each in self.items])
        if all(each.kind == "exam" and each.until is None for each in self.items):
            names = say("; ").join(each.name for each in self.items)
            return say_many("pass one of ({names})", "pass {count} of ({names})", self.count, names=names)
        parts = say("; ").join(each.sentence for each in self.items)
        return say_many("one of ({parts})", "{count} of ({parts})", self.count, parts=parts)


def required(program: Program, requirement: Requirement) -> Asked:
    """What it takes to earn a certification."""
    if isinstance(requirement, ExamNode):
        return _exam(program, requirement.exam, requirement.until)
    if isinstance(requirement, CertificationNode):
        needed = program.certifications[requirement.certification]
        text = say("hold an active {certification}", certification=needed.title)
        return Asked("certification", text, code=needed.id, title=needed.title)
    parts = [required(program, part) for part in requirement.parts]
    if isinstance(requirement, AllNode):
        return _all(parts)
    return _some(1 if isinstance(requirement, AnyNode) else requirement.n, parts)


def renewing(program: Program, way: Way) -> Asked:
    """What it takes to renew a certification in one of its ways."""
    parts: list[Asked] = []
    # Slots that take the same exams are one choice of several: each takes an exam of its own.
    for slot in dict.fromkeys(way.slots):
        exams = [_exam(program, code) for code in program.exams if code in slot]
        parts.append(_some(way.slots.count(slot), exams))
    if way.credits:
        text = say_many("earn {count} credit", "earn {count} credits", way.credits)
        parts.append(Asked("credits", text, way.credits))
    return _all(parts)


def shares_exams(way: Way) -> bool:
    """Whether one exam fits several choices of a way, of which it meets one only."""
    return any(one & other for one, other in combinations(dict.fromkeys(way.slots), 2))


def _exam(program: Program, code: str, until: date | None = None) -> Asked:
    found = program.find_exam(code)
    title = found.title if found is not None else None
    name = f"{code} {title}" if title else code
    if until is None:
        return Asked("exam", say("pass {exam}", exam=name), code=code, title=title)
    text = say("pass {exam}, which counts through {day}", exam=name, day=spoken(until))
    return Asked("exam", text, code=code, title=title, until=until)


def _all(parts: Sequence[Asked]) -> Asked:
    if len(parts) == 1:
        return parts[0]
    return Asked("all", say("all of these"), len(parts), items=tuple(parts))


def _some(count: int, parts: Sequence[Asked]) -> Asked:
    if len(parts) == 1:
        return parts[0]
    text = say_many("one of these", "{count} of these", count)
    return Asked("any" if count == 1 else "n_of", text, count, items=tuple(parts))
