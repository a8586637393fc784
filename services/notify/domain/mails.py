"""Which mail an event calls for, and the few facts that it states.

A mail says less than the event knows: a mailbox is no safe place, so scores stay behind the login.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from libs.common.events import EventData, certs, exams, identity
from libs.common.programs import Program

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


STAFF = frozenset({Template.STAFF_INVITATION, Template.STAFF_RECOVERY})
"""Mails to those who work for a program; all others are to candidates."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one candidate, before it is written."""

    template: Template
    candidate_id: str
    """Of staff, the id of their account."""
    context: Mapping[str, Any]
    """What its text states beside names; dates as ISO 8601 text."""


def mail_for(data: EventData, program: Program) -> Mail | None:
    """The mail that an event calls for; None where another event of the same cause calls for it.

    Raises:
        TypeError: for a kind of event that never calls for one.
    """
    write = _WRITERS.get(type(data))
    if write is None:
        raise TypeError(f"no mail is sent for {type(data).__name__}")
    return write(data, program)


def _access(data: identity.AccessRequested, _program: Program) -> Mail:
    context = {TOKEN: data.token, "expires_at": data.expires_at}
    return Mail(Template(data.reason), data.candidate_id, context)


def _staff(data: identity.StaffInvited, _program: Program) -> Mail:
    context = {TOKEN: data.token, "expires_at": data.expires_at}
    return Mail(Template(f"staff_{data.reason}"), data.staff_id, context)


def _session_ended(data: identity.SessionsRevoked, _program: Program) -> Mail:
    return Mail(Template.SESSION_ENDED, data.candidate_id, {"revoked_at": data.revoked_at})


def _password(data: identity.PasswordChanged, _program: Program) -> Mail:
    return Mail(Template.PASSWORD_CHANGED, data.candidate_id, {"changed_at": data.changed_at})


def _email_confirmation(data: identity.EmailChangeRequested, _program: Program) -> Mail:
    context = {TOKEN: data.token, SENT_TO: data.email, "expires_at": data.expires_at}
    return Mail(Template.EMAIL_CONFIRMATION, data.candidate_id, context)


def _email_changed(data: identity.EmailChanged, _program: Program) -> Mail:
    context = {SENT_TO: data.former_email, "changed_at": data.changed_at}
    return Mail(Template.EMAIL_CHANGED, data.candidate_id, context)


def _second_factor(data: identity.SecondFactorChanged, _program: Program) -> Mail:
    context = {"state": data.state, "changed_at": data.changed_at}
    return Mail(Template.SECOND_FACTOR_CHANGED, data.candidate_id, context)


def _case_opened(data: identity.CaseOpened, program: Program) -> Mail:
    if data.by_itself and data.exam_code is not None and data.promised_on is not None:
        about = {"exam": _exam_name(data.exam_code, program), "promised_on": data.promised_on.isoformat()}
        return Mail(Template.RESULT_LATE, data.candidate_id, _case(data) | about | {"due_on": data.due_on.isoformat()})
    return Mail(Template.CASE_OPENED, data.candidate_id, _case(data) | {"due_on": data.due_on.isoformat()})


def _case_message(data: identity.CaseMessageWritten, _program: Program) -> Mail:
    return Mail(Template.CASE_MESSAGE, data.candidate_id, _case(data) | {"needs_answer": data.needs_answer})


def _case_decided(data: identity.CaseDecided, _program: Program) -> Mail:
    template = Template.CASE_ACCEPTED if data.decision == "accepted" else Template.CASE_REFUSED
    return Mail(template, data.candidate_id, _case(data) | {"reason": data.reason})


def _case_settled(data: identity.CaseSettled, program: Program) -> Mail:
    template = Template.RESULT_ARRIVED if data.outcome == "arrived" else Template.RESULT_NOT_AWAITED
    about = {"exam": _exam_name(data.exam_code, program), "reason": data.reason}
    return Mail(template, data.candidate_id, _case(data) | about)


