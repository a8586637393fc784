"""What the test vendor says of a person: registered, and passed."""

from datetime import UTC, datetime

from libs.common.events import vendors

TAKEN = datetime(2025, 3, 10, 10, tzinfo=UTC)
EXAM = "200-301"


def registration(number: str, email: str) -> vendors.ExamRegistered:
    person = vendors.VendorCandidate(given_name="Zoë", family_name="Ångström", email=email, country="SE")
    return vendors.ExamRegistered(
        vendor_candidate_id=number,
        registration_id=f"G-{number}",
        exam_code=EXAM,
        delivery="test_center",
        scheduled_at=TAKEN,
        candidate=person,
    )


def result(number: str, exam_code: str = EXAM) -> vendors.ExamResultReported:
    return vendors.ExamResultReported(
        result_id=f"R-{number}",
        revision=1,
        vendor_candidate_id=number,
        registration_id=f"G-{number}",
        exam_code=exam_code,
        taken_at=TAKEN,
        grade="pass",
        score=900,
    )
