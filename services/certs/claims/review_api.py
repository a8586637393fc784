"""The HTTP API of the review queue: what waits to be decided, who is on it, with its evidence and its promise."""

import asyncio
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.casework import owner
from libs.common.casework.words import AssigneeBody
from libs.common.clock import Clock
from libs.common.events.types import Identifier
from libs.common.http.evidence import EvidenceFile
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import CERTS_REVIEW
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.claims.store import OPEN, submission_of
from services.certs.claims.submissions import Submissions
from services.certs.claims.views import AcceptanceBody, ReviewDecision, ReviewView, review_view
from services.certs.domain.rules import rules_of
from services.certs.domain.submissions import fact_of
from services.certs.domain.whatif import following
from services.certs.ledger import facts_on
from services.certs.outlook_views import FollowingView, difference_view
from services.certs.policies import Policies
from services.certs.store import CertsStore
from services.certs.views import ProgramPath

_QUEUE = Cursor("reviews", tuple[str, str])


class ReviewPath(ProgramPath):
    submission_id: Identifier


class ReviewEvidencePath(ReviewPath):
    evidence_id: Identifier


class ReviewsQuery(PageQuery):
    state: Annotated[
        Literal["open", "accepted", "rejected", "withdrawn"],
        Field(description="`open`: what waits for a decision, due first at the front"),
    ] = "open"
    assignee: Annotated[Identifier | None, Field(description="Only what this one of staff is on")] = None
    unassigned: Annotated[bool, Field(description="Only what nobody is on")] = False


class ReviewApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        submissions: Submissions,
        certs: CertsStore,
        policies: Policies,
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._submissions = submissions
        self._store = submissions.store
        self._evidence = submissions.evidence
        self._certs = certs
        self._policies = policies
        self._unit_of_work = unit_of_work
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/reviews",
                handler=self.list_reviews,
                summary="Claims and reports by state, what is due first at the front",
                parameters=ProgramPath,
                query=ReviewsQuery,
                response=Page[ReviewView],
                scopes=CERTS_REVIEW,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/reviews/{submission_id}",
                handler=self.show_review,
                summary="One of them",
                parameters=ReviewPath,
                response=ReviewView,
                scopes=CERTS_REVIEW,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/reviews/{submission_id}/evidence/{evidence_id}",
                handler=self.download_review_evidence,
                summary="A file that a claim rests on",
                parameters=ReviewEvidencePath,
                response=EvidenceFile,
                scopes=CERTS_REVIEW,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path="/programs/{program}/reviews/{submission_id}/assignee",
                handler=self.take_review,
                summary="Give what waits to somebody of staff to review, or to nobody",
                parameters=ReviewPath,
                body=AssigneeBody,
                response=ReviewView,
                scopes=CERTS_REVIEW,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="POST",
                path="/programs/{program}/reviews/{submission_id}/preview",
                handler=self.preview_review,
                summary="What accepting would change, before anybody accepts",
                parameters=ReviewPath,
                body=AcceptanceBody,
                response=FollowingView,
                scopes=CERTS_REVIEW,
                asks=True,
                errors=(NOT_FOUND, INVALID, CONFLICT),
            ),
            Route(
                method="POST",
                path="/programs/{program}/reviews/{submission_id}/decision",
                handler=self.decide_submission,
                summary="Accept or reject; an acceptance has effect back to the day of completion",
                parameters=ReviewPath,
                body=ReviewDecision,
                response=ReviewView,
                scopes=CERTS_REVIEW,
                errors=(NOT_FOUND, INVALID, CONFLICT),
                idempotent=True,
            ),
        )

    async def list_reviews(self, call: Call[ProgramPath, ReviewsQuery]) -> Page[ReviewView]:
        policy, query = await self._policy(call), call.query
        states = OPEN if query.state == "open" else (query.state,)
        after = _QUEUE.decode(query.cursor)
        taken = owner.query(query.assignee, unassigned=query.unassigned)
        rows = await self._store.queue(policy.id, states, taken, after=after, limit=query.limit + 1)
        today = self._today(policy)
        return _QUEUE.page(
            Page[ReviewView],
            rows,
            query.limit,
            key=lambda row: (row["due_on"], row["_id"]),
            show=lambda row: review_view(row, today),
        )

    async def show_review(self, call: Call[ReviewPath]) -> ReviewView:
        policy = await self._policy(call)
        row = await self._row(policy, call.path.submission_id)
        return review_view(row, self._today(policy), await self._evidence.pictures(row["evidence"]))

    async def download_review_evidence(self, call: Call[ReviewEvidencePath]) -> EvidenceFile:
        row = await self._row(await self._policy(call), call.path.submission_id)
        if call.path.evidence_id not in row["evidence"]:
            raise Problem(NOT_FOUND)
        file = await self._evidence.file(row["program"], row["candidate_id"], call.path.evidence_id)
        if file is None:
            raise Problem(NOT_FOUND, "the file has served and was deleted")
        return file

    async def take_review(self, call: Call[ReviewPath, Any, AssigneeBody]) -> ReviewView:
        policy = await self._policy(call)

        async def work(transaction: Transaction) -> Document:
            row = await self._open_row(policy, call.path.submission_id, transaction)
            await self._submissions.take(transaction, row, to=call.body.assignee)
            return row

        return review_view(await self._unit_of_work.run(work), self._today(policy))

    async def decide_submission(self, call: Call[ReviewPath, Any, ReviewDecision]) -> ReviewView:
        policy, body = await self._policy(call), call.body
        today = self._today(policy)

        async def work(transaction: Transaction) -> Document:
            row = await self._open_row(policy, call.path.submission_id, transaction)
            if row["candidate_id"] is None:
                row["candidate_id"] = await self._named(transaction, policy, body)
            if body.decision == "accepted":
                _complete(row, body, policy)
            await self._submissions.decide(
                transaction,
                row,
                accept=body.decision == "accepted",
                by=call.principal.subject,
                reason=body.reason,
                today=today,
            )
            return row

        return review_view(await self._unit_of_work.run(work), today)

    async def preview_review(self, call: Call[ReviewPath, Any, AcceptanceBody]) -> FollowingView:
        policy, body, now = await self._policy(call), call.body, self._clock.now()
        row = await self._open_row(policy, call.path.submission_id)
        candidate_id = row["candidate_id"] or body.candidate_id
        ledger = await self._certs.ledger(policy.id, candidate_id) if candidate_id else None
        _complete(row, body, policy)
        today = policy.day_of(now)
        row.update(state="accepted", decided_on=today.isoformat(), candidate_id=candidate_id)
        submission = submission_of(row)
        fact = fact_of(submission, now)
        as_of = max(today, submission.held_until or today)
        facts = facts_on(ledger, policy, today)
        changes = await asyncio.to_thread(following, policy, facts, fact, as_of, today) if fact else []
        return FollowingView(as_of=as_of, changes=[difference_view(each) for each in changes])

    async def _named(self, transaction: Transaction, policy: Program, body: ReviewDecision) -> str | None:
        """The candidate that the reviewer names for a report of nobody known."""
        if body.candidate_id is None:
            if body.decision == "rejected":
                return None
            raise invalid(
                "body.candidate_id", "missing", "nobody is known by the provider's reference: say whose it is"
            )
        known = await self._store.links.known(transaction.session, policy.id, [body.candidate_id])
        if body.candidate_id not in known:
            raise invalid("body.candidate_id", "unknown", f"{policy.name} has no such candidate")
        return body.candidate_id

    async def _row(self, policy: Program, key: str, transaction: Transaction | None = None) -> Document:
        row = await self._store.get(policy.id, key, transaction.session if transaction else None)
        if row is None:
            raise Problem(NOT_FOUND)
        return row

    async def _open_row(self, policy: Program, key: str, transaction: Transaction | None = None) -> Document:
        row = await self._row(policy, key, transaction)
        if row["state"] not in OPEN:
            raise Problem(CONFLICT, f"it is {row['state']} already")
        return row

    async def _policy(self, call: Call[Any, Any, Any]) -> Program:
        return await self._policies.entered(call.principal, call.path.program)

    def _today(self, policy: Program) -> date:
        return policy.day_of(self._clock.now())


def _complete(row: Document, body: AcceptanceBody, policy: Program) -> None:
    """Put in what the reviewer knows; what is accepted says everything that its effect needs."""
    if row["kind"] == "credits":
        row["credits"] = body.credits or row["credits"]
        if row["credits"] is None:
            raise invalid("body.credits", "missing", "say how many credits it gives")
        return
    row["level"], row["track"] = body.level or row["level"], body.track or row["track"]
    rules = rules_of(policy)
    if row["level"] not in rules.ranks:
        raise invalid("body.level", "unknown", f"must be one of {', '.join(policy.levels)}")
    if row["track"] is None or row["track"].casefold() not in rules.tracks:
        tracks = sorted({each.track for each in policy.certifications.values()})
        raise invalid("body.track", "unknown", f"must be one of {', '.join(tracks)}")
