"""What identity tells: ways in, changes to the account, cases, and the rights of people over their data."""

from collections.abc import Callable, Mapping
from typing import Any

from libs.common.events import EventData, identity
from libs.common.programs import Program
from services.notify.domain.causes.names import exam_name
from services.notify.domain.mails import SENT_TO, TOKEN, Mail, Template


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


def _case_opened(data: identity.CaseOpened, program: Program) -> Mail | None:
    if data.by_itself and data.kind == "kit":
        return None  # what became of the parcel is told by a mail already
    if data.by_itself and data.exam_code is not None and data.promised_on is not None:
        about = {"exam": exam_name(data.exam_code, program), "promised_on": data.promised_on.isoformat()}
        return Mail(Template.RESULT_LATE, data.candidate_id, _case(data) | about | {"due_on": data.due_on.isoformat()})
    return Mail(Template.CASE_OPENED, data.candidate_id, _case(data) | {"due_on": data.due_on.isoformat()})


def _case_message(data: identity.CaseMessageWritten, _program: Program) -> Mail:
    return Mail(Template.CASE_MESSAGE, data.candidate_id, _case(data) | {"needs_answer": data.needs_answer})


def _case_decided(data: identity.CaseDecided, _program: Program) -> Mail:
    template = Template.CASE_ACCEPTED if data.decision == "accepted" else Template.CASE_REFUSED
    return Mail(template, data.candidate_id, _case(data) | {"reason": data.reason})


def _case_settled(data: identity.CaseSettled, program: Program) -> Mail:
    template = Template.RESULT_ARRIVED if data.outcome == "arrived" else Template.RESULT_NOT_AWAITED
    about = {"exam": exam_name(data.exam_code, program), "reason": data.reason}
    return Mail(template, data.candidate_id, _case(data) | about)


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


WRITERS: Mapping[type[EventData], Callable[[Any, Program], Mail | None]] = {
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
}
