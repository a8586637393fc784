"""What the test vendor says of a person: registered, and passed."""

from datetime import UTC, date, datetime, time, timedelta

from libs.common.events import vendors
from libs.common.programs import add_years

TAKEN = datetime.combine(datetime.now(UTC) - timedelta(days=600), time(10), UTC)
"""So long ago that nothing about it is news, and so lately that what it earns lasts for more than a year."""
LAST = add_years(TAKEN.date(), 3)
"""The last day of what the exam earns."""
EXAM = "200-301"


def spoken(day: date) -> str:
    """A day as pages say it in English."""
    return f"{day.day} {day:%B %Y}"


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
