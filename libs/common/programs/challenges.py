"""How a program lets its candidates challenge a result, and who decides that."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal, get_args

from pydantic import Field

from libs.common.programs.written import Shape

ChallengedGrade = Literal["pass", "fail", "invalidated"]
CHALLENGED_GRADES: tuple[ChallengedGrade, ...] = get_args(ChallengedGrade)


@dataclass(frozen=True, slots=True)
class ChallengeRules:
    """What holds for challenges of a program's results."""

    days: int
    """So many days after the day on which a result, as it stands, was first told, it can still be challenged."""
    due_business_days: int
    """Within so many business days a challenge is decided; they count anew once the candidate has answered."""
    four_eyes: bool
    """Whether two people must decide the same."""
    grades: frozenset[ChallengedGrade]
    """Results with these grades can be challenged."""
    per_result: int
    """Challenges of one result; those withdrawn do not count."""
    evidence: timedelta | None
    """How long a file is kept where no decision ends it before; None where files are not taken."""


class ChallengesShape(Shape):
    """Without the section a program's results cannot be challenged."""

    days: Annotated[int, Field(ge=1, le=365)]
    due_business_days: Annotated[int, Field(ge=1, le=60)] = 10
    four_eyes: bool = True
    grades: Annotated[list[ChallengedGrade], Field(min_length=1)] = Field(default=["fail", "invalidated"])
    per_result: Annotated[int, Field(ge=1, le=10)] = 1
    evidence: bool = True
    evidence_days: Annotated[int, Field(ge=1, le=365)] = 90

    def read(self) -> ChallengeRules:
        return ChallengeRules(
            days=self.days,
            due_business_days=self.due_business_days,
            four_eyes=self.four_eyes,
            grades=frozenset(self.grades),
            per_result=self.per_result,
            evidence=timedelta(days=self.evidence_days) if self.evidence else None,
        )
