"""Events of the exams service: registrations and what came of them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from libs.common.events.audit import Seal
from libs.common.events.personal_data import Part
from libs.common.events.registry import EventData
from libs.common.events.types import PERSONAL, Code, Identifier, Line, Moment, PartnerId, Remark
from libs.common.events.vendors import Score


class ExamScheduled(EventData, publisher="exams"):
    """A candidate has an appointment."""

    candidate_id: Identifier
    registration_id: PartnerId
    exam_code: Code
    delivery: Literal["test_center", "online"]
    scheduled_at: Moment
    site: Line | None = None


class ExamAppointmentChanged(EventData, publisher="exams"):
    """An appointment was moved, cancelled or missed."""

    candidate_id: Identifier
    registration_id: PartnerId
    exam_code: Code
    change: Literal["rescheduled", "cancelled", "no_show"]
    scheduled_at: Moment
    reason: Literal["nda_refused"] | None = None
    """Of a `no_show`: the person came and did not agree to the rules of the exam."""


class _Outcome(EventData):
    candidate_id: Identifier
    result_id: Identifier
    revision: Annotated[int, Field(ge=1)]
    registration_id: PartnerId
    exam_code: Code
    taken_on: date
    """The local date at the place of delivery: the one that counts for every rule."""
    taken_at: Moment
    known_at: Moment
    """When Certrail first knew this revision."""


class ExamPassed(_Outcome, publisher="exams"):
    """A final pass, told for the first time."""

    score: Score | None = None
    passing_score: Score | None = None


class ExamFailed(_Outcome, publisher="exams"):
    """A final fail, told for the first time."""

    score: Score | None = None
    passing_score: Score | None = None


class _Change(_Outcome):
    said_by: Literal["vendor", "staff"] = "vendor"
    """Whose word it rests on."""
    challenge_id: Identifier | None = None
    """The challenge by whose decision it is so."""


class ExamResultRevised(_Change, publisher="exams"):
    """A result that was told before has changed; it now reads as this event says."""

    grade: Literal["pass", "fail", "pending"]
    previous_grade: Literal["pass", "fail", "pending", "invalidated"]
    score: Score | None = None
    passing_score: Score | None = None


class ExamResultInvalidated(_Change, publisher="exams"):
    """A result is void, with effect back to the day it was taken."""

    previous_grade: Literal["pass", "fail", "pending", "invalidated"] | None = None


class ExamResultUnmatched(EventData, publisher="exams"):
    """A result has waited longer than usual for a candidate."""

    result_id: Identifier
    vendor: Identifier
    vendor_candidate_id: PartnerId
    exam_code: Code
    received_at: Moment


class VoucherAssigned(EventData, publisher="exams"):
    """A code to pay an exam with is a candidate's from now on. The code itself is told nobody by an event."""

    candidate_id: Identifier
    voucher_id: Identifier
    kind: Literal["voucher", "access_code"]
    vendor: Identifier
    exams: Annotated[tuple[Code, ...], Field(max_length=100, strict=False)] = ()
    """Empty for any exam of the program."""
    value: Line | None = None
    valid_until: date | None = None
    """The last day."""


class RetakeBreach(BaseModel):
    """A rule of the program about retakes that an attempt broke."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    rule: Literal["after_fail", "after_pass", "limit"]
    clause: Line
    """Where the program's definition states it."""
    allowed_from: date
    """The first day on which the rule would have allowed the attempt."""


class ExamRetakeFlagged(EventData, publisher="exams"):
    """An attempt came sooner, or oftener, than the program allows; staff are to review it."""

    candidate_id: Identifier
    result_id: Identifier
    registration_id: PartnerId | None
    exam_code: Code
    taken_on: date
    breaches: Annotated[tuple[RetakeBreach, ...], Field(min_length=1, strict=False)]


class _Challenge(EventData):
    candidate_id: Identifier
    challenge_id: Identifier
    result_id: Identifier
    exam_code: Code
    taken_on: date


class ChallengeOpened(_Challenge, publisher="exams"):
    """A candidate challenges a result; what they say stands in the challenge alone."""

    ground: Code
    """`score`, `conditions`, `integrity`, `not_mine` or `other`; more may come."""
    due_on: date
    """The last day on which it is decided in time."""
    opened_at: Moment


class ChallengeMessageWritten(_Challenge, publisher="exams"):
    """Staff have written to a candidate; what they wrote stands in the challenge alone."""

    needs_answer: bool
    """Whether the challenge waits for the candidate."""
    written_at: Moment


class ChallengeDecided(_Challenge, publisher="exams"):
    """A challenge is decided. Where that changes the result, an event of the result says so too."""

    decision: Literal["upheld", "changed", "refused"]
    """`upheld`: the result stands; `refused`: it was not to be decided."""
    reason: Annotated[Remark, Field(json_schema_extra=PERSONAL)]
    """Of staff, for the candidate."""
    previous_grade: Literal["pass", "fail", "invalidated"]
    previous_score: Score | None = None
    grade: Literal["pass", "fail", "invalidated"]
    """As it is by the decision."""
    score: Score | None = None
    decided_at: Moment


class PersonalDataPart(Part, publisher="exams"):
    """A part of what exams holds about the person of an export."""


class AuditSealed(Seal, publisher="exams"):
    """How far the audit log of exams has come, and the hash of its last record."""


class _Awaited(EventData):
    candidate_id: Identifier
    vendor: Identifier
    registration_id: PartnerId
    exam_code: Code
    scheduled_at: Moment
    times: Annotated[int, Field(ge=1)]
    """How often a result of this appointment has become late, with this time: each is a matter of its own."""


class ExamResultLate(_Awaited, publisher="exams"):
    """The vendor has not reported within the program's promise."""

    taken_on: date
    """The day of the appointment at its place, where that is known, or else in the program's calendar."""
    due_on: date
    """The last day of the promise."""


class ExamResultOverdue(_Awaited, publisher="exams"):
    """A late result has still not come by the day on which the program calls it overdue."""

    due_on: date
    overdue_on: date
    """The last day before that."""


class ExamResultArrived(_Awaited, publisher="exams"):
    """The vendor has reported on an appointment whose result was late."""


class ExamResultNotAwaited(_Awaited, publisher="exams"):
    """What was told as late is not waited for any more."""

    reason: Literal["cancelled", "no_show", "rescheduled", "reassigned"]
    """`reassigned`: the appointment turned out to be another candidate's."""


class ProfileProblem(BaseModel):
    """Why a vendor cannot take something of a candidate's profile."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    field: Code
    """Of the profile, like `family_name` or `address.city`."""
    code: Code
    """`letters`, `too_long` or `missing`; more may come."""
    reason: Annotated[Remark, Field(json_schema_extra=PERSONAL)]
    """What is wrong, in a sentence for the candidate."""


class VendorProfileProblemFound(EventData, publisher="exams"):
    """A vendor cannot be told who a candidate is before they have changed something."""

    candidate_id: Identifier
    vendor: Identifier
    vendor_name: Line
    problems: Annotated[tuple[ProfileProblem, ...], Field(min_length=1, max_length=50, strict=False)]
    """All that is wrong now, in place of what was said before."""
    found_at: Moment


class VendorProfileProblemSolved(EventData, publisher="exams"):
    """Nothing keeps a vendor any more from being told who a candidate is; it is told with the next file."""

    candidate_id: Identifier
    vendor: Identifier
    vendor_name: Line
    solved_at: Moment
