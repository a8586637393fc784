"""What a mail is, before it is written: its kind, its reader and its facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

SENT_TO = "sent_to"
"""Where a mail goes that does not go to its recipient's address. It leaves the log with the token."""

TOKEN = "token"  # noqa: S105 the name of a fact, not a secret
"""The fact that opens an account. It leaves the log as soon as the mail is settled."""


class Template(StrEnum):
    """The kinds of mail."""

    ACTIVATION = "activation"
    RECOVERY = "recovery"
    SESSION_ENDED = "session_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 the name of a mail
    EMAIL_CONFIRMATION = "email_confirmation"
    EMAIL_CHANGED = "email_changed"
    SECOND_FACTOR_CHANGED = "second_factor_changed"
    EXAM_PASSED = "exam_passed"
    EXAM_FAILED = "exam_failed"
    RESULT_CHANGED = "result_changed"
    RESULT_WITHDRAWN = "result_withdrawn"
    CERTIFICATION_AWARDED = "certification_awarded"
    CERTIFICATION_RENEWED = "certification_renewed"
    CERTIFICATION_EXPIRING = "certification_expiring"
    CERTIFICATION_EXPIRED = "certification_expired"
    CERTIFICATION_REVOKED = "certification_revoked"
    CREDITS_RECORDED = "credits_recorded"
    SUBMISSION_ACCEPTED = "submission_accepted"
    SUBMISSION_REJECTED = "submission_rejected"
    MILESTONE_REACHED = "milestone_reached"
    CERTIFICATION_SUSPENDED = "certification_suspended"
    CERTIFICATION_REINSTATED = "certification_reinstated"
    CASE_OPENED = "case_opened"
    CASE_MESSAGE = "case_message"
    CASE_ACCEPTED = "case_accepted"
    CASE_REFUSED = "case_refused"
    RESULT_LATE = "result_late"
    RESULT_ARRIVED = "result_arrived"
    RESULT_NOT_AWAITED = "result_not_awaited"
    CHALLENGE_OPENED = "challenge_opened"
    CHALLENGE_MESSAGE = "challenge_message"
    CHALLENGE_DECIDED = "challenge_decided"
    STAFF_INVITATION = "staff_invitation"
    STAFF_RECOVERY = "staff_recovery"
    EXPORT_READY = "export_ready"
    ERASURE_REQUESTED = "erasure_requested"
    ERASURE_CANCELLED = "erasure_cancelled"
    ERASED = "erased"
    VOUCHER_ASSIGNED = "voucher_assigned"
    VENDOR_PROFILE_PROBLEM = "vendor_profile_problem"
    GIFT_OFFERED = "gift_offered"
    ORDER_PLACED = "order_placed"
    ORDER_SHIPPED = "order_shipped"
    ORDER_RETURNED = "order_returned"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_LATE = "order_late"
    PAYMENT_CONFIRMED = "payment_confirmed"
    PAYMENT_REFUNDED = "payment_refunded"
    DIGEST = "digest"
    NEWS = "news"


STAFF = frozenset({Template.STAFF_INVITATION, Template.STAFF_RECOVERY})
"""Mails to those who work for a program; all others are to candidates."""

MARKETING = frozenset({Template.NEWS})
"""Mails that only those get who have agreed to marketing, and that offer a way out at once (RFC 8058)."""

KINDS: Mapping[Template, str] = {
    Template.EXAM_PASSED: "results",
    Template.EXAM_FAILED: "results",
    Template.RESULT_CHANGED: "results",
    Template.CERTIFICATION_EXPIRING: "reminders",
    Template.MILESTONE_REACHED: "milestones",
    Template.CREDITS_RECORDED: "credits",
}
"""The kinds that candidates choose among, by the names that identity gives them. Mails of no kind are always sent."""


class About(NamedTuple):
    """What a mail is about, and at which of its states: a later word about the same makes the mail untrue."""

    key: str
    order: int
    """Grows from one word to the next."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one candidate, before it is written."""

    template: Template
    candidate_id: str
    """Of staff, the id of their account."""
    context: Mapping[str, Any]
    """What its text states beside names; dates as ISO 8601 text."""
    about: About | None = None