def _exam_name(code: str, program: Program) -> str:
    exam = program.find_exam(code)
    return f"{exam.title} ({code})" if exam else code


def _case(
    data: identity.CaseOpened | identity.CaseMessageWritten | identity.CaseDecided | identity.CaseSettled,
) -> dict[str, Any]:
    return {"case_id": data.case_id, "reference": data.reference, "kind": data.kind}


def _export(data: identity.DataExportReady, _program: Program) -> Mail:
    return Mail(Template.EXPORT_READY, data.candidate_id, {"expires_at": data.expires_at})


def _erasure(data: identity.ErasureRequested, _program: Program) -> Mail:
    context = {"asked_by": data.asked_by, "due_at": data.due_at}
    return Mail(Template.ERASURE_REQUESTED, data.candidate_id, context)


def _no_erasure(data: identity.ErasureCancelled, _program: Program) -> Mail:
    return Mail(Template.ERASURE_CANCELLED, data.candidate_id, {"cancelled_at": data.cancelled_at})


def _erased(data: identity.CandidateErased, _program: Program) -> Mail:
    return Mail(Template.ERASED, data.candidate_id, {"erased_at": data.erased_at})


def _voucher(data: exams.VoucherAssigned, program: Program) -> Mail:
    context = {
        "exams": [_exam_name(code, program) for code in data.exams],
        "value": data.value,
        "valid_until": data.valid_until.isoformat() if data.valid_until else None,
    }
    return Mail(Template.VOUCHER_ASSIGNED, data.candidate_id, context)


def _vendor_problem(data: exams.VendorProfileProblemFound, _program: Program) -> Mail:
    reasons = [problem.reason for problem in data.problems]
    return Mail(Template.VENDOR_PROFILE_PROBLEM, data.candidate_id, {"vendor": data.vendor_name, "reasons": reasons})


def _exam(template: Template) -> Callable[[Any, Program], Mail]:
    def write(data: exams.ExamPassed | exams.ExamFailed, program: Program) -> Mail:
        return Mail(template, data.candidate_id, _attempt(data, program))

    return write


def _revision(data: exams.ExamResultRevised, program: Program) -> Mail | None:
    if data.challenge_id is not None:  # its decision is told, and says as much
        return None
    grades = {"grade": data.grade, "previous_grade": data.previous_grade, "said_by": data.said_by}
    return Mail(Template.RESULT_CHANGED, data.candidate_id, _attempt(data, program) | grades)


def _invalidation(data: exams.ExamResultInvalidated, program: Program) -> Mail | None:
    if data.challenge_id is not None:
        return None
    return Mail(Template.RESULT_WITHDRAWN, data.candidate_id, _attempt(data, program) | {"said_by": data.said_by})


def _challenge_opened(data: exams.ChallengeOpened, program: Program) -> Mail:
    context = _attempt(data, program) | {"due_on": data.due_on.isoformat()}
    return Mail(Template.CHALLENGE_OPENED, data.candidate_id, context)


def _challenge_message(data: exams.ChallengeMessageWritten, program: Program) -> Mail:
    context = _attempt(data, program) | {"needs_answer": data.needs_answer}
    return Mail(Template.CHALLENGE_MESSAGE, data.candidate_id, context)


def _challenge_decided(data: exams.ChallengeDecided, program: Program) -> Mail:
    decided = {"decision": data.decision, "reason": data.reason}
    grades = {"grade": data.grade, "previous_grade": data.previous_grade}
    return Mail(Template.CHALLENGE_DECIDED, data.candidate_id, _attempt(data, program) | decided | grades)


def _attempt(data: Any, program: Program) -> dict[str, Any]:
    return {"exam": _exam_name(data.exam_code, program), "taken_on": data.taken_on.isoformat()}


def _certification(template: Template) -> Callable[[Any, Program], Mail]:
    def write(data: certs.CertificationAwarded, _program: Program) -> Mail:
        return Mail(template, data.candidate_id, _holding(data))

    return write


