"""What the rest of Certrail is told of a result: once, and nothing of what is not final."""

from datetime import date
from typing import Any

from libs.common.bus.messages import Cause
from libs.common.events import exams
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.versions import next_version
from services.exams.domain.results import Consequence, Grade, Status, Told, consequence, told_of
from services.exams.domain.rulings import challenge_of


def announce(transaction: Transaction, row: Document, cause: Cause | None) -> None:
    """Tell what a result now is, if it has a candidate and differs from what was told."""
    if row["candidate_id"] is None or row["state"] is None:
        return
    told, current = _told(row), told_of(Status(row["status"]), Grade(row["grade"]), row["score"])
    what = consequence(told, current)
    if what is None:
        return
    row["told"] = {"grade": current.grade.value, "score": current.score, "at": transaction.now}
    _emit(transaction, row, _event(what, row, told, current, transaction, _ruling(row)), cause)


def retract(transaction: Transaction, row: Document, cause: Cause | None) -> None:
    """Take back from its candidate what was told of a result that turns out to be another's.

    The candidate's copy of it is void from then on. What is told of it later has a higher revision, and outweighs
    that, should the result ever come back.
    """
    told = _told(row)
    row["told"] = None
    if row["candidate_id"] is None or told is None or told.grade is Grade.INVALIDATED:
        return
    void = Told(Grade.INVALIDATED)
    _emit(transaction, row, _event(Consequence.INVALIDATED, row, told, void, transaction), cause)


Event = exams.ExamPassed | exams.ExamFailed | exams.ExamResultRevised | exams.ExamResultInvalidated


def _emit(transaction: Transaction, row: Document, event: Event, cause: Cause | None) -> None:
    row["told_revision"] = event.revision
    row["version"] = next_version(row["version"], transaction.now)
    transaction.emit(event, program=row["program"], subject=row["candidate_id"], version=row["version"], cause=cause)


def _ruling(row: Document) -> str | None:
    """The ruling that was said last, if what the result is rests on it."""
    last: str = row["revisions"][-1]["source"]["ref"]
    return last if last == row.get("ruling") else None


def _event(  # noqa: PLR0917 as they are read
    what: Consequence,
    row: Document,
    told: Told | None,
    current: Told,
    transaction: Transaction,
    ruling: str | None = None,
) -> Event:
    numbers = [word["revision"] for word in row["revisions"] if word["revision"] is not None]
    common: dict[str, Any] = {
        "candidate_id": row["candidate_id"],
        "result_id": row["_id"],
        # Of two things told of a result the later one outweighs, whatever the vendor numbers and for whomever.
        "revision": max([1, *numbers, (row["told_revision"] or 0) + 1]),
        "registration_id": row["registration_id"],
        "exam_code": row["exam_code"],
        "taken_on": date.fromisoformat(row["taken_on"]),
        "taken_at": row["taken_at"],
        "known_at": transaction.now,
    }
    by: dict[str, Any] = {"said_by": "staff", "challenge_id": challenge_of(ruling)} if ruling else {}
    if what is Consequence.INVALIDATED:
        return exams.ExamResultInvalidated(**common, **by, previous_grade=told.grade.value if told else None)
    passing_score = row["passing_score"] if current.grade is not Grade.PENDING else None
    common |= {"score": current.score, "passing_score": passing_score}
    if what is Consequence.PASSED:
        return exams.ExamPassed(**common)
    if what is Consequence.FAILED:
        return exams.ExamFailed(**common)
    previous = told.grade.value if told else Grade.PENDING.value
    changed: dict[str, Any] = {"grade": current.grade.value, "previous_grade": previous}
    return exams.ExamResultRevised(**common, **changed, **by)


def _told(row: Document) -> Told | None:
    told = row["told"]
    return None if told is None else Told(Grade(told["grade"]), told["score"])
