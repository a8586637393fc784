"""Events of the fulfillment service: what a candidate may have, and what was sent."""

from libs.common.events.audit import Seal
from libs.common.events.personal_data import Part
from libs.common.events.registry import EventData
from libs.common.events.types import Code, Identifier, Line, Moment


class BenefitOffered(EventData, publisher="fulfillment"):
    """A candidate may claim something: offered once, or again after it was withdrawn."""

    candidate_id: Identifier
    offer_id: Identifier
    benefit: Code
    title: Line
    certification: Code
    offered_at: Moment
    claim_until: Moment | None = None


class BenefitWithdrawn(EventData, publisher="fulfillment"):
    """What a candidate could have claimed, and has not, is no longer offered: what entitled to it was revoked."""

    candidate_id: Identifier
    offer_id: Identifier
    benefit: Code
    title: Line
    certification: Code
    withdrawn_at: Moment


class PersonalDataPart(Part, publisher="fulfillment"):
    """A part of what fulfillment holds about the person of an export."""


class AuditSealed(Seal, publisher="fulfillment"):
    """How far the audit log of fulfillment has come, and the hash of its last record."""