def _award(data: certs.CertificationAwarded, program: Program) -> Mail:
    certification = program.certifications.get(data.certification)
    kit = certification is not None and "initial_kit" in certification.entitlements
    return Mail(Template.CERTIFICATION_AWARDED, data.candidate_id, _holding(data) | {"kit": kit})


def _reminder(data: certs.CertificationExpiring, _program: Program) -> Mail:
    context = _holding(data) | {"days_left": data.days_left}
    return Mail(Template.CERTIFICATION_EXPIRING, data.candidate_id, context)


def _credits(data: certs.CreditsRecorded, _program: Program) -> Mail | None:
    if data.origin == "claim":  # its decision is told, and says as much
        return None
    return Mail(Template.CREDITS_RECORDED, data.candidate_id, _item(data) | {"credits": data.credits})


def _decision(data: certs.CourseSubmissionDecided, _program: Program) -> Mail:
    template = Template.SUBMISSION_ACCEPTED if data.decision == "accepted" else Template.SUBMISSION_REJECTED
    return Mail(template, data.candidate_id, _item(data) | {"reason": data.reason})


def _item(data: certs.CreditsRecorded | certs.CourseSubmissionDecided) -> dict[str, Any]:
    return {"title": data.title, "completed_on": data.completed_on.isoformat()}


def _milestone(data: certs.MilestoneReached, _program: Program) -> Mail:
    context = {
        "title": data.title,
        "years": data.years,
        "since": data.since.isoformat(),
        "reached_on": data.reached_on.isoformat(),
    }
    return Mail(Template.MILESTONE_REACHED, data.candidate_id, context)


def _holding(data: Any) -> dict[str, Any]:
    return {
        "title": data.title,
        "earned_on": data.earned_on.isoformat(),
        "expires_on": data.expires_on.isoformat() if data.expires_on else None,
        "because": data.because,
    }


_WRITERS: Mapping[type[EventData], Callable[[Any, Program], Mail | None]] = {
    identity.AccessRequested: _access,
    identity.StaffInvited: _staff,
    identity.SessionsRevoked: _session_ended,
    identity.PasswordChanged: _password,
    identity.EmailChangeRequested: _email_confirmation,
    identity.EmailChanged: _email_changed,
    identity.SecondFactorChanged: _second_factor,
    identity.CaseOpened: _case_opened,
    identity.CaseMessageWritten: _case_message,
    identity.CaseDecided: _case_decided,
    identity.CaseSettled: _case_settled,
    identity.DataExportReady: _export,
    identity.ErasureRequested: _erasure,
    identity.ErasureCancelled: _no_erasure,
    identity.CandidateErased: _erased,
    exams.ExamPassed: _exam(Template.EXAM_PASSED),
    exams.ExamFailed: _exam(Template.EXAM_FAILED),
    exams.ExamResultRevised: _revision,
    exams.ExamResultInvalidated: _invalidation,
    exams.ChallengeOpened: _challenge_opened,
    exams.ChallengeMessageWritten: _challenge_message,
    exams.ChallengeDecided: _challenge_decided,
    exams.VoucherAssigned: _voucher,
    exams.VendorProfileProblemFound: _vendor_problem,
    certs.CertificationAwarded: _award,
    certs.CertificationRenewed: _certification(Template.CERTIFICATION_RENEWED),
    certs.CertificationExpiring: _reminder,
    certs.CertificationExpired: _certification(Template.CERTIFICATION_EXPIRED),
    certs.CertificationRevoked: _certification(Template.CERTIFICATION_REVOKED),
    certs.CreditsRecorded: _credits,
    certs.CourseSubmissionDecided: _decision,
    certs.MilestoneReached: _milestone,
    certs.CertificationSuspended: _certification(Template.CERTIFICATION_SUSPENDED),
    certs.CertificationReinstated: _certification(Template.CERTIFICATION_REINSTATED),
}

MAIL_EVENTS = tuple(_WRITERS)
"""The events that call for a mail."""
