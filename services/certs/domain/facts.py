"""What is known about a candidate: dated facts, the only thing a certification is derived from."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Outcome = Literal["pass", "fail", "pending", "invalidated"]


@dataclass(frozen=True, slots=True)
class ExamFact:
    """One revision of one exam result.

    Of one `result_id` the highest revision known counts; the same revision again is the same fact.
    """

    result_id: str
    revision: int
    code: str
    taken_on: date
    """Local date at the place of delivery: the day that decides every effect."""
    outcome: Outcome
    known_at: datetime
    """When the revision became known, with its offset from UTC."""

    def __post_init__(self) -> None:
        """Refuses a moment without a zone, which could not be put in order with others.

        Raises:
            ValueError: naming the field.
        """
        if self.known_at.tzinfo is None:
            raise ValueError("known_at has no offset from UTC")


Fact = ExamFact
"""Every kind of fact `evaluate` understands."""
