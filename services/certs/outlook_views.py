"""What the outlook API takes and gives, and how the engine's answers become that."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from libs.common.events.types import Code, Identifier
from libs.common.http.models import Body, Day, View
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.certs.domain.comparison import Difference, Side
from services.certs.domain.explanation import explained
from services.certs.domain.history import HistoryKind, Line
from services.certs.domain.progress import Progress
from services.certs.domain.renewals import Renewal
from services.certs.domain.standing import CertificationStanding, Standing
from services.certs.domain.whatif import WhatIf
from services.certs.views import SideView

MOST_ASSUMPTIONS = 20
MOST_CASES = 200


class PassInHandView(View):
    exam: str
    passed_on: date
    counts_through: date | None
    """Last day on which it can complete the requirement; null where it has none."""


class MissingView(View):
    """One thing still needed: `n` of what is named."""

    n: int
    exams: list[str]
    certifications: list[str]
    text: str


class GoalView(View):
    certification: str
    in_hand: list[PassInHandView]
    missing: list[MissingView]
    clause: str
    text: str


class ProgressView(View):
    """What is missing for each certification that is not held; those with a pass in hand first."""

    as_of: date
    goals: list[GoalView]


class ClauseView(View):
    """A fact, the clause of the program that gave it effect, and where that clause is written."""

    fact: str
    clause: str
    text: str
    file: str
    line: int
    wording: str


class StandingView(View):
    certification: str
    title: str
    status: str
    earned_on: date
    expires_on: date | None
    text: str
    because: list[ClauseView]


class SeenView(View):
    """What a verifier would have seen on a day: by what was known then, under the policy in force then."""

    candidate_id: str
    program: str
    as_of: date
    policy_version: int
    certifications: list[StandingView]


class AssumptionBody(Body):
    """A pass of an exam, credits claimed and validated, or a claim of the candidate's validated, on a day."""

    on: Annotated[Day | None, Field(description="Today unless given")] = None
    exam: Code | None = None
    credits: Annotated[int | None, Field(ge=1, le=1_000)] = None
    submission: Annotated[Identifier | None, Field(description="A claim of credits that is there already")] = None
    held_until: Annotated[
        Day | None, Field(description="Hold the credits until this day: they renew nothing before")
    ] = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "AssumptionBody":
        if sum(each is not None for each in (self.exam, self.credits, self.submission)) != 1:
            raise ValueError("give one of exam, credits and submission")
        if self.exam is not None and self.held_until is not None:
            raise ValueError("held_until belongs to credits")
        return self


class WhatIfBody(Body):
    assume: Annotated[list[AssumptionBody], Field(min_length=1, max_length=MOST_ASSUMPTIONS)]


class DifferenceView(View):
    certification: str
    kind: Literal["gained", "lost", "moved", "changed"]
    before: SideView | None
    after: SideView | None
    text: str


class WarningView(View):
    """A certification that would be renewed although it has time left, which is then lost."""

    certification: str
    days_given_up: int
    text: str


class OutcomeView(SideView):
    """A certification as it would be on the day of the last assumption."""

    certification: str


class WhatIfView(View):
    as_of: date
    changes: list[DifferenceView]
    """Against that day without the assumptions."""
    warnings: list[WarningView]
    outcome: list[OutcomeView]


class ExamOptionView(View):
    exam: str
    title: str
    expires_on: date | None
    also_renews: list[str]
    fee: int | None
    """In `currency`; null where it is not known."""


class WayView(View):
    """One of the program's ways to renew, as far as it is left to go."""

    exams: list[list[str]]
    """Exams still needed, a different one from each list, the cheapest first."""
    credits: int
    fee: int | None
    clause: str
    text: str


class RenewalView(View):
    """How a certification can be renewed today: the cheapest first, then the least demanding."""

    certification: str
    expires_on: date
    exams: list[ExamOptionView]
    credits: int | None
    """Credits that alone would renew it; null where credits do not."""
    ways: list[WayView]


class RenewalsView(View):
    as_of: date
    currency: str | None
    """Of all fees (ISO 4217); null where the program states none."""
    renewals: list[RenewalView]


