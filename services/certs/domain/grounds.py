"""What certifications are earned and renewed by, in words: each with the fact, the clause and the day."""

from datetime import date

from libs.common.languages.days import spoken
from libs.common.programs import add_years
from libs.common.programs.policy import LADDER_CLAUSE, Designation
from services.certs.domain.facts import CourseFact, CreditFact, ExamFact
from services.certs.domain.held import Held
from services.certs.domain.rules import Prerequisite
from services.certs.domain.standing import Ground
from services.certs.languages import say, say_many


def passed(code: str, fact: ExamFact, clause: str) -> Ground:
    words = say("{exam} passed on {day}", exam=code, day=spoken(fact.taken_on))
    return Ground(fact.result_id, clause, words, fact.taken_on)


def held_since(needed: Prerequisite, clause: str) -> Ground:
    since = spoken(needed.earned_on)
    words = say("{certification} held since {day}", certification=needed.certification, day=since)
    return Ground(needed.certification, clause, words, needed.earned_on)


def from_above(cause: Held, what: str, day: date) -> Ground:
    """`what` was done with a certification of the same level or a higher one: a sentence to be said."""
    words = say(what, certification=cause.rule.certification.id, day=spoken(day))
    return Ground(cause.steps[-1].grounds[-1].fact, LADDER_CLAUSE, words, day)


def honoured(held: Held, designation: Designation) -> Ground:
    since = add_years(held.earned_on, designation.after_years)
    words = say("{designation} since {day}", designation=designation.name, day=spoken(since))
    return Ground(held.rule.certification.id, designation.clause, words, since)


def ended(course: CourseFact, clause: str) -> Ground:
    words = say("course {course} ended on {day}", course=course.code, day=spoken(course.last_day))
    return Ground(course.course_id, clause, words, course.last_day)


def completed(last: CreditFact, total: int, clause: str) -> Ground:
    """So many credits of a cycle, the last of them in this claim."""
    words = say_many(
        "{count} credit completed through {day}",
        "{count} credits completed through {day}",
        total,
        day=spoken(last.completed_on),
    )
    return Ground(last.claim_id, clause, words, last.completed_on)
