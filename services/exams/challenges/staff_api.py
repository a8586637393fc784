"""The HTTP API of challenges and rulings for staff: what is due, take, ask, look at evidence, decide; rule."""

from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.casework import owner
from libs.common.casework.thread import SECOND_OPINION
from libs.common.casework.words import AssigneeBody, QuestionBody
from libs.common.events.types import Identifier, Remark
from libs.common.events.vendors import Score
from libs.common.http.evidence import EvidenceFile
from libs.common.http.models import Body, Parameters
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_DECIDE
from libs.common.mongo.client import Document
from services.exams.challenges.casework import Challenges
from services.exams.challenges.views import (
    RulingsView,
    RulingView,
    StaffChallengeView,
    StaffSummary,
    ruling_view,
    staff_summary,
    staff_view,
)
from services.exams.domain.challenges import CLOSED, Ground, State

_QUEUE = Cursor("challenges", tuple[str, str])


class ProgramPath(Parameters):
    program: Identifier


class ChallengePath(ProgramPath):
    challenge_id: Identifier


class EvidencePath(ChallengePath):
    evidence_id: Identifier


class ResultPath(ProgramPath):
    result_id: Identifier


class ChallengesQuery(PageQuery):
    state: Annotated[State | None, Field(description="Without one, every challenge that is not closed")] = None
    ground: Ground | None = None
    candidate_id: Identifier | None = None
    exam_code: Identifier | None = None
    assignee: Identifier | None = None
    unassigned: bool = False
    overdue: Annotated[bool, Field(description="Only what waits for staff and should have been decided")] = False
    overtaken: Annotated[
        bool, Field(description="Only those changed about which the vendor has said something new since")
    ] = False


class DecisionBody(Body):
    decision: Literal["upheld", "changed", "refused"]
    reason: Annotated[Remark, Field(description="For the candidate")]
    grade: Annotated[
        Literal["pass", "fail", "invalidated"] | None, Field(description="Of `changed`; left out, it stays")
    ] = None
    score: Annotated[Score | None, Field(description="Of `changed`; left out, it stays")] = None


class NewRuling(Body):
    """What a result is to be; a grade, a score or both."""

    grade: Literal["pass", "fail", "invalidated"] | None = None
    score: Score | None = None
    reason: Annotated[Remark, Field(description="For staff, and for the audit")]


