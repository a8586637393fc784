"""What a candidate or a provider submits, a course or credits, and the fact that it makes in each of its states."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.certs.domain.facts import ClaimStatus, CourseFact, CreditFact

SubmissionKind = Literal["credits", "course"]
Origin = Literal["claim", "report"]
SubmissionState = Literal["unmatched", "pending", "accepted", "rejected", "withdrawn"]

REPORTED = "open_enrolment"
"""Delivery of a course that its provider reports: it counts by itself, without a claim."""

_STATUS: dict[SubmissionState, ClaimStatus] = {
    "pending": "pending",
    "accepted": "validated",
    "rejected": "rejected",
    "withdrawn": "rejected",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A claim or a report, as far as an evaluation needs it; days are of the program's calendar."""

    submission_id: str
    kind: SubmissionKind
    origin: Origin
    item: str
    completed_on: date
    state: SubmissionState
    submitted_on: date
    credits: int | None = None
    level: str | None = None
    track: str | None = None
    delivery: str | None = None
    decided_on: date | None = None
    held_until: date | None = None


def fact_of(submission: Submission, told_at: datetime) -> CreditFact | CourseFact | None:
    """The fact that a submission is from `told_at` on.

    None where it cannot be one yet: nobody knows whose it is, how many credits it gives, or what a course renews.
    """
    if submission.state == "unmatched":
        return None
    return _credit(submission, told_at) if submission.kind == "credits" else _course(submission, told_at)


def _credit(submission: Submission, told_at: datetime) -> CreditFact | None:
    if submission.credits is None:
        return None
    return CreditFact(
        claim_id=submission.submission_id,
        credits=submission.credits,
        completed_on=submission.completed_on,
        status=_STATUS[submission.state],
        known_at=told_at,
        # The deadline is for those who claim; what a provider reports has none.
        submitted_on=submission.submitted_on if submission.origin == "claim" else None,
        validated_on=submission.decided_on,
        item=submission.item,
        held_until=submission.held_until,
    )


def _course(submission: Submission, told_at: datetime) -> CourseFact | None:
    if submission.level is None or submission.track is None:
        return None
    return CourseFact(
        course_id=submission.submission_id,
        code=submission.item,
        level=submission.level,
        track=submission.track,
        last_day=submission.completed_on,
        delivery=submission.delivery or REPORTED,
        known_at=told_at,
        submitted_on=submission.submitted_on if submission.origin == "claim" else None,
        approved_on=submission.decided_on if submission.state == "accepted" else None,
        rejected=submission.state in {"rejected", "withdrawn"},
    )
