"""The people in the pictures, as a vendor tells of them. All days are counted from today."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.common.events import EventData, vendors

YEAR = 365


@dataclass(frozen=True, slots=True)
class Sitting:
    """An exam that somebody sat, or will."""

    exam_code: str
    days_ago: int
    """Negative: it lies ahead."""
    grade: str | None = "pass"
    """None where the result is still to come."""


@dataclass(frozen=True, slots=True)
class Character:
    """Somebody in the pictures."""

    number: str
    given_name: str
    family_name: str
    country: str
    language: str
    sittings: tuple[Sitting, ...]

    @property
    def email(self) -> str:
        return f"{self.number.lower()}@example.com"

    def events(self, now: datetime) -> Iterator[EventData]:
        """What the vendor publishes of them, the oldest first."""
        person = vendors.VendorCandidate(
            given_name=self.given_name, family_name=self.family_name, email=self.email, country=self.country
        )
        for place, sitting in enumerate(self.sittings, 1):
            moment = (now - timedelta(days=sitting.days_ago)).replace(hour=9, minute=0, second=0, microsecond=0)
            yield vendors.ExamRegistered(
                vendor_candidate_id=self.number,
                registration_id=f"G-{self.number}-{place}",
                exam_code=sitting.exam_code,
                delivery="test_center",
                scheduled_at=moment,
                candidate=person,
                language=self.language,
                site="Harbour Square test centre",
            )
            if sitting.grade is not None:
                yield vendors.ExamResultReported.model_validate(
                    {
                        "result_id": f"R-{self.number}-{place}",
                        "revision": 1,
                        "vendor_candidate_id": self.number,
                        "registration_id": f"G-{self.number}-{place}",
                        "exam_code": sitting.exam_code,
                        "taken_at": moment,
                        "grade": sitting.grade,
                        "score": 874 if sitting.grade == "pass" else 702,
                        "passing_score": 825,
                        "scale_min": 300,
                        "scale_max": 1000,
                        "sections": [
                            {"name": "Architecture", "percent": 88},
                            {"name": "Connectivity", "percent": 71},
                            {"name": "Assurance", "percent": 64 if sitting.grade == "pass" else 41},
                        ],
                    }
                )


HELD = (
    Sitting("200-301", 5 * YEAR + 40),
    Sitting("350-401", 2 * YEAR + 260),
    Sitting("300-410", 2 * YEAR + 215),
)
"""An associate who became a professional, and whose certifications run out within half a year."""

AMARA = Character(
    "V-7004",
    "Amara",
    "Okafor",
    "NG",
    "en",
    (*HELD, Sitting("300-415", 61, "fail"), Sitting("300-415", 3, None), Sitting("350-701", -24, None)),
)
RANIA = Character("V-7019", "Rania", "Al-Harbi", "SA", "en", (*HELD, Sitting("300-420", 2, None)))


def strays(now: datetime) -> Iterator[vendors.ExamResultReported]:
    """Results that match nobody: of one the vendor wrote the candidate in another way than it registered her."""
    sat = (now - timedelta(days=3)).replace(hour=9, minute=0, second=0, microsecond=0)
    for place, (number, registered, exam_code, taken_at) in enumerate(
        (
            ("V7004", f"G-{AMARA.number}-5", "300-415", sat),
            ("V-7109", "G-V-7109-1", "200-301", now - timedelta(hours=27)),
            ("V-7083", "G-V-7083-1", "350-701", now - timedelta(hours=51)),
        ),
        1,
    ):
        yield vendors.ExamResultReported(
            result_id=f"R-STRAY-{place}",
            revision=1,
            vendor_candidate_id=number,
            registration_id=registered,
            exam_code=exam_code,
            taken_at=taken_at,
            grade="pass",
            score=861,
        )