class LineView(View):
    """Something that happened to a certification."""

    on: date
    """The day it took effect."""
    certification: str
    kind: HistoryKind
    expires_on: date | None
    """Last active day from then on; null where it never expires, and for decisions."""
    known_at: datetime
    withdrawn_at: datetime | None
    """When it turned out otherwise; it was true for whoever looked before."""
    text: str


class HistoryView(View):
    """Newest effect first."""

    candidate_id: str
    lines: list[LineView]


class FlagView(View):
    code: str
    fact: str
    text: str


class FlaggedView(View):
    """A candidate of whom something was kept that did not take its usual effect."""

    candidate_id: str
    flags: list[FlagView]


class SimulationBody(Body):
    """Histories in the form of `certrail simulate`."""

    cases: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_CASES)]


class SimulationView(View):
    answers: list[dict[str, Any]]


def goal_view(goal: Progress) -> GoalView:
    return GoalView(
        certification=goal.certification,
        in_hand=[
            PassInHandView(exam=each.code, passed_on=each.passed_on, counts_through=each.counts_through)
            for each in goal.in_hand
        ],
        missing=[
            MissingView(n=each.n, exams=list(each.exams), certifications=list(each.certifications), text=each.text)
            for each in goal.missing
        ],
        clause=goal.clause,
        text=goal.sentence,
    )


def renewal_view(found: Renewal) -> RenewalView:
    return RenewalView(
        certification=found.certification,
        expires_on=found.expires_on,
        exams=[
            ExamOptionView(
                exam=each.exam,
                title=each.title,
                expires_on=each.expires_on,
                also_renews=list(each.also_renews),
                fee=each.fee,
            )
            for each in found.exams
        ],
        credits=found.credits,
        ways=[
            WayView(
                exams=[list(choice) for choice in way.exams],
                credits=way.credits,
                fee=way.fee,
                clause=way.clause,
                text=way.text,
            )
            for way in found.ways
        ],
    )


def history_view(candidate_id: str, lines: Iterable[Line]) -> HistoryView:
    return HistoryView(
        candidate_id=candidate_id,
        lines=[
            LineView(**line.happening._asdict(), known_at=line.known_at, withdrawn_at=line.withdrawn_at, text=line.text)
            for line in lines
        ],
    )


class FollowingView(View):
    """What something would change, before it is decided."""

    as_of: date
    """The day it is judged on: today, or the later day from which it counts."""
    changes: list[DifferenceView]


def what_if_view(found: WhatIf) -> WhatIfView:
    return WhatIfView(
        as_of=found.as_of,
        changes=[difference_view(each) for each in found.differences],
        warnings=[
            WarningView(certification=each.certification, days_given_up=each.days_given_up, text=each.text)
            for each in found.warnings
        ],
        outcome=[
            OutcomeView(
                certification=each.certification,
                status=each.status,
                earned_on=each.earned_on,
                expires_on=each.expires_on,
            )
            for each in found.after.certifications.values()
        ],
    )


def difference_view(each: Difference) -> DifferenceView:
    return DifferenceView(
        certification=each.certification,
        kind=each.kind,
        before=_side(each.before),
        after=_side(each.after),
        text=each.because,
    )


def _side(side: Side | None) -> SideView | None:
    if side is None:
        return None
    return SideView(status=side.status, earned_on=side.earned_on, expires_on=side.expires_on)


def seen_view(candidate_id: str, policy: Program, standing: Standing) -> SeenView:
    return SeenView(
        candidate_id=candidate_id,
        program=policy.id,
        as_of=standing.as_of,
        policy_version=policy.version,
        certifications=[standing_view(policy, each) for each in standing.certifications.values()],
    )


def standing_view(policy: Program, entry: CertificationStanding) -> StandingView:
    return StandingView(
        certification=entry.certification,
        title=entry.title,
        status=entry.status,
        earned_on=entry.earned_on,
        expires_on=entry.expires_on,
        text=entry.sentence,
        because=[ClauseView(**reason._asdict()) for reason in explained(policy, entry)],
    )


def flagged_view(row: Document) -> FlaggedView:
    return FlaggedView(candidate_id=row["_id"], flags=[FlagView.model_validate(flag) for flag in row["flags"]])