class StaffChallengesApi:
    """Handlers of the routes below."""

    def __init__(self, challenges: Challenges) -> None:
        self._challenges = challenges

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        challenge = "/programs/{program}/challenges/{challenge_id}"
        return (
            Route(
                method="GET",
                path="/programs/{program}/challenges",
                handler=self.list_challenges,
                summary="Challenges, what is due first at the front",
                parameters=ProgramPath,
                query=ChallengesQuery,
                response=Page[StaffSummary],
                scopes=EXAMS_DECIDE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=challenge,
                handler=self.show_challenge,
                summary="A challenge with its messages, its history and what the vendor has said since",
                parameters=ChallengePath,
                response=StaffChallengeView,
                scopes=EXAMS_DECIDE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path=f"{challenge}/assignee",
                handler=self.assign_challenge,
                summary="Give a challenge to somebody, or to nobody",
                parameters=ChallengePath,
                body=AssigneeBody,
                response=StaffChallengeView,
                scopes=EXAMS_DECIDE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="POST",
                path=f"{challenge}/messages",
                handler=self.ask_challenger,
                summary="Write to the candidate, who is told by mail that there is something to read",
                parameters=ChallengePath,
                body=QuestionBody,
                response=StaffChallengeView,
                scopes=EXAMS_DECIDE,
                errors=(NOT_FOUND, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=f"{challenge}/evidence/{{evidence_id}}",
                handler=self.show_challenge_evidence,
                summary="A document of a challenge",
                parameters=EvidencePath,
                response=EvidenceFile,
                scopes=EXAMS_DECIDE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{challenge}/decision",
                handler=self.decide_challenge,
                summary="Decide; where four eyes decide, the first of two opinions or the second",
                parameters=ChallengePath,
                body=DecisionBody,
                response=StaffChallengeView,
                scopes=EXAMS_DECIDE,
                errors=(NOT_FOUND, CONFLICT, SECOND_OPINION, INVALID),
                idempotent=True,
            ),
            Route(
                method="GET",
                path="/programs/{program}/results/{result_id}/rulings",
                handler=self.list_rulings,
                summary="Rulings of staff on a result, oldest first",
                parameters=ResultPath,
                response=RulingsView,
                scopes=EXAMS_DECIDE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/results/{result_id}/rulings",
                handler=self.rule_on_result,
                summary="Rule on a result that nobody challenges; where four eyes decide, one of two opinions",
                parameters=ResultPath,
                body=NewRuling,
                response=RulingView,
                status=201,
                scopes=EXAMS_DECIDE,
                errors=(NOT_FOUND, CONFLICT, SECOND_OPINION, INVALID),
                idempotent=True,
            ),
        )

    async def list_challenges(self, call: Call[ProgramPath, ChallengesQuery]) -> Page[StaffSummary]:
        program, query = self._entered(call), call.query
        today = self._challenges.today(program)
        filters: Document = {
            name: value
            for name in ("ground", "candidate_id", "exam_code")
            if (value := getattr(query, name)) is not None
        }
        filters |= owner.query(query.assignee, unassigned=query.unassigned)
        states = set(State) - CLOSED
        if query.overtaken:
            filters["overtaken"], states = True, {State.CHANGED}
        rows = await self._challenges.store.queue(
            program,
            states=[query.state] if query.state else states,
            filters=filters,
            overdue_on=today if query.overdue else None,
            after=_QUEUE.decode(query.cursor),
            limit=query.limit + 1,
        )
        return _QUEUE.page(
            Page[StaffSummary],
            rows,
            query.limit,
            key=lambda row: (row["due_on"], row["_id"]),
            show=lambda row: staff_summary(row, today),
        )

    async def show_challenge(self, call: Call[ChallengePath]) -> StaffChallengeView:
        return await self._view(await self._challenge(call))

    async def assign_challenge(self, call: Call[ChallengePath, Any, AssigneeBody]) -> StaffChallengeView:
        row = await self._challenges.assign(
            self._entered(call), call.path.challenge_id, to=call.body.assignee, by=call.principal.subject
        )
        return await self._view(row)

    async def ask_challenger(self, call: Call[ChallengePath, Any, QuestionBody]) -> StaffChallengeView:
        row = await self._challenges.ask(
            self._entered(call),
            call.path.challenge_id,
            message_id=call.operation_id,
            text=call.body.text,
            needs_answer=call.body.needs_answer,
            by=call.principal.subject,
        )
        return await self._view(row)

    async def show_challenge_evidence(self, call: Call[EvidencePath]) -> EvidenceFile:
        row = await self._challenge(call)
        file = await self._challenges.files.file(row["_id"], call.path.evidence_id)
        if file is None:
            raise Problem(NOT_FOUND)
        return file

    async def decide_challenge(self, call: Call[ChallengePath, Any, DecisionBody]) -> StaffChallengeView:
        body = call.body
        if body.decision != "changed" and (body.grade is not None or body.score is not None):
            raise invalid("body.decision", "not_allowed", "only `changed` gives a grade or a score")
        row = await self._challenges.decide(
            self._entered(call),
            call.path.challenge_id,
            decision_id=call.operation_id,
            decision=State(body.decision),
            grade=body.grade,
            score=body.score,
            reason=body.reason,
            by=call.principal.subject,
        )
        return await self._view(row)

    async def list_rulings(self, call: Call[ResultPath]) -> RulingsView:
        program = self._entered(call)
        found = (await self._challenges.exams.results(None, [call.path.result_id])).get(call.path.result_id)
        if found is None or found["program"] != program:
            raise Problem(NOT_FOUND)
        rows = await self._challenges.rulings.store.of_result(None, call.path.result_id)
        return RulingsView(items=[ruling_view(row) for row in rows])

    async def rule_on_result(self, call: Call[ResultPath, Any, NewRuling]) -> RulingView:
        row = await self._challenges.rulings.rule(
            self._challenges.program(self._entered(call)),
            call.path.result_id,
            ruling_id=call.operation_id,
            grade=call.body.grade,
            score=call.body.score,
            reason=call.body.reason,
            by=call.principal.subject,
        )
        return ruling_view(row)

    def _entered(self, call: Call[Any, Any, Any]) -> str:
        """The program of a path, if the caller may enter it. Raises `not-found`."""
        call.principal.require_program(call.path.program)
        return self._challenges.program(call.path.program).id

    async def _challenge(self, call: Call[Any, Any, Any]) -> Document:
        row = await self._challenges.store.get(self._entered(call), call.path.challenge_id)
        if row is None:
            raise Problem(NOT_FOUND)
        return row

    async def _view(self, row: Document) -> StaffChallengeView:
        result, standing = await self._challenges.challenged(row)
        return staff_view(row, self._challenges.today(row["program"]), result, standing)
