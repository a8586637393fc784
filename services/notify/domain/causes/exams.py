"""What exams tells: results, challenges, vouchers, and what a vendor holds against a profile."""

from collections.abc import Callable, Mapping
from typing import Any

from libs.common.events import EventData, exams
from libs.common.programs import Program
from services.notify.domain.causes.names import exam_name
from services.notify.domain.mails import Mail, Template


def _voucher(data: exams.VoucherAssigned, program: Program) -> Mail:
    context = {
        "exams": [exam_name(code, program) for code in data.exams],
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
    return {"exam": exam_name(data.exam_code, program), "taken_on": data.taken_on.isoformat()}


WRITERS: Mapping[type[EventData], Callable[[Any, Program], Mail | None]] = {
    exams.ExamPassed: _exam(Template.EXAM_PASSED),
    exams.ExamFailed: _exam(Template.EXAM_FAILED),
    exams.ExamResultRevised: _revision,
    exams.ExamResultInvalidated: _invalidation,
    exams.ChallengeOpened: _challenge_opened,
    exams.ChallengeMessageWritten: _challenge_message,
    exams.ChallengeDecided: _challenge_decided,
    exams.VoucherAssigned: _voucher,
    exams.VendorProfileProblemFound: _vendor_problem,
}
