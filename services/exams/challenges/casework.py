"""Everything that happens to challenges: each step is stored with who took it, and told where others should know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from libs.common.casework.evidence import EvidenceStore
from libs.common.casework.progress import Opinion
from libs.common.casework.thread import Step, assign, note, taken, was_decided_by, write, written
from libs.common.clock import Clock
from libs.common.events import EventData, exams
from libs.common.http.evidence import EvidenceUpload
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, ProblemType
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from libs.common.versions import next_version
from services.exams.challenges.rows import about, new_challenge
from services.exams.challenges.rulings import (
    NOT_FINAL,
    Rulings,
    new_ruling,
    progress_of,
    set_progress,
    standing_of,
    wanted_of,
)
from services.exams.challenges.store import ChallengeStore
from services.exams.domain.challenges import Ground, Obstacle, Standing, State, due_on, last_day, obstacle
from services.exams.domain.rulings import Wanted
from services.exams.store import ExamsStore

CHALLENGE_REFUSED = ProblemType("challenge-not-open", "The result cannot be challenged", 409)

MOST_A_DAY = 20
"""Challenges that one account opens, withdrawn or not: each is told by a mail."""

WHY_NOT: Mapping[Obstacle, str] = {
    Obstacle.NOT_OFFERED: "the program offers no challenges",
    Obstacle.GRADE: "results with this grade cannot be challenged",
    Obstacle.USED_UP: "it has been challenged as often as the program allows",
    Obstacle.TOO_LATE: "the days to challenge it are over",
}

_OPINIONS = {State.UPHELD: "upholds", State.CHANGED: "changes", State.REFUSED: "refuses"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a candidate may do about a result.

    Attributes:
        until: the last day; None where it cannot be challenged on any.
    """

    result: Document
    standing: Standing
    why_not: Obstacle | None
    until: date | None
    challenges: list[Document]
    rulings: list[Document]


