"""Courses: which attendances count, and which of them came too late."""

from datetime import date

from libs.common.languages.days import spoken
from libs.common.programs.policy import CourseRules
from services.certs.domain import flags
from services.certs.domain.facts import CourseFact
from services.certs.domain.flags import Flag
from services.certs.domain.held import Held
from services.certs.domain.rules import ProgramRules
from services.certs.languages import say


def countable(rules: ProgramRules, course: CourseFact, today: date, found: list[Flag]) -> bool:
    """Whether a course counts on `today`: attended, known to the program, and approved where a claim is needed."""
    policy = rules.program.policy.courses
    name = None
    if policy is None or course.level not in rules.ranks or course.track.casefold() not in rules.tracks:
        name, text = (
            flags.COURSE_UNKNOWN,
            say("the program has no {level} courses of {track}", level=course.level, track=course.track),
        )
    elif course.last_day > today:
        name, text = (
            flags.DATED_AHEAD,
            say("the course {course} ends on {day}", course=course.code, day=spoken(course.last_day)),
        )
    elif course.rejected and (course.approved_on is None or course.approved_on <= today):
        return False
    elif course.delivery in policy.claimed and (course.approved_on is None or course.approved_on > today):
        name, text = (
            flags.COURSE_PENDING,
            say("the claim of the course {course} is not decided", course=course.code),
        )
    else:
        return True
    found.append(Flag(name, course.course_id, text))
    return False


def claimed_late(fact: CourseFact, courses: CourseRules, held: Held) -> bool:
    """Whether a claim that the program asks for came after the last active day."""
    if fact.delivery not in courses.claimed:
        return False
    submitted = fact.submitted_on or fact.last_day
    return held.expires_on is not None and submitted > held.expires_on
