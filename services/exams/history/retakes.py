"""The program's retake rules on what is known of a person's attempts: which broke one, and when the next is allowed.

Only released results speak here. One that is provisional, on hold or still to come has no say, so that neither a flag
nor a day tells what it will be; a day that it may yet move says so (`awaited`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from libs.common.mongo.client import Document
from libs.common.programs import Program
from libs.common.programs.calendar import add_days
from libs.common.programs.policy import RetakeRules
from libs.common.programs.retakes import Attempts, Wait

JUDGED = ("exam_code", "grade", "state", "taken_on")
"""What the rules look at in a result row, beside its key."""

GRADED = ("pass", "fail")
RELEASED = frozenset({"final", "released", "revised", "restored"})
"""States of a result that everybody may know, and that is worth something."""


class Sitting(NamedTuple):
    """An attempt with an outcome, in the order in which attempts are judged: of one day and code fails come first."""

    day: date
    code: str
    grade: str
    key: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of a person's attempts.

    Attributes:
        broken: the rules that an attempt broke, by its key.
        by_code: what is left to count, by exam code.
    """

    rules: RetakeRules | None
    broken: Mapping[str, list[Wait]] = field(default_factory=dict)
    by_code: Mapping[str, Attempts] = field(default_factory=dict)

    def waits(self, code: str, day: date) -> list[Wait]:
        """The rules that keep an exam from being taken on a day."""
        attempts = self.by_code.get(code)
        return attempts.broken(self.rules, day) if attempts and self.rules else []


def judge(program: Program, rows: Iterable[Document], today: date) -> Judgement:
    """Apply a program's rules to result rows of one person.

    An attempt that broke a rule counts for nothing, not even as an attempt; nor does one that has no effect at all:
    void, of an exam the program does not have or no longer had, or of a day that has not come. certs awards by the
    same rules.
    """
    rules = program.policy.retake
    if rules is None:
        return Judgement(None)
    by_code: dict[str, Attempts] = {}
    broken: dict[str, list[Wait]] = {}
    for sitting in sorted(_sittings(program, rows, today)):
        attempts = by_code.setdefault(sitting.code, Attempts())
        waits = attempts.broken(rules, sitting.day)
        if waits:
            broken[sitting.key] = waits
        else:
            attempts.note(sitting.day, sitting.key, passed=sitting.grade == "pass")
    return Judgement(rules, broken, by_code)


def _sittings(program: Program, rows: Iterable[Document], today: date) -> Iterable[Sitting]:
    ahead = add_days(today, 1)  # a place of delivery can be a calendar day ahead of the program's time zone
    for row in rows:
        if row["state"] not in RELEASED or row["grade"] not in GRADED:
            continue
        exam = program.find_exam(row["exam_code"])
        if exam is None:
            continue
        day = date.fromisoformat(row["taken_on"])
        if day <= ahead and (exam.last_day is None or day <= exam.last_day):
            yield Sitting(day, exam.code, row["grade"], row["_id"])
