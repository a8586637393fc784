"""The HTTP API of claims for candidates: credits and courses, their evidence, and the ledger of credits."""

import asyncio
from datetime import date, timedelta
from typing import Any

from libs.common.clock import Clock
from libs.common.errors import Unprocessable
from libs.common.events.types import Identifier
from libs.common.http.evidence import EvidenceFile, EvidenceUpload, checked
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Reply, Route
from libs.common.http.scopes import CERTS_CLAIM, CERTS_READ
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from libs.common.programs.calendar import add_days
from libs.common.programs.policy import CourseRules, CreditRules
from libs.common.spoken import spoken
from services.certs.claims.submissions import Submissions, new_submission
from services.certs.claims.views import (
    CourseClaim,
    CreditClaim,
    CreditsView,
    EvidenceView,
    HoldBody,
    SubmissionView,
    credits_view,
    submission_view,
)
from services.certs.domain.credit_ledger import credit_ledger
from services.certs.ledger import facts_at
from services.certs.policies import Policies
from services.certs.store import CertsStore
from services.certs.views import CandidatePath

EARLIEST = date(1990, 1, 1)
LONGEST_HOLD = timedelta(days=366 * 10)

_SUBMISSIONS = Cursor("submissions", str)


class SubmissionPath(CandidatePath):
    submission_id: Identifier


class EvidencePath(CandidatePath):
    evidence_id: Identifier


class ClaimsApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        certs: CertsStore,
        submissions: Submissions,
        policies: Policies,
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._certs = certs
        self._submissions = submissions
        self._store = submissions.store
        self._evidence = submissions.evidence
        self._policies = policies
        self._unit_of_work = unit_of_work
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        candidate = "/programs/{program}/candidates/{candidate_id}"
        return (
            Route(
                method="GET",
                path=f"{candidate}/credits",
                handler=self.show_credits,
                summary="The ledger of credits: what counts, what was used by which renewal, what lapsed",
                parameters=CandidatePath,
                response=CreditsView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{candidate}/evidence",
                handler=self.upload_evidence,
                summary="Upload a certificate of attendance: PDF, PNG or JPEG, up to 5 MiB",
                parameters=CandidatePath,
                body=EvidenceUpload,
                response=EvidenceView,
                status=201,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{candidate}/evidence/{{evidence_id}}",
                handler=self.download_evidence,
                summary="An uploaded file",
                parameters=EvidencePath,
                response=EvidenceFile,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{candidate}/credit-claims",
                handler=self.claim_credits,
                summary="Claim credits",
                parameters=CandidatePath,
                body=CreditClaim,
                response=SubmissionView,
                status=201,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND, INVALID),
                idempotent=True,
            ),
            Route(
                method="POST",
                path=f"{candidate}/course-claims",
                handler=self.claim_course,
                summary="Claim a course that its provider does not report",
                parameters=CandidatePath,
                body=CourseClaim,
                response=SubmissionView,
                status=201,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND, INVALID),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=f"{candidate}/submissions",
                handler=self.list_submissions,
                summary="Claims and reported courses, newest first, with their states",
                parameters=CandidatePath,
                query=PageQuery,
                response=Page[SubmissionView],
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path=f"{candidate}/submissions/{{submission_id}}/hold",
                handler=self.hold_credits,
                summary="Choose the day from which credits may renew something",
                parameters=SubmissionPath,
                body=HoldBody,
                response=SubmissionView,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND, INVALID, CONFLICT),
            ),
            Route(
                method="DELETE",
                path=f"{candidate}/submissions/{{submission_id}}",
                handler=self.withdraw,
                summary="Withdraw a claim that is not decided",
                parameters=SubmissionPath,
                response=None,
                status=204,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND, CONFLICT),
            ),
        )

    async def show_credits(self, call: Call[CandidatePath]) -> CreditsView:
        policy = await self._policy(call)
        row = await self._certs.ledger(policy.id, call.path.candidate_id)
        facts = facts_at(row, self._clock.now()) if row else []
        ledger = await asyncio.to_thread(credit_ledger, policy, facts, self._today(policy))
        rules = policy.policy.credits
        return credits_view(ledger, may_be_held=rules is not None and rules.may_be_held)

    async def upload_evidence(self, call: Call[CandidatePath, Any, EvidenceUpload]) -> EvidenceView:
        policy = await self._policy(call)
        row = await self._evidence.add(policy.id, call.path.candidate_id, checked(call.body), self._clock.now())
        return EvidenceView.model_validate({**row, "evidence_id": row["_id"]})

    async def download_evidence(self, call: Call[EvidencePath]) -> EvidenceFile:
        await self._policy(call)
        file = await self._evidence.file(call.path.program, call.path.candidate_id, call.path.evidence_id)
        if file is None:
            raise Problem(NOT_FOUND)
        return file

    async def claim_credits(self, call: Call[CandidatePath, Any, CreditClaim]) -> Reply[SubmissionView]:
        policy, body = await self._policy(call), call.body
        rules = policy.policy.credits
        if rules is None:
            raise invalid("body", "no_credits", f"{policy.name} has no continuing-education credits")
        self._check_completion(policy, body.completed_on)
        self._check_credits(rules, body, self._today(policy))
        self._check_hold(policy, body.held_until)
        return await self._claimed(
            call,
            body.evidence,
            new_submission(
                call.operation_id,
                policy,
                self._clock.now(),
                kind="credits",
                origin="claim",
                state="pending",
                item=body.item,
                title=body.title,
                completed_on=body.completed_on,
                candidate_id=call.path.candidate_id,
                credits=body.credits,
                held_until=body.held_until.isoformat() if body.held_until else None,
                evidence=body.evidence,
                note=body.note,
            ),
        )

    async def claim_course(self, call: Call[CandidatePath, Any, CourseClaim]) -> Reply[SubmissionView]:
        policy, body = await self._policy(call), call.body
        rules = policy.policy.courses
        if rules is None:
            raise invalid("body", "no_courses", f"{policy.name} renews nothing by courses")
        self._check_completion(policy, body.completed_on)
        _check_delivery(rules, body)
        course = rules.items.get(body.course)
        return await self._claimed(
            call,
            body.evidence,
            new_submission(
                call.operation_id,
                policy,
                self._clock.now(),
                kind="course",
                origin="claim",
                state="pending",
                item=body.course,
                title=course.title if course else body.title,
                completed_on=body.completed_on,
                candidate_id=call.path.candidate_id,
                level=course.level if course else None,
                track=course.track if course else None,
                delivery=body.delivery,
                evidence=body.evidence,
                note=body.note,
            ),
        )

    async def _claimed(
        self, call: Call[CandidatePath, Any, Any], files: list[str], row: Document
    ) -> Reply[SubmissionView]:
        async def work(transaction: Transaction) -> Document:
            # With the same key again, after a crash between commit and answer, it is there already.
            known = await self._store.get(row["program"], row["_id"], transaction.session)
            if known is not None:
                return known
            missing = await self._evidence.attach(transaction.session, call.path.candidate_id, files)
            if missing:
                raise invalid("body.evidence", "unknown", f"not uploaded here: {', '.join(sorted(missing))}")
            made = dict(row)  # the work may run again
            await self._submissions.add(transaction, [(made, None)])
            return made

        try:
            made = await self._unit_of_work.run(work)
        except Unprocessable:  # staff named another program's candidate
            raise Problem(NOT_FOUND) from None
        place = f"/api/certs/v1/programs/{made['program']}/candidates/{made['candidate_id']}/submissions/{made['_id']}"
        return Reply(submission_view(made), {"Location": place})

    async def list_submissions(self, call: Call[CandidatePath, PageQuery]) -> Page[SubmissionView]:
        policy, query = await self._policy(call), call.query
        before = _SUBMISSIONS.decode(query.cursor)
        accounts = await self._certs.accounts(policy.id, call.path.candidate_id)
        rows = await self._store.of_accounts(policy.id, accounts, before=before, limit=query.limit + 1)
        return _SUBMISSIONS.page(
            Page[SubmissionView], rows, query.limit, key=lambda row: str(row["_id"]), show=submission_view
        )

    async def hold_credits(self, call: Call[SubmissionPath, Any, HoldBody]) -> SubmissionView:
        policy, until = await self._policy(call), call.body.held_until
        self._check_hold(policy, until)

        async def work(transaction: Transaction) -> Document:
            row = await self._mine(transaction, policy, call.path)
            if row["kind"] != "credits" or row["state"] not in {"pending", "accepted"}:
                raise Problem(CONFLICT, "only credits that are pending or accepted can be held")
            await self._check_unused(transaction, policy, row)
            row["held_until"] = until.isoformat() if until else None
            await self._submissions.change(transaction, [(row, None)])
            return row

        return submission_view(await self._unit_of_work.run(work))

    async def _check_unused(self, transaction: Transaction, policy: Program, row: Document) -> None:
        """What has renewed something stays used: to hold it now would take the renewal back."""
        known = await self._certs.ledger(policy.id, row["candidate_id"])
        facts = facts_at(known, transaction.now) if known else []
        ledger = credit_ledger(policy, facts, policy.day_of(transaction.now))
        entry = next((entry for entry in ledger.entries if entry.claim.claim_id == row["_id"]), None)
        if entry is not None and entry.use is not None:
            raise Problem(CONFLICT, f"these credits renewed {entry.use.certification} on {spoken(entry.use.on)}")

    async def withdraw(self, call: Call[SubmissionPath]) -> None:
        policy = await self._policy(call)

        async def work(transaction: Transaction) -> None:
            row = await self._mine(transaction, policy, call.path)
            if row["state"] == "withdrawn":
                return
            if row["state"] != "pending" or row["origin"] != "claim":
                raise Problem(CONFLICT, f"it is {row['state']}; only a pending claim can be withdrawn")
            row["state"] = "withdrawn"
            await self._submissions.change(transaction, [(row, None)])
            await self._evidence.release(transaction.session, row["evidence"], transaction.now)

        await self._unit_of_work.run(work)

    async def _mine(self, transaction: Transaction, policy: Program, path: SubmissionPath) -> Document:
        row = await self._store.get(policy.id, path.submission_id, transaction.session)
        if row is None or row["candidate_id"] not in await self._certs.accounts(policy.id, path.candidate_id):
            raise Problem(NOT_FOUND)
        return row

    async def _policy(self, call: Call[Any, Any, Any]) -> Program:
        return await self._policies.entered(call.principal, call.path.program, call.path.candidate_id)

    def _today(self, policy: Program) -> date:
        return policy.day_of(self._clock.now())

    def _check_completion(self, policy: Program, day: date) -> None:
        if not EARLIEST <= day <= self._today(policy):
            raise invalid("body.completed_on", "day", f"must lie between {spoken(EARLIEST)} and today")

    def _check_hold(self, policy: Program, until: date | None) -> None:
        if until is None:
            return
        rules = policy.policy.credits
        if rules is None or not rules.may_be_held:
            raise invalid("body.held_until", "not_allowed", f"{policy.name} lets no credits be held")
        today = self._today(policy)
        if not today < until <= today + LONGEST_HOLD:
            raise invalid("body.held_until", "day", "must be a day to come, within ten years")

    @staticmethod
    def _check_credits(rules: CreditRules, body: CreditClaim, today: date) -> None:
        deadline = add_days(body.completed_on, rules.claim_within_days)
        if today > deadline:
            text = f"credits are claimed within {rules.claim_within_days} days: that was until {spoken(deadline)}"
            raise invalid("body.completed_on", "too_late", text)
        known = rules.items.get(body.item)
        if known is not None and body.credits != known.credits:
            raise invalid("body.credits", "other_value", f"{known.title} gives {known.credits} credits")


def _check_delivery(rules: CourseRules, body: CourseClaim) -> None:
    if body.delivery not in rules.claimed:
        claimed = ", ".join(sorted(rules.claimed))
        raise invalid(
            "body.delivery", "not_claimed", f"must be one of {claimed}; others are reported by their provider"
        )
