"""What is said of a result, word by word, and what it is by all of them: pure decisions, whatever order they came in.

Vendors number their reports (`revision`), and the highest number counts. What comes without a number (a row of a file,
a notification, a ruling of the program's staff) has its place by the moment it was said: after the last numbered
report that was said no later.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Grade(StrEnum):
    """The outcome of an attempt as the vendor grades it."""

    PASS = "pass"  # noqa: S105 a grade, no password
    FAIL = "fail"
    PENDING = "pending"
    INVALIDATED = "invalidated"


class Status(StrEnum):
    """How far a grade may be relied upon."""

    PROVISIONAL = "provisional"
    FINAL = "final"
    ON_HOLD = "on_hold"
    """Embargoed: nobody is told anything of it."""


class Act(StrEnum):
    """What a word does. All but a report say one thing and leave the rest as it is."""

    REPORT = "report"
    HOLD = "hold"
    RELEASE = "release"
    REVOKE = "revoke"
    RESTORE = "restore"
    """It is again what it was before it was revoked."""
    REGRADE = "regrade"


class State(StrEnum):
    """What a word has made of the result."""

    PROVISIONAL = "provisional"
    FINAL = "final"
    ON_HOLD = "on_hold"
    RELEASED = "released"
    REVISED = "revised"
    INVALIDATED = "invalidated"
    RESTORED = "restored"


class Verdict(StrEnum):
    """What a word is, seen from what is already known of its result."""

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


class Word(NamedTuple):
    """One thing said of a result.

    Attributes:
        ref: names the word, and orders those said at the same moment.
        revision: the vendor's number of a report; None where it has none.
        status: of a report that says it.
        grade: of a report or a regrade.
        ruling: whether the program's staff say it, against their vendor as it may be.
    """

    ref: str
    said_at: datetime
    act: Act = Act.REPORT
    revision: int | None = None
    status: Status | None = None
    grade: Grade | None = None
    score: float | None = None
    ruling: bool = False


class Outcome(NamedTuple):
    """What a result is after a word.

    Attributes:
        report: the position of the report that the rest of the result is read from.
        ruling: the ruling that its grade rests on; None where it rests on what the vendor said.
    """

    state: State
    status: Status
    grade: Grade
    score: float | None
    report: int
    ruling: str | None = None


class Told(NamedTuple):
    """What anyone outside is told of a result: nothing of its grade unless that is final."""

    grade: Grade
    score: float | None = None


def in_order(words: Sequence[Word]) -> list[Word]:
    """The words in the order in which they count."""
    if len(words) == 1:
        return list(words)
    numbered: list[Word] = []
    unnumbered: list[Word] = []
    for word in words:
        (unnumbered if word.revision is None else numbered).append(word)
    numbered.sort(key=lambda word: word.revision or 0)
    after: dict[int, list[Word]] = {}
    for word in sorted(unnumbered, key=lambda word: (word.said_at, word.ruling, word.ref)):
        place = max((at for at, report in enumerate(numbered) if report.said_at <= word.said_at), default=-1)
        after.setdefault(place, []).append(word)
    ordered = after.get(-1, [])
    for at, report in enumerate(numbered):
        ordered += [report, *after.get(at, ())]
    return ordered


def outcomes(words: Sequence[Word]) -> list[Outcome | None]:
    """What the result was after each of the words, which are in order; None while nothing has been reported.

    A ruling stands against words that only repeat what staff have overruled; any other word counts as ever.
    """
    found: list[Outcome | None] = []
    before: Outcome | None = None
    ruled: Outcome | None = None
    overruled: set[tuple[object, ...]] = set()
    valid: Outcome | None = None
    """What it was when it was last worth something: what a restoration goes back to."""
    for at, word in enumerate(words):
        if word.act is Act.REPORT:
            now = _reported(before, word, at)
        elif before is not None:
            now = _changed(before, word, valid)
        else:
            found.append(None)
            continue
        if word.ruling:
            ruled = now
            overruled |= {_claim(before)} if before and before.ruling is None else set()
        elif ruled is not None and now.ruling is None and _claim(now) in overruled:
            now = _after(before, ruled.status, ruled.grade, ruled.score, now.report, ruled.ruling)
        before = now
        if now.grade is not Grade.INVALIDATED:
            valid = now
        found.append(now)
    return found


def judge(known: Sequence[Word], said: Word) -> Verdict:
    """Compare a word with those known of the same result.

    A revision is said once: the same number with another grade, score or status contradicts what the vendor has said
    before, and neither can be trusted to be the later one.
    """
    if not known:
        return Verdict.NEW
    for word in known:
        if word.revision is None or said.revision is None:
            if word.ref == said.ref:
                return Verdict.DUPLICATE
        elif word.revision == said.revision:
            return Verdict.DUPLICATE if _content(word) == _content(said) else Verdict.CONFLICT
    return Verdict.REVISED if in_order((*known, said))[-1] is said else Verdict.STALE


def repeats(known: Sequence[Word], said: Word) -> bool:
    """Whether a report, at its place, says no more than what already holds there."""
    ordered = in_order((*known, said))
    at = ordered.index(said)
    after = outcomes(ordered[: at + 1])
    before = after[at - 1] if at else None
    now = after[at]
    return before is not None and now is not None and _same(before, now)


def told_of(status: Status, grade: Grade, score: float | None) -> Told:
    """What may be told of a result that stands like this."""
    if status is not Status.FINAL or grade is Grade.PENDING:
        return Told(Grade.PENDING)
    return Told(grade, score)


def consequence(told: Told | None, current: Told) -> Consequence | None:
    """What to tell of `current`, given what was told of this result before; None where it would change nothing.

    A pending result is told to nobody; a result that was never told and is void was never anything to anyone.
    """
    if told is None:
        first = {Grade.PASS: Consequence.PASSED, Grade.FAIL: Consequence.FAILED}
        return first.get(current.grade)
    if told == current:
        return None
    return Consequence.INVALIDATED if current.grade is Grade.INVALIDATED else Consequence.REVISED


def _content(word: Word) -> tuple[object, ...]:
    return word.grade, word.score, _status(word)


def _status(word: Word) -> Status:
    if word.grade is Grade.INVALIDATED and word.status is Status.PROVISIONAL:
        return Status.FINAL  # what is void is void
    if word.status is not None:
        return word.status
    return Status.PROVISIONAL if word.grade is Grade.PENDING else Status.FINAL


def _reported(before: Outcome | None, word: Word, at: int) -> Outcome:
    return _after(before, _status(word), word.grade or Grade.PENDING, word.score, at)


def _changed(before: Outcome, word: Word, valid: Outcome | None) -> Outcome:
    status, grade, score, ruling = before.status, before.grade, before.score, before.ruling
    match word.act:
        case Act.HOLD:
            status = Status.ON_HOLD
        case Act.RELEASE:
            status = Status.FINAL
        case Act.REVOKE:
            status, grade, ruling = Status.FINAL, Grade.INVALIDATED, None
        case Act.RESTORE if grade is Grade.INVALIDATED and valid is not None:
            status, grade, score, ruling = valid.status, valid.grade, valid.score, valid.ruling
        case Act.REGRADE:
            status, grade, score = Status.FINAL, word.grade or grade, word.score
            ruling = word.ref if word.ruling else None
    return _after(before, status, grade, score, before.report, ruling)


def _after(  # noqa: PLR0917 as of an outcome
    before: Outcome | None,
    status: Status,
    grade: Grade,
    score: float | None,
    report: int,
    ruling: str | None = None,
) -> Outcome:
    if status is Status.ON_HOLD:
        state = State.ON_HOLD
    elif grade is Grade.INVALIDATED:
        state = State.INVALIDATED
    elif status is Status.PROVISIONAL or grade is Grade.PENDING:
        state = State.PROVISIONAL
    else:
        state = State.FINAL if before is None else _final_after(before, grade, score)
    return Outcome(state, status, grade, score, report, ruling)


def _final_after(before: Outcome, grade: Grade, score: float | None) -> State:
    if before.status is Status.ON_HOLD:
        return State.RELEASED
    if before.grade is Grade.INVALIDATED:
        return State.RESTORED
    if before.state is State.PROVISIONAL:
        return State.FINAL
    return before.state if (before.grade, before.score) == (grade, score) else State.REVISED


def _claim(outcome: Outcome) -> tuple[object, ...]:
    """What is said of a result, for comparison; whatever the score of one that is void."""
    score = None if outcome.grade is Grade.INVALIDATED else outcome.score
    return outcome.status, outcome.grade, score


def _same(one: Outcome, other: Outcome) -> bool:
    return (one.status, one.grade, one.score) == (other.status, other.grade, other.score)
