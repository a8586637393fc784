"""What the API of claims takes and gives."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from libs.common.events.types import Code, Identifier, Line, PartnerId
from libs.common.http.models import Body, Day, View
from libs.common.mongo.client import Document
from services.certs.domain.credit_ledger import CreditEntry, CreditLedger, CreditState
from services.certs.domain.submissions import Origin, SubmissionKind, SubmissionState

MOST_EVIDENCE = 5

EvidenceIds = Annotated[list[Identifier], Field(max_length=MOST_EVIDENCE, description="Ids of uploaded files")]
Note = Annotated[str, Field(max_length=1000, description="Anything the reviewer should know")]
Credits = Annotated[int, Field(ge=1, le=1000)]


class CreditClaim(Body):
    """Continuing-education credits that a candidate has earned."""

    item: Annotated[PartnerId, Field(description="Code of the course, session or other item")]
    title: Line
    credits: Credits
    completed_on: Day
    held_until: Annotated[Day | None, Field(description="Keep them from renewing anything before this day")] = None
    evidence: EvidenceIds = Field(default=[])
    note: Note | None = None


class CourseClaim(Body):
    """A course that a candidate has attended, and that its provider does not report by itself."""

    course: Annotated[Code, Field(description="The course's code")]
    title: Line
    completed_on: Annotated[Day, Field(description="Last day of the course")]
    delivery: Annotated[str, Field(description="One of the program's deliveries that are claimed")]
    evidence: Annotated[EvidenceIds, Field(min_length=1)]
    note: Note | None = None


class HoldBody(Body):
    held_until: Annotated[Day | None, Field(description="Null lets the credits count at once")]


class AcceptanceBody(Body):
    """What a reviewer knows of a submission that it does not say itself."""

    candidate_id: Annotated[Identifier | None, Field(description="Whose it is, where that was not known")] = None
    credits: Annotated[Credits | None, Field(description="Where they were not known, or claimed wrongly")] = None
    level: Annotated[str | None, Field(max_length=40, description="Of a course: the level it renews")] = None
    track: Annotated[str | None, Field(max_length=200, description="Of a course: the track it renews")] = None


class ReviewDecision(AcceptanceBody):
    """A reviewer's word on a submission."""

    decision: Literal["accepted", "rejected"]
    reason: Annotated[str, Field(min_length=1, max_length=1000, description="The candidate reads it")] | None = None

    @model_validator(mode="after")
    def _rejection_says_why(self) -> "ReviewDecision":
        if self.decision == "rejected" and self.reason is None:
            raise ValueError("a rejection needs a reason")
        return self


class EvidenceView(View):
    evidence_id: str
    media_type: str
    bytes: int
    sha256: str


class SubmissionView(View):
    """A claim, or a course that a provider has reported."""

    submission_id: str
    kind: SubmissionKind
    origin: Origin
    state: SubmissionState
    item: str
    title: str
    completed_on: date
    submitted_at: datetime
    due_on: date
    """Last day of the program's promise to decide."""
    credits: int | None
    level: str | None
    track: str | None
    delivery: str | None
    held_until: date | None
    evidence: list[str]
    note: str | None
    decided_at: datetime | None
    reason: str | None


class ReviewView(SubmissionView):
    """The same with what only reviewers see."""

    candidate_id: str | None
    vendor: str | None
    reference: dict[str, str] | None
    """How the provider named the person, where nobody is known by that."""
    decided_by: str | None
    assignee: str | None
    """Who of staff is on it, by the subject of their tokens."""
    assignee_since: datetime | None
    overdue: bool
    pictures: list[str] | None = None
    """Of the evidence, what is an image; said of one that is asked for alone."""


class UseView(View):
    certification: str
    on: date


class CreditEntryView(View):
    """One claim or report of credits, and what has become of it."""

    submission_id: str
    item: str | None
    credits: int
    completed_on: date
    state: CreditState
    used_by: UseView | None
    text: str


class CreditsView(View):
    """The ledger of credits as of a day."""

    as_of: date
    level: str | None
    """The highest level held, which credits serve; null where nothing held can use any."""
    cycle_from: date | None
    cycle_until: date | None
    counting: int
    may_be_held: bool
    entries: list[CreditEntryView]


def submission_view(row: Document) -> SubmissionView:
    return SubmissionView.model_validate({**row, "submission_id": row["_id"]})


def review_view(row: Document, today: date, pictures: list[str] | None = None) -> ReviewView:
    overdue = row["state"] in {"pending", "unmatched"} and date.fromisoformat(row["due_on"]) < today
    taken = {name: row.get(name) for name in ("assignee", "assignee_since")}
    shown = {**row, **taken, "submission_id": row["_id"], "overdue": overdue, "pictures": pictures}
    return ReviewView.model_validate(shown)


def credits_view(ledger: CreditLedger, *, may_be_held: bool) -> CreditsView:
    return CreditsView(
        as_of=ledger.as_of,
        level=ledger.level,
        cycle_from=ledger.cycle_from,
        cycle_until=ledger.cycle_until,
        counting=ledger.counting,
        may_be_held=may_be_held,
        entries=[_entry(entry) for entry in ledger.entries],
    )


def _entry(entry: CreditEntry) -> CreditEntryView:
    return CreditEntryView(
        submission_id=entry.claim.claim_id,
        item=entry.claim.item,
        credits=entry.claim.credits,
        completed_on=entry.claim.completed_on,
        state=entry.state,
        used_by=UseView(certification=entry.use.certification, on=entry.use.on) if entry.use else None,
        text=entry.text,
    )
