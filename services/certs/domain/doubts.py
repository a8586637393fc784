"""Why a person should look at a fact that did not take its usual effect, in words; what each flag means: `flags`."""

from collections.abc import Collection

from libs.common.languages.days import spoken
from services.certs.domain import flags
from services.certs.domain.facts import CourseFact, CreditFact, ExamFact
from services.certs.domain.flags import Flag
from services.certs.languages import one_of, say, say_many


def lacking(code: str, fact: ExamFact, others: Collection[str], *, once: bool) -> Flag:
    """A lab was passed without what it needs; `once`: that was there before."""
    text = say(
        "{exam} was passed on {day} without {others}",
        exam=code,
        day=spoken(fact.taken_on),
        others=one_of(sorted(others)),
    )
    return Flag(flags.PREREQ_EXPIRED if once else flags.PREREQ_MISSING, fact.result_id, text)


def unknown(certification: str, fact: str) -> Flag:
    text = say("{certification} is no certification of the program", certification=certification)
    return Flag(flags.CERTIFICATION_UNKNOWN, fact, text)


def late(course: CourseFact, certification: str) -> Flag:
    text = say(
        "the course {course} was claimed after the last active day of {certification}",
        course=course.code,
        certification=certification,
    )
    return Flag(flags.COURSE_LATE, course.course_id, text)


def second_in_a_row(course: CourseFact, certification: str) -> Flag:
    text = say(
        "{certification} was renewed by a course before, and {course} would be the second in a row",
        certification=certification,
        course=course.code,
    )
    return Flag(flags.COURSE_TWICE, course.course_id, text)


def unusable(claim: CreditFact) -> Flag:
    """Credits that no certification could use on their day."""
    text = say_many(
        "{count} credit was completed on {day} while nothing could use it",
        "{count} credits were completed on {day} while nothing could use them",
        claim.credits,
        day=spoken(claim.completed_on),
    )
    return Flag(flags.CE_UNUSABLE, claim.claim_id, text)
