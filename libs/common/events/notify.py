"""Events of the notify service: what was written to whom."""

from typing import Literal

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
    """The mail server has refused a message for good, or it came back after it was sent."""

    candidate_id: Identifier
    message_id: Line
    template: Identifier
    reason: Line
    refused_at: Moment


class EmailSuppressed(EventData, publisher="notify"):
    """Nothing more is sent to a candidate's address until they give another one, or staff say so."""

    candidate_id: Identifier
    reason: Literal["bounced", "complained"]
    message_id: Line | None = None
    """The mail over which it came to that."""
    suppressed_at: Moment


class EmailRestored(EventData, publisher="notify"):
    """Mails are sent to a candidate's address again."""

    candidate_id: Identifier
    restored_at: Moment


class NewsUnsubscribed(EventData, publisher="notify"):
    """A candidate wants no more news, and said so by the link that mail programs use (RFC 8058)."""

    candidate_id: Identifier
    message_id: Line
    unsubscribed_at: Moment


class PersonalDataPart(Part, publisher="notify"):
    """A part of what notify holds about the person of an export."""


class AuditSealed(Seal, publisher="notify"):
    """How far the audit log of notify has come, and the hash of its last record."""
