"""Events of the notify service: what was written to whom."""

from libs.common.events.audit import Seal
from libs.common.events.personal_data import Part
from libs.common.events.registry import EventData
from libs.common.events.types import Identifier, Line, Moment


class EmailSent(EventData, publisher="notify"):
    """The mail server has accepted a message."""

    candidate_id: Identifier
    message_id: Line
    template: Identifier
    accepted_at: Moment


class EmailBounced(EventData, publisher="notify"):
    """The mail server has refused a message for good."""

    candidate_id: Identifier
    message_id: Line
    template: Identifier
    reason: Line
    refused_at: Moment


class PersonalDataPart(Part, publisher="notify"):
    """A part of what notify holds about the person of an export."""


class AuditSealed(Seal, publisher="notify"):
    """How far the audit log of notify has come, and the hash of its last record."""
