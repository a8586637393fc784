"""Rulings of staff on results: a word on the result like any other, with who ruled and why kept beside it."""

from collections.abc import Sequence
from typing import Any

from libs.common.casework.progress import Opinion, Progress, Stage
from libs.common.casework.thread import note, taken, was_decided_by
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, invalid
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.exams.domain.challenges import Standing
from services.exams.domain.results import Act, Grade, Verdict
from services.exams.domain.rulings import Wanted, ruling_moment, ruling_ref
from services.exams.reports import Measure, Report, Source
from services.exams.results import ResultIntake, word_of
from services.exams.store import ExamsStore

RULED = "ruled"
NOT_FINAL = "the result is not final"


def standing_of(row: Document, program: Program) -> Standing | None:
    """A result as it stands and was told; None while it is not final, for whatever reason, or nobody's."""
    told = row["told"]
    if row["candidate_id"] is None or told is None or told["grade"] == Grade.PENDING:
        return None
    return Standing(Grade(told["grade"]), told["score"], program.day_of(told["at"]))


def wanted_of(standing: Standing, grade: str | None, score: float | None) -> Wanted:
    """What a result is to be by a ruling that names a grade, a score or both. Raises the problem `invalid`."""
    new = standing.grade if grade is None else Grade(grade)
    if new is Grade.INVALIDATED and score is not None:
        raise invalid("body.score", "not_allowed", "a void result has no score")
    kept = None if new is Grade.INVALIDATED else standing.score
    wanted = Wanted(new, kept if score is None else score)
    if not standing.differs_from(wanted.grade, wanted.score):
        raise invalid("body", "same", "the result stands like this already; give another grade or score")
    return wanted


class Rulings:
    """Rules on results."""

    def __init__(self, exams: ExamsStore, unit_of_work: UnitOfWork) -> None:
        self.store = exams.rulings
        self._exams = exams
        self._unit_of_work = unit_of_work

    async def give(
        self,
        transaction: Transaction,
        result: Document,
        wanted: Wanted,
        *,
        ruling: Document,
        by: Sequence[str],
        reason: str,
    ) -> None:
        """Put a ruling on a result, and keep it; what follows is told as if a vendor had said it."""
        words = [word_of(kept) for kept in result["revisions"]]
        report = Report(
            program=result["program"],
            vendor=result["vendor"],
            data=Measure(Act.REGRADE, result["result_id"], result["registration_id"], wanted.grade, wanted.score),
            link=None,
            said_at=ruling_moment(words, transaction.now),
            source=Source("staff", ruling_ref(ruling["_id"], by_challenge=ruling["challenge_id"] is not None)),
            raw=b"",
            numbered=False,
        )
        (verdict,) = await ResultIntake(self._exams, transaction).record([report])
        if verdict is not Verdict.REVISED:
            raise RuntimeError(f"a ruling that was the last word turned out to be {verdict}")
        ruling |= {
            "state": RULED,
            "closed": True,
            "first": None,
            "grade": wanted.grade.value,
            "score": wanted.score,
            "by": list(by),
            "reason": reason,
            "ruled_at": transaction.now,
        }
        await self.store.save(transaction.session, ruling)

    async def rule(
        self,
        program: Program,
        result_id: str,
        *,
        ruling_id: str,
        grade: str | None,
        score: float | None,
        reason: str,
        by: str,
    ) -> Document:
        """Rule on a result that nobody challenges, or be the first of two; the same again finds it done.

        Raises:
            Problem: `not-found`; `conflict`, where the result is not final; `invalid`, where nothing would change;
                `second-opinion-needed`, where the first of two opinions is the same person's.
        """

        async def work(transaction: Transaction) -> Document:
            session = transaction.session
            result = (await self._exams.results(session, [result_id])).get(result_id)
            if result is None or result["program"] != program.id:
                raise Problem(NOT_FOUND)
            known = await self.store.of_result(session, result_id)
            for ruling in known:
                if was_decided_by(ruling, ruling_id):
                    return ruling
            standing = standing_of(result, program)
            if standing is None:
                raise Problem(CONFLICT, NOT_FINAL)
            wanted = wanted_of(standing, grade, score)
            waiting = [each for each in known if not each["closed"]]
            ruling = (
                waiting[0]
                if waiting
                else new_ruling(result, standing, transaction, ruling_id=ruling_id, four_eyes=needs_two(program))
            )
            ruling["candidate_id"] = result["candidate_id"]  # it may have become another's since the first opinion
            opinion = Opinion(RULED, by, (standing.grade.value, standing.score, wanted.grade.value, wanted.score))

            async def step(transaction: Transaction, ruling: Document) -> None:
                before = progress_of(ruling)
                progress = before.decided(opinion)
                note(ruling, "rules", by, transaction.now, reason, ruling_id)
                set_progress(ruling, progress)
                if progress.closed:
                    ruling["previous"] = {"grade": standing.grade.value, "score": standing.score}
                    deciders = [each.by for each in (before.first, opinion) if each is not None]
                    await self.give(transaction, result, wanted, ruling=ruling, by=deciders, reason=reason)
                elif before.first is not None:
                    note(ruling, "disagreed", by, transaction.now)

            await taken(step, transaction, ruling)
            await self.store.save(session, ruling)
            return ruling

        return await self._unit_of_work.run(work)


def needs_two(program: Program) -> bool:
    """Whether two people rule; where a program says nothing of challenges they do."""
    return program.challenges is None or program.challenges.four_eyes


def new_ruling(
    result: Document,
    standing: Standing,
    transaction: Transaction,
    *,
    ruling_id: str,
    four_eyes: bool,
    challenge_id: str | None = None,
) -> Document:
    """A ruling that nobody has given yet."""
    nothing: dict[str, Any] = dict.fromkeys(("first", "grade", "score", "reason", "ruled_at"))
    return {
        "_id": ruling_id,
        "program": result["program"],
        "result_id": result["_id"],
        "candidate_id": result["candidate_id"],
        "challenge_id": challenge_id,
        "state": Stage.OPEN.value,
        "closed": False,
        "four_eyes": four_eyes,
        "previous": {"grade": standing.grade.value, "score": standing.score},
        "opened_at": transaction.now,
        "by": [],
        "history": [],
        "overtaken": False,
        **nothing,
    }


def progress_of(row: Document) -> Progress:
    """How far a challenge or a ruling has come."""
    first = row["first"]
    return Progress(row["four_eyes"], row["state"], first and Opinion(first["end"], first["by"], tuple(first["terms"])))


def set_progress(row: Document, progress: Progress) -> None:
    """Store how far it has come."""
    first = progress.first
    row["first"] = first and {"end": str(first.end), "by": first.by, "terms": first.terms}
    row |= {"state": str(progress.state), "closed": progress.closed}
