"""What certs tells: certifications, credits and milestones."""

from collections.abc import Callable, Mapping
from typing import Any

from libs.common.events import EventData, certs
from libs.common.programs import Program
from services.notify.domain.mails import Mail, Template


def _certification(template: Template) -> Callable[[Any, Program], Mail]:
    def write(data: certs.CertificationAwarded, _program: Program) -> Mail:
        return Mail(template, data.candidate_id, _holding(data))

    return write


def _award(data: certs.CertificationAwarded, program: Program) -> Mail:
    certification = program.certifications.get(data.certification)
    kit = certification is not None and "initial_kit" in certification.entitlements
    return Mail(Template.CERTIFICATION_AWARDED, data.candidate_id, _holding(data) | {"kit": kit})


def _reminder(data: certs.CertificationExpiring, _program: Program) -> Mail:
    # One row of the mail. How many days are left is counted when it is written.
    row = _holding(data) | {"candidate_id": data.candidate_id, "certification": data.certification}
    return Mail(Template.CERTIFICATION_EXPIRING, data.candidate_id, row)


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


WRITERS: Mapping[type[EventData], Callable[[Any, Program], Mail | None]] = {
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
