"""Events of the certs service: what a candidate holds, and what was made of their claims."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from libs.common.events.audit import Seal
from libs.common.events.personal_data import Part
from libs.common.events.registry import EventData
from libs.common.events.types import PERSONAL, Code, Identifier, Line, PartnerId


class _Certification(EventData):
    candidate_id: Identifier
    certification: Code
    title: Line
    earned_on: date
    expires_on: date | None = None
    """Last active day; None where it never expires."""
    because: Annotated[str, Field(max_length=2000, json_schema_extra=PERSONAL)]
    """The reason as one plain sentence; of a decision of staff with their words."""


class CertificationAwarded(_Certification, publisher="certs"):
    """A candidate holds a certification they did not hold the moment before."""


class CertificationRenewed(_Certification, publisher="certs"):
    """A certification that is held now lasts longer, or was earned earlier, than was said."""


class CertificationExpiring(_Certification, publisher="certs"):
    """A reminder day of the program has come for a certification that was not renewed meanwhile."""

    days_left: Annotated[int, Field(ge=0, le=36_525)]
    """Whole days from the publisher's day to the last active day."""


class CertificationExpired(_Certification, publisher="certs"):
    """The last active day of a certification is over."""


class CertificationRevoked(_Certification, publisher="certs"):
    """What a certification rested on is void: it counts as never earned, or shorter than before.

    Or staff have revoked it: it counts for nothing from then on.
    """

    remains: bool = False
    """Whether it is held all the same, with the dates said here."""


class CertificationSuspended(_Certification, publisher="certs"):
    """Staff have set a certification aside; its dates run on, and it counts for nothing meanwhile."""


class CertificationReinstated(_Certification, publisher="certs"):
    """A certification that was suspended or revoked counts again, as far as its dates go."""


class MilestoneReached(EventData, publisher="certs"):
    """A candidate has held certifications of the program without a gap for so many years."""

    candidate_id: Identifier
    milestone: Code
    title: Line
    years: Annotated[int, Field(ge=1, le=100)]
    since: date
    """First day of the years without a gap."""
    reached_on: date


class AgreementAccepted(EventData, publisher="certs"):
    """A candidate has accepted a version of the program's certification agreement."""

    candidate_id: Identifier
    agreement: Code
    """The version of the text."""
    accepted_on: date


class CreditsRecorded(EventData, publisher="certs"):
    """Continuing-education credits count from now on: reported by a provider, or claimed and validated."""

    candidate_id: Identifier
    submission_id: Identifier
    item: PartnerId
    title: Line
    credits: Annotated[int, Field(ge=1, le=1000)]
    completed_on: date
    origin: Literal["claim", "report"]


class CourseSubmissionDecided(EventData, publisher="certs"):
    """What a candidate has claimed, a course or credits, was looked at and decided."""

    candidate_id: Identifier
    submission_id: Identifier
    item: PartnerId
    title: Line
    completed_on: date
    decision: Literal["accepted", "rejected"]
    reason: Annotated[str | None, Field(max_length=1000, json_schema_extra=PERSONAL)] = None
    """Why, in the words of who decided."""


class PersonalDataPart(Part, publisher="certs"):
    """A part of what certs holds about the person of an export."""


class AuditSealed(Seal, publisher="certs"):
    """How far the audit log of certs has come, and the hash of its last record."""


class TranscriptPublished(EventData, publisher="certs"):
    """A candidate has made a link that shows what they chose to whoever has it."""

    candidate_id: Identifier
    transcript_id: Identifier
    kind: Literal["live", "frozen"]
    """`live` shows the state as of now, `frozen` that of the day it was made."""
    valid_through: date
    """Last day of the link, as it was made; its owner may change it."""


class TranscriptWithdrawn(EventData, publisher="certs"):
    """A candidate has closed a link for good."""

    candidate_id: Identifier
    transcript_id: Identifier


class _Badge(EventData):
    candidate_id: Identifier
    credential_id: Identifier
    """Of the credential, as in its address."""
    certification: Code
    title: Line


class BadgeIssued(_Badge, publisher="certs"):
    """A credential was issued for an award or a renewal; a correction of one is not told."""

    earned_on: date
    expires_on: date | None = None
    """Last active day; None where it never expires."""


class BadgeWithdrawn(_Badge, publisher="certs"):
    """A credential was revoked for good. One that runs out by its own date is not told."""
