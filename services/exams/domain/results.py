"""What a vendor's report does to a result: a pure decision on what is known and what has been told."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """The outcome of an attempt as the vendor grades it."""

    PASS = "pass"  # noqa: S105 a grade, no password
    FAIL = "fail"
    PENDING = "pending"
    INVALIDATED = "invalidated"


class Verdict(StrEnum):
    """What a report is, seen from what is already known of its result."""

    NEW = "new"
    REVISED = "revised"
    DUPLICATE = "duplicate"
    STALE = "stale"
    CONFLICT = "conflict"


class Consequence(StrEnum):
    """What the rest of Certrail must be told."""

    PASSED = "passed"
    FAILED = "failed"
    REVISED = "revised"
    INVALIDATED = "invalidated"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a revision says that anyone would act upon."""

    revision: int
    grade: Grade
    score: float | None = None


def judge(known: Outcome | None, reported: Outcome) -> Verdict:
    """Compare a report with what is known of the same result.

    A revision is said once: the same number with another grade or score contradicts what the vendor has said
    before, and neither can be trusted to be the later one.
    """
    if known is None:
        return Verdict.NEW
    if reported.revision > known.revision:
        return Verdict.REVISED
    if reported.revision < known.revision:
        return Verdict.STALE
    same = (known.grade, known.score) == (reported.grade, reported.score)
    return Verdict.DUPLICATE if same else Verdict.CONFLICT


def consequence(told: Outcome | None, current: Outcome) -> Consequence | None:
    """What to tell of `current`, given what was told of this result before; None where it would change nothing.

    A pending result is told to nobody; a result that was never told and is void was never anything to anyone.
    """
    if told is None:
        first = {Grade.PASS: Consequence.PASSED, Grade.FAIL: Consequence.FAILED}
        return first.get(current.grade)
    if (told.grade, told.score) == (current.grade, current.score):
        return None
    return Consequence.INVALIDATED if current.grade is Grade.INVALIDATED else Consequence.REVISED
