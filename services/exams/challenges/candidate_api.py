"""The HTTP API of challenges for candidates: open one, write, add evidence, withdraw, see what became of it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from libs.common.casework.words import AnswerBody, EvidenceView, Text
from libs.common.events.types import Identifier
from libs.common.http.evidence import EvidenceFile, EvidenceUpload
from libs.common.http.models import Body
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.principal import Kind
from libs.common.http.problems import CONFLICT, FORBIDDEN, INVALID, NOT_FOUND, Problem
from libs.common.http.routes import Call, Reply, Route
from libs.common.http.scopes import EXAMS_CHALLENGE, EXAMS_READ
from libs.common.mongo.client import Document
from services.exams.api import CandidatePath
from services.exams.challenges.casework import CHALLENGE_REFUSED, Challenges
from services.exams.challenges.views import (
    ChallengeSummary,
    ChallengeView,
    TermsView,
    candidates_view,
    summary,
    terms_view,
)
from services.exams.domain.challenges import Ground

_OWN = Cursor("own-challenges", tuple[datetime, str])


class OwnResultPath(CandidatePath):
    result_id: Identifier


class OwnChallengePath(CandidatePath):
    challenge_id: Identifier


class OwnEvidencePath(OwnChallengePath):
    evidence_id: Identifier


class NewChallenge(Body):
    """A result that a candidate thinks is wrong, and why."""

    result_id: Annotated[Identifier, Field(description="As the list of results has it")]
    ground: Annotated[
        Ground,
        Field(
            description="The marking (`score`), how the exam was held (`conditions`), what the candidate is accused of "
            "(`integrity`), another's attempt (`not_mine`), anything else"
        ),
    ]
    text: Annotated[Text, Field(description="In the candidate's words")]


class CandidateChallengesApi:
    """Handlers of the routes below. Whoever sees a candidate sees their challenges; the rest is theirs alone."""

    def __init__(self, challenges: Challenges) -> None:
        self._challenges = challenges

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        candidate = "/programs/{program}/candidates/{candidate_id}"
        challenge = f"{candidate}/challenges/{{challenge_id}}"
        return (
            Route(
                method="GET",
                path=f"{candidate}/results/{{result_id}}/challenge",
                handler=self.show_challenge_terms,
                summary="Whether and until when a result can be challenged, and what was decided about it",
                parameters=OwnResultPath,
                response=TermsView,
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{candidate}/challenges",
                handler=self.open_challenge,
                summary="Challenge a result; the same said twice is one challenge",
                parameters=CandidatePath,
                body=NewChallenge,
                response=ChallengeView,
                status=201,
                scopes=EXAMS_CHALLENGE,
                errors=(NOT_FOUND, FORBIDDEN, CONFLICT, CHALLENGE_REFUSED),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=f"{candidate}/challenges",
                handler=self.list_own_challenges,
                summary="A candidate's challenges, the newest first",
                parameters=CandidatePath,
                query=PageQuery,
                response=Page[ChallengeSummary],
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=challenge,
                handler=self.show_own_challenge,
                summary="A challenge with its messages and what happened to it",
                parameters=OwnChallengePath,
                response=ChallengeView,
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{challenge}/messages",
                handler=self.answer_challenge,
                summary="Write to staff",
                parameters=OwnChallengePath,
                body=AnswerBody,
                response=ChallengeView,
                scopes=EXAMS_CHALLENGE,
                errors=(NOT_FOUND, FORBIDDEN, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="POST",
                path=f"{challenge}/evidence",
                handler=self.add_challenge_evidence,
                summary="Add a document to a challenge: PDF, PNG or JPEG, up to 5 MiB",
                parameters=OwnChallengePath,
                body=EvidenceUpload,
                response=EvidenceView,
                status=201,
                scopes=EXAMS_CHALLENGE,
                errors=(NOT_FOUND, FORBIDDEN, CONFLICT, INVALID),
            ),
            Route(
                method="GET",
                path=f"{challenge}/evidence/{{evidence_id}}",
                handler=self.show_own_challenge_evidence,
                summary="A document of one's own",
                parameters=OwnEvidencePath,
                response=EvidenceFile,
                scopes=EXAMS_READ,
                errors=(NOT_FOUND, FORBIDDEN),
            ),
            Route(
                method="POST",
                path=f"{challenge}/withdrawal",
                handler=self.withdraw_challenge,
                summary="Withdraw a challenge",
                parameters=OwnChallengePath,
                response=ChallengeView,
                scopes=EXAMS_CHALLENGE,
                errors=(NOT_FOUND, FORBIDDEN, CONFLICT),
                idempotent=True,
            ),
        )

    async def show_challenge_terms(self, call: Call[OwnResultPath]) -> TermsView:
        call.principal.require(call.path.program, call.path.candidate_id)
        terms = await self._challenges.terms(call.path.program, call.path.candidate_id, call.path.result_id)
        rules = self._challenges.program(call.path.program).challenges
        return terms_view(terms, takes_evidence=rules is not None and rules.evidence is not None)

    async def open_challenge(self, call: Call[CandidatePath, Any, NewChallenge]) -> Reply[ChallengeView]:
        call.principal.require(call.path.program, call.path.candidate_id)
        _check_own(call)
        row = await self._challenges.open(
            call.path.program,
            call.path.candidate_id,
            challenge_id=call.operation_id,
            result_id=call.body.result_id,
            ground=call.body.ground,
            text=call.body.text,
            by=call.principal.subject,
        )
        place = f"/api/exams/v1/programs/{row['program']}/candidates/{row['candidate_id']}/challenges/{row['_id']}"
        return Reply(candidates_view(row), {"Location": place})

    async def list_own_challenges(self, call: Call[CandidatePath, PageQuery]) -> Page[ChallengeSummary]:
        family, query = await self._family(call), call.query
        rows = await self._challenges.store.of_accounts(
            call.path.program, family, before=_OWN.decode(query.cursor), limit=query.limit + 1
        )
        return _OWN.page(
            Page[ChallengeSummary], rows, query.limit, key=lambda row: (row["opened_at"], row["_id"]), show=summary
        )

    async def show_own_challenge(self, call: Call[OwnChallengePath]) -> ChallengeView:
        return candidates_view(await self._challenge(call))

    async def answer_challenge(self, call: Call[OwnChallengePath, Any, AnswerBody]) -> ChallengeView:
        row, by = await self._own(call), call.principal.subject
        answered = await self._challenges.answer(row, message_id=call.operation_id, text=call.body.text, by=by)
        return candidates_view(answered)

    async def add_challenge_evidence(self, call: Call[OwnChallengePath, Any, EvidenceUpload]) -> EvidenceView:
        row = await self._own(call)
        return EvidenceView.model_validate(
            await self._challenges.add_evidence(row, call.body, by=call.principal.subject)
        )

    async def show_own_challenge_evidence(self, call: Call[OwnEvidencePath]) -> EvidenceFile:
        row = await self._own(call)
        file = await self._challenges.files.file(row["_id"], call.path.evidence_id)
        if file is None:
            raise Problem(NOT_FOUND)
        return file

    async def withdraw_challenge(self, call: Call[OwnChallengePath]) -> ChallengeView:
        return candidates_view(await self._challenges.withdraw(await self._own(call), by=call.principal.subject))

    async def _family(self, call: Call[Any, Any, Any]) -> list[str]:
        """The accounts of the person of a path, if the caller may see them."""
        call.principal.require(call.path.program, call.path.candidate_id)
        self._challenges.program(call.path.program)
        return await self._challenges.exams.merges.family(None, call.path.candidate_id)

    async def _challenge(self, call: Call[Any, Any, Any]) -> Document:
        family = await self._family(call)
        row = await self._challenges.store.get(call.path.program, call.path.challenge_id)
        if row is None or row["candidate_id"] not in family:
            raise Problem(NOT_FOUND)
        return row

    async def _own(self, call: Call[Any, Any, Any]) -> Document:
        """The challenge of a path, if it is the caller's own: what stands there as the candidate's words is theirs."""
        row = await self._challenge(call)
        _check_own(call)
        return row


def _check_own(call: Call[Any, Any, Any]) -> None:
    if call.principal.kind is not Kind.CANDIDATE:
        raise Problem(FORBIDDEN, "this is the candidate's alone")
