"""Which results can be challenged, until when, and what staff may make of them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from libs.common.casework.progress import Stage
from libs.common.programs import Program
from libs.common.programs.calendar import add_days
from libs.common.programs.challenges import ChallengeRules
from services.exams.domain.results import Grade

Ground = Literal["score", "conditions", "integrity", "not_mine", "other"]
"""Why: the marking, how the exam was held, what the candidate is accused of, another's attempt, anything else."""


class State(StrEnum):
    """Where a challenge stands: undecided in one of the stages, or as it was decided."""

    OPEN = Stage.OPEN.value
    WAITING = Stage.WAITING.value
    DECIDED_ONCE = Stage.DECIDED_ONCE.value
    UPHELD = "upheld"
    """The result stands."""
    CHANGED = "changed"
    REFUSED = "refused"
    """It was not to be decided."""
    WITHDRAWN = Stage.WITHDRAWN.value


CLOSED = frozenset({State.UPHELD, State.CHANGED, State.REFUSED, State.WITHDRAWN})


class Obstacle(StrEnum):
    """Why a result cannot be challenged."""

    NOT_OFFERED = "not_offered"
    GRADE = "grade"
    TOO_LATE = "too_late"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class Standing:
    """A result as it stands and was told.

    Attributes:
        told_on: since which day the candidate can know it, in the program's calendar.
    """

    grade: Grade
    score: float | None
    told_on: date

    def differs_from(self, grade: Grade, score: float | None) -> bool:
        return (self.grade, self.score) != (grade, score)


def last_day(rules: ChallengeRules, standing: Standing) -> date:
    """The last day on which it can be challenged."""
    return add_days(standing.told_on, rules.days)


def obstacle(rules: ChallengeRules | None, standing: Standing, today: date, before: int) -> Obstacle | None:
    """What keeps a result from being challenged; None where nothing does.

    Args:
        rules: the program's.
        standing: the result, which is final.
        today: in the program's calendar.
        before: challenges of it that were not withdrawn.
    """
    if rules is None:
        return Obstacle.NOT_OFFERED
    if standing.grade not in rules.grades:
        return Obstacle.GRADE
    if before >= rules.per_result:
        return Obstacle.USED_UP
    return Obstacle.TOO_LATE if today > last_day(rules, standing) else None


def due_on(program: Program, rules: ChallengeRules, moment: datetime) -> date:
    """The last day on which a challenge that staff have in hand since a moment is decided in time."""
    return program.calendar.add(program.day_of(moment), rules.due_business_days)
