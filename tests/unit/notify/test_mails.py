"""Which mail an event calls for, and what of the event goes into it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from libs.common.bus.topology import EVENT_BINDINGS
from libs.common.events import EventData, certs, exams, fulfillment, identity
from libs.common.privacy.keeper import PERSONAL_EVENTS
from libs.common.programs import Program
from services.notify.consumers import SILENT_EVENTS
from services.notify.domain.causes import MAIL_EVENTS, mail_for
from services.notify.domain.mails import Mail, Template

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OUTCOME: dict[str, Any] = {
    "candidate_id": "CSCO10000001",
    "result_id": "R1",
    "revision": 1,
    "registration_id": "G1",
    "exam_code": "200-301",
    "taken_on": date(2026, 3, 1),
    "taken_at": NOON,
    "known_at": NOON,
}
HOLDING: dict[str, Any] = {
    "candidate_id": "CSCO10000001",
    "certification": "CCNA",
    "title": "CCNA",
    "earned_on": date(2026, 3, 1),
    "expires_on": date(2029, 3, 1),
    "because": "200-301 was passed.",
}
MILESTONE: dict[str, Any] = {
    "candidate_id": "CSCO10000001",
    "milestone": "years-25",
    "title": "25 years of certification",
    "years": 25,
    "since": date(2001, 3, 1),
    "reached_on": date(2026, 3, 1),
}
OFFER: dict[str, Any] = {"candidate_id": "CSCO10000001", "benefit": "years-25", "title": "Jacket"}
ORDER: dict[str, Any] = OFFER | {"order_id": "O1"}
PAYMENT: dict[str, Any] = {
    "candidate_id": "CSCO10000001",
    "order_id": "O1",
    "payment_id": "P1",
    "title": "Wall plaque",
    "amount": "79.00",
    "currency": "USD",
}
CHANGED: dict[str, Any] = {"grade": "fail", "previous_grade": "pass"}
ACCESS: dict[str, Any] = {"candidate_id": "CSCO10000001", "token": "secret", "expires_at": NOON}

COURSE: dict[str, Any] = {
    "candidate_id": "CSCO10000001",
    "submission_id": "S1",
    "item": "ENCOR-ILT",
    "title": "Core technologies",
    "completed_on": date(2026, 3, 1),
}

CASE: dict[str, Any] = {"candidate_id": "CSCO10000001", "case_id": "C1", "reference": "K00000013", "kind": "name"}
DECIDED: dict[str, Any] = CASE | {"reason": "As on the passport.", "decided_at": NOON}
LATE: dict[str, Any] = CASE | {"kind": "missing_result", "exam_code": "200-301"}
CHALLENGE: dict[str, Any] = {
    "candidate_id": "CSCO10000001",
    "challenge_id": "H1",
    "result_id": "R1",
    "exam_code": "200-301",
    "taken_on": date(2026, 3, 1),
}
STAFF_ID = "CSCO10000001"  # so that all cases go to the same one
INVITED: dict[str, Any] = {
    "staff_id": STAFF_ID,
    "full_name": "Ada",
    "email": "a@example.com",
    "token": "t",
    "expires_at": NOON,
}

CASES = [
    (identity.StaffInvited(**INVITED, reason="invitation"), Template.STAFF_INVITATION),
    (identity.StaffInvited(**INVITED, reason="recovery"), Template.STAFF_RECOVERY),
    (identity.AccessRequested(**ACCESS, reason="activation"), Template.ACTIVATION),
    (identity.AccessRequested(**ACCESS, reason="recovery"), Template.RECOVERY),
    (
        identity.SessionsRevoked(candidate_id="CSCO10000001", reason="reuse", revoked_at=NOON),
        Template.SESSION_ENDED,
    ),
    (identity.PasswordChanged(candidate_id="CSCO10000001", changed_at=NOON), Template.PASSWORD_CHANGED),
    (identity.EmailChangeRequested(**ACCESS, email="new@example.com"), Template.EMAIL_CONFIRMATION),
    (
        identity.EmailChanged(candidate_id="CSCO10000001", former_email="old@example.com", changed_at=NOON),
        Template.EMAIL_CHANGED,
    ),
    (
        identity.SecondFactorChanged(candidate_id="CSCO10000001", state="on", changed_at=NOON),
        Template.SECOND_FACTOR_CHANGED,
    ),
    (identity.DataExportReady(candidate_id="CSCO10000001", export_id="E1", expires_at=NOON), Template.EXPORT_READY),
    (
        identity.ErasureRequested(candidate_id="CSCO10000001", asked_by="candidate", due_at=NOON),
        Template.ERASURE_REQUESTED,
    ),
    (identity.ErasureCancelled(candidate_id="CSCO10000001", cancelled_at=NOON), Template.ERASURE_CANCELLED),
    (
        identity.CandidateErased(
            candidate_id="CSCO10000001",
            accounts=[identity.ErasedAccount(candidate_id="CSCO10000001", pseudonym="erased-1")],
            erased_at=NOON,
        ),
        Template.ERASED,
    ),
    (
        exams.VoucherAssigned(
            candidate_id="CSCO10000001",
            voucher_id="V1",
            kind="voucher",
            vendor="vue",
            exams=("200-301",),
            value="100 %",
            valid_until=date(2026, 12, 31),
        ),
        Template.VOUCHER_ASSIGNED,
    ),
    (exams.ExamPassed(**OUTCOME, score=900.0), Template.EXAM_PASSED),
    (exams.ExamFailed(**OUTCOME, score=100.0), Template.EXAM_FAILED),
    (exams.ExamResultRevised(**OUTCOME, **CHANGED), Template.RESULT_CHANGED),
    (exams.ExamResultInvalidated(**OUTCOME), Template.RESULT_WITHDRAWN),
    (
        exams.VendorProfileProblemFound(
            candidate_id="CSCO10000001",
            vendor="vue",
            vendor_name="Test Centres",
            problems=(
                exams.ProfileProblem(field="family_name", code="letters", reason="Test Centres cannot take “ł”."),
            ),
            found_at=NOON,
        ),
        Template.VENDOR_PROFILE_PROBLEM,
    ),
    (certs.CertificationAwarded(**HOLDING), Template.CERTIFICATION_AWARDED),
    (certs.CertificationRenewed(**HOLDING), Template.CERTIFICATION_RENEWED),
    (certs.CertificationExpiring(**HOLDING, days_left=30), Template.CERTIFICATION_EXPIRING),
    (certs.CertificationExpired(**HOLDING), Template.CERTIFICATION_EXPIRED),
    (certs.CertificationRevoked(**HOLDING), Template.CERTIFICATION_REVOKED),
    (certs.CreditsRecorded(**COURSE, credits=8, origin="report"), Template.CREDITS_RECORDED),
    (certs.CourseSubmissionDecided(**COURSE, decision="accepted"), Template.SUBMISSION_ACCEPTED),
    (certs.CourseSubmissionDecided(**COURSE, decision="rejected", reason="No."), Template.SUBMISSION_REJECTED),
    (certs.MilestoneReached(**MILESTONE), Template.MILESTONE_REACHED),
    (
        fulfillment.GiftOffered(
            **OFFER,
            offer_id="F1",
            milestone="years-25",
            offered_at=NOON,
            claim_until=datetime(2026, 12, 1, 8, tzinfo=UTC),
        ),
        Template.GIFT_OFFERED,
    ),
    (fulfillment.OrderPlaced(**ORDER, placed_at=NOON, promised_by=date(2027, 3, 16)), Template.ORDER_PLACED),
    (fulfillment.OrderShipped(**ORDER, shipped_at=NOON, promised_by=date(2027, 3, 16)), Template.ORDER_SHIPPED),
    (fulfillment.OrderReturned(**ORDER, returned_at=NOON), Template.ORDER_RETURNED),
    (fulfillment.OrderCancelled(**ORDER, cancelled_at=NOON, reason="Revoked"), Template.ORDER_CANCELLED),
    (
        fulfillment.OrderLate(**ORDER, promised_by=date(2026, 11, 21), state="shipped", late_at=NOON),
        Template.ORDER_LATE,
    ),
    (fulfillment.PaymentConfirmed(**PAYMENT, paid_at=NOON), Template.PAYMENT_CONFIRMED),
    (fulfillment.PaymentRefunded(**PAYMENT, refunded_at=NOON), Template.PAYMENT_REFUNDED),
    (certs.CertificationSuspended(**HOLDING), Template.CERTIFICATION_SUSPENDED),
    (certs.CertificationReinstated(**HOLDING), Template.CERTIFICATION_REINSTATED),
    (identity.CaseOpened(**CASE, due_on=date(2026, 11, 27), opened_at=NOON), Template.CASE_OPENED),
    (
        identity.CaseOpened(
            **LATE, due_on=date(2026, 11, 27), opened_at=NOON, by_itself=True, promised_on=date(2026, 11, 20)
        ),
        Template.RESULT_LATE,
    ),
    (identity.CaseSettled(**LATE, outcome="arrived", reason="It came.", settled_at=NOON), Template.RESULT_ARRIVED),
    (identity.CaseSettled(**LATE, outcome="lapsed", reason="Moved.", settled_at=NOON), Template.RESULT_NOT_AWAITED),
    (identity.CaseMessageWritten(**CASE, needs_answer=True, written_at=NOON), Template.CASE_MESSAGE),
    (identity.CaseDecided(**DECIDED, decision="accepted"), Template.CASE_ACCEPTED),
    (identity.CaseDecided(**DECIDED, decision="refused"), Template.CASE_REFUSED),
    (
        exams.ChallengeOpened(**CHALLENGE, ground="score", due_on=date(2026, 12, 7), opened_at=NOON),
        Template.CHALLENGE_OPENED,
    ),
    (exams.ChallengeMessageWritten(**CHALLENGE, needs_answer=True, written_at=NOON), Template.CHALLENGE_MESSAGE),
    (
        exams.ChallengeDecided(
            **CHALLENGE,
            decision="changed",
            reason="The key was wrong.",
            previous_grade="fail",
            grade="pass",
            decided_at=NOON,
        ),
        Template.CHALLENGE_DECIDED,
    ),
]


def write(event: EventData, program: Program) -> Mail:
    mail = mail_for(event, program)
    assert mail is not None
    return mail


@pytest.mark.parametrize(("event", "template"), CASES, ids=[template for _, template in CASES])
def test_event_calls_for_its_mail(event: EventData, template: Template, programs: Mapping[str, Program]) -> None:
    mail = write(event, programs["cisco"])
    assert (mail.template, mail.candidate_id) == (template, "CSCO10000001")


def test_credits_of_a_claim_are_told_by_its_decision(programs: Mapping[str, Program]) -> None:
    assert mail_for(certs.CreditsRecorded(**COURSE, credits=8, origin="claim"), programs["cisco"]) is None


@pytest.mark.parametrize(
    "change", [exams.ExamResultRevised(**OUTCOME, **CHANGED), exams.ExamResultInvalidated(**OUTCOME)]
)
def test_change_by_a_challenge_is_told_by_its_decision_and_by_nothing_else(
    change: EventData, programs: Mapping[str, Program]
) -> None:
    by_staff = change.model_copy(update={"said_by": "staff"})
    assert mail_for(by_staff.model_copy(update={"challenge_id": "H1"}), programs["cisco"]) is None
    assert write(by_staff, programs["cisco"]).context["said_by"] == "staff"


def test_every_template_has_an_event_that_calls_for_it() -> None:
    assert {template for _, template in CASES} == set(Template) - {Template.DIGEST, Template.NEWS}


def test_every_event_that_is_delivered_is_handled() -> None:
    assert set(EVENT_BINDINGS["notify"]) == {*SILENT_EVENTS, *MAIL_EVENTS, *PERSONAL_EVENTS}


def test_event_without_a_mail_is_an_error(programs: Mapping[str, Program]) -> None:
    offer = fulfillment.BenefitOffered(
        candidate_id="C1",
        offer_id="O1",
        benefit="initial_kit",
        title="Kit",
        certification="CCNA",
        offered_at=NOON,
    )
    with pytest.raises(TypeError, match="BenefitOffered"):
        mail_for(offer, programs["cisco"])


def test_exam_is_named_with_its_title_and_its_code_alone_where_unknown(
    programs: Mapping[str, Program],
) -> None:
    known = write(exams.ExamPassed(**OUTCOME), programs["cisco"])
    unknown = write(exams.ExamPassed(**(OUTCOME | {"exam_code": "999-999"})), programs["cisco"])
    assert (known.context["exam"], unknown.context["exam"]) == ("CCNA (200-301)", "999-999")


def test_gift_is_to_be_claimed_by_the_last_day_of_its_program(programs: Mapping[str, Program]) -> None:
    end = datetime(2026, 12, 1, 8, tzinfo=UTC)  # midnight in Los Angeles
    gift = fulfillment.GiftOffered(**OFFER, offer_id="F1", milestone="years-25", offered_at=NOON, claim_until=end)
    assert write(gift, programs["cisco"]).context["claim_until"] == "2026-11-30"


def test_scores_stay_behind_the_login(programs: Mapping[str, Program]) -> None:
    mail = write(exams.ExamFailed(**OUTCOME, score=123.0, passing_score=825.0), programs["cisco"])
    assert set(mail.context) == {"exam", "taken_on"}


def test_kit_is_mentioned_where_the_program_entitles_to_one(programs: Mapping[str, Program]) -> None:
    cisco = programs["cisco"]
    entitled = write(certs.CertificationAwarded(**HOLDING), cisco)
    unknown = write(certs.CertificationAwarded(**(HOLDING | {"certification": "NONE"})), cisco)
    assert "initial_kit" in cisco.certifications["CCNA"].entitlements
    assert (entitled.context["kit"], unknown.context["kit"]) == (True, False)