class Challenges:
    """Opens challenges and takes them forward."""

    def __init__(
        self,
        store: ChallengeStore,
        files: EvidenceStore,
        exams: ExamsStore,
        rulings: Rulings,
        *,
        unit_of_work: UnitOfWork,
        programs: Mapping[str, Program],
        clock: Clock,
    ) -> None:
        self.store = store
        self.files = files
        self.exams = exams
        self.rulings = rulings
        self._unit_of_work = unit_of_work
        self._programs = programs
        self._clock = clock

    def program(self, program_id: str) -> Program:
        """Raises the problem `not-found`."""
        program = self._programs.get(program_id)
        if program is None:
            raise Problem(NOT_FOUND)
        return program

    def today(self, program_id: str) -> date:
        """The day of a program's calendar. Raises as `program` does."""
        return self.program(program_id).day_of(self._clock.now())

    async def terms(self, program_id: str, candidate_id: str, result_id: str) -> Terms:
        """What can be done about a result of a person.

        Raises:
            Problem: `not-found`, where there is none; one that is not final looks like that, so that nothing is
                learnt of a hold.
        """
        program = self.program(program_id)
        family = await self.exams.merges.family(None, candidate_id)
        return await self._terms(None, program, family, result_id, self._clock.now())

    async def open(
        self,
        program_id: str,
        candidate_id: str,
        *,
        challenge_id: str,
        result_id: str,
        ground: Ground,
        text: str,
        by: str,
    ) -> Document:
        """Open a challenge, or find it: the one of this id, or the open one that says the same.

        Raises:
            Problem: as `terms`; `challenge-not-open`; `conflict`, where one that says something else is open, or too
                many were opened in a day.
        """
        program = self.program(program_id)

        async def work(transaction: Transaction) -> Document:
            session, now = transaction.session, transaction.now
            family = await self.exams.merges.family(session, candidate_id)
            terms = await self._terms(transaction, program, family, result_id, now)
            for known in terms.challenges:
                if known["_id"] == challenge_id:
                    return known
                if not known["closed"]:
                    if (known["ground"], known["messages"][0]["text"]) != (ground, text):
                        raise Problem(CONFLICT, "the result is being challenged; write to staff there")
                    return known
            if any(not other["closed"] for other in await self.store.of_result(session, result_id)):
                raise Problem(CONFLICT, "another account is challenging it; that is decided first")
            if terms.why_not is not None or program.challenges is None:
                raise Problem(CHALLENGE_REFUSED, WHY_NOT[terms.why_not or Obstacle.NOT_OFFERED])
            result = terms.result
            if await self.store.opened_since(session, result["candidate_id"], now - timedelta(days=1)) >= MOST_A_DAY:
                raise Problem(CONFLICT, "too many challenges were opened in a day")
            row = new_challenge(result, terms.standing, program, program.challenges, now)
            row |= {"_id": challenge_id, "ground": ground}
            note(row, "opened", by, now)
            write(row, challenge_id, by="candidate", text=text, now=now)
            opened = exams.ChallengeOpened(
                **about(row), ground=ground, due_on=date.fromisoformat(row["due_on"]), opened_at=now
            )
            self._tell(transaction, row, opened)
            await self.store.add(session, row)
            return row

        return await self._unit_of_work.run(work)

    async def answer(self, row: Document, *, message_id: str, text: str, by: str) -> Document:
        """The candidate writes."""

        async def step(transaction: Transaction, challenge: Document) -> None:
            if not written(challenge, message_id):
                self._answered(challenge, transaction.now)
                write(challenge, message_id, by="candidate", text=text, now=transaction.now)
                note(challenge, "answered", by, transaction.now)

        return await self._change(row["program"], row["_id"], step)

    async def add_evidence(self, row: Document, upload: EvidenceUpload, *, by: str) -> Document:
        """Keep a file beside a challenge, and return what the challenge says of it. The same again is there already.

        Raises:
            Problem: `conflict`, where the program takes no files or it is closed; `invalid`, where the file is unfit.
        """
        rules = self.program(row["program"]).challenges
        if rules is None or rules.evidence is None:
            raise Problem(CONFLICT, "the program takes no files with challenges")
        lasts, file = rules.evidence, await self.files.prepared(upload)
        found: Document = {}

        async def step(transaction: Transaction, challenge: Document) -> None:
            about, is_new = await self.files.attach(transaction.session, challenge, file, transaction.now, lasts)
            found.update(about)
            if is_new:
                self._answered(challenge, transaction.now)
                note(challenge, "evidence", by, transaction.now)

        await self._change(row["program"], row["_id"], step)
        return found

    async def withdraw(self, row: Document, *, by: str) -> Document:
        """The candidate no longer wants it; a challenge that is withdrawn stays so."""

        async def step(transaction: Transaction, challenge: Document) -> None:
            if challenge["state"] != State.WITHDRAWN:
                set_progress(challenge, progress_of(challenge).withdrawn())
                note(challenge, "withdrawn", by, transaction.now)
                await self.files.drop(transaction.session, challenge)

        return await self._change(row["program"], row["_id"], step)

    async def ask(
        self, program: str, challenge_id: str, *, message_id: str, text: str, needs_answer: bool, by: str
    ) -> Document:
        """Staff write; where they need an answer, the challenge waits for it."""

        async def step(transaction: Transaction, challenge: Document) -> None:
            if written(challenge, message_id):
                return
            progress, now = progress_of(challenge), transaction.now
            set_progress(challenge, progress.asked() if needs_answer else progress.noted())
            write(challenge, message_id, by="staff", text=text, now=now)
            note(challenge, "asked" if needs_answer else "written", by, now)
            event = exams.ChallengeMessageWritten(**about(challenge), needs_answer=needs_answer, written_at=now)
            self._tell(transaction, challenge, event)

        return await self._change(program, challenge_id, step)

    async def assign(self, program: str, challenge_id: str, *, to: str | None, by: str) -> Document:
        """Give a challenge to somebody, or to nobody."""

        async def step(transaction: Transaction, challenge: Document) -> None:
            progress_of(challenge).noted()
            assign(challenge, to, by=by, now=transaction.now)

        return await self._change(program, challenge_id, step)

    async def decide(
        self,
        program: str,
        challenge_id: str,
        *,
        decision_id: str,
        decision: State,
        grade: str | None,
        score: float | None,
        reason: str,
        by: str,
    ) -> Document:
        """Decide a challenge, or be the first of two; the same decision again finds it made.

        Raises:
            Problem: `not-found`, `conflict` where it was decided otherwise or the result cannot be changed, `invalid`
                where nothing would change, `second-opinion-needed`.
        """

        async def step(transaction: Transaction, challenge: Document) -> None:
            if was_decided_by(challenge, decision_id) or challenge["state"] == decision != State.CHANGED:
                return
            before = progress_of(challenge)
            before.noted()
            result, standing = await self.challenged(challenge, transaction)
            wanted = None
            if decision is State.CHANGED:
                if standing is None:
                    raise Problem(CONFLICT, NOT_FINAL)
                wanted = wanted_of(standing, grade, score)
            # Two who agree have looked at the same result: one that has moved since is decided anew.
            terms = (
                *((standing.grade.value, standing.score) if standing else (None, None)),
                *((wanted.grade.value, wanted.score) if wanted else (None, None)),
            )
            opinion = Opinion(decision.value, by, terms)
            progress = before.decided(opinion)
            note(challenge, _OPINIONS[decision], by, transaction.now, reason, decision_id)
            set_progress(challenge, progress)
            if progress.closed:
                deciders = [each.by for each in (before.first, opinion) if each is not None]
                await self._end(transaction, challenge, result, standing, wanted, by=deciders, reason=reason)
            elif before.first is not None:
                note(challenge, "disagreed", by, transaction.now)

        return await self._change(program, challenge_id, step)

    async def _end(
        self,
        transaction: Transaction,
        challenge: Document,
        result: Document,
        standing: Standing | None,
        wanted: Wanted | None,
        *,
        by: list[str],
        reason: str,
    ) -> None:
        now = transaction.now
        previous: Document = (
            {"grade": standing.grade.value, "score": standing.score} if standing else challenge["challenged"]
        )
        decided: Document = {"grade": wanted.grade.value, "score": wanted.score} if wanted else previous
        challenge |= {"reason": reason, "decided_at": now, "previous": previous, "decided": decided}
        note(challenge, challenge["state"], by[-1], now, reason)
        if wanted is not None and standing is not None:
            ruling = new_ruling(
                result,
                standing,
                transaction,
                ruling_id=challenge["_id"],
                four_eyes=challenge["four_eyes"],
                challenge_id=challenge["_id"],
            )
            await self.rulings.give(transaction, result, wanted, ruling=ruling, by=by, reason=reason)
        await self.files.drop(transaction.session, challenge)
        event = exams.ChallengeDecided(
            **about(challenge),
            decision=challenge["state"],
            reason=reason,
            previous_grade=previous["grade"],
            previous_score=previous["score"],
            grade=decided["grade"],
            score=decided["score"],
            decided_at=now,
        )
        self._tell(transaction, challenge, event)

    async def challenged(
        self, challenge: Document, transaction: Transaction | None = None
    ) -> tuple[Document, Standing | None]:
        """The result as it stands; without a standing also where it turned out to be another's."""
        session = transaction.session if transaction else None
        result = (await self.exams.results(session, [challenge["result_id"]]))[challenge["result_id"]]
        family = await self.exams.merges.family(session, challenge["candidate_id"])
        standing = standing_of(result, self.program(challenge["program"]))
        return result, standing if result["candidate_id"] in family else None

    async def _terms(
        self, transaction: Transaction | None, program: Program, family: list[str], result_id: str, now: datetime
    ) -> Terms:
        session = transaction.session if transaction else None
        result = (await self.exams.results(session, [result_id])).get(result_id)
        if result is None or result["program"] != program.id or result["candidate_id"] not in family:
            raise Problem(NOT_FOUND)
        standing = standing_of(result, program)
        if standing is None:
            raise Problem(NOT_FOUND)
        known = await self.store.of_result(session, result_id)
        own = [each for each in known if each["candidate_id"] in family]
        before = sum(each["state"] != State.WITHDRAWN for each in own)
        rules = program.challenges
        why_not = obstacle(rules, standing, program.day_of(now), before)
        until = last_day(rules, standing) if rules is not None and standing.grade in rules.grades else None
        rulings = await self.rulings.store.of_result(session, result_id)
        return Terms(result, standing, why_not, until, own, rulings)

    async def _change(self, program: str, challenge_id: str, step: Step) -> Document:
        async def work(transaction: Transaction) -> Document:
            challenge = await self.store.get(program, challenge_id, transaction.session)
            if challenge is None:
                raise Problem(NOT_FOUND)
            await taken(step, transaction, challenge)
            await self.store.save(transaction.session, challenge)
            return challenge

        return await self._unit_of_work.run(work)

    def _answered(self, challenge: Document, now: datetime) -> None:
        """It is staff's turn; where they had waited, their days count anew."""
        program = self.program(challenge["program"])
        if challenge["state"] == State.WAITING and program.challenges is not None:
            challenge["due_on"] = due_on(program, program.challenges, now).isoformat()
        set_progress(challenge, progress_of(challenge).answered())

    @staticmethod
    def _tell(transaction: Transaction, challenge: Document, event: EventData) -> None:
        challenge["version"] = next_version(challenge["version"], transaction.now)
        about = challenge["candidate_id"]
        transaction.emit(event, program=challenge["program"], subject=about, version=challenge["version"])
