"""What somebody claims: the activities of the program, the form's answers, and what the services are told. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from pydantic import Field

from libs.common.programs import Program
from libs.common.programs.calendar import add_days
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import spoken
from services.portal.web.forms import Answers, Faults, Unfit, read

OTHER: Final = "other"
"""An activity that is not on the program's list."""
_LONGEST: Final = 200
_MOST_CREDITS: Final = 1_000


class Claim(Answers):
    """Credits; `evidence` and `file_name` are of a file that was uploaded before."""

    activity: str
    completed_on: date
    title: str | None = Field(default=None, max_length=_LONGEST)
    code: str | None = Field(default=None, max_length=_LONGEST)
    credits: int | None = Field(default=None, ge=1, le=_MOST_CREDITS)
    until: date | None = None
    note: str | None = Field(default=None, max_length=1_000)
    evidence: str | None = Field(default=None, max_length=_LONGEST)
    file_name: str | None = Field(default=None, max_length=_LONGEST)


class Course(Answers):
    """A course that its provider does not report."""

    activity: str
    delivery: str
    completed_on: date
    title: str | None = Field(default=None, max_length=_LONGEST)
    code: str | None = Field(default=None, max_length=_LONGEST)
    note: str | None = Field(default=None, max_length=1_000)
    evidence: str | None = Field(default=None, max_length=_LONGEST)
    file_name: str | None = Field(default=None, max_length=_LONGEST)


Asked = Claim | Course
DELIVERIES: Final = {"private": mark("In a private class"), "partner": mark("At a training partner")}


def sentences() -> dict[str, str]:
    """What to do about each field."""
    return {
        "activity": say("Choose what you did"),
        "delivery": say("Choose where you took the course"),
        "completed_on": say("Enter the day you completed it as day, month and year"),
        "until": say("Enter the day to hold them until as day, month and year"),
        "title": say("Enter its name in at most 200 letters"),
        "code": say("Enter its code as it stands on your certificate"),
        "credits": say("Enter how many credits it gives as a number from 1 to 1000"),
        "note": say("Shorten the note to 1000 letters"),
    }


def activities(program: Program, *, course: bool) -> list[tuple[str, str]]:
    """What can be claimed: pairs of code and words, the last one for what is not listed."""
    found: list[tuple[str, str]] = []
    if course and program.policy.courses is not None:
        found = [(one.code, f"{one.code} {one.title}") for one in program.policy.courses.items.values()]
        return [*found, (OTHER, say("Another course"))]
    if program.policy.credits is not None:
        items = program.policy.credits.items.values()
        found = [
            (
                item.code,
                say_many("{title} ({count} credit)", "{title} ({count} credits)", item.credits, title=item.title),
            )
            for item in items
        ]
    return [*found, (OTHER, say("Another activity") if found else say("A course, session or other activity"))]


def asked_of(answers: Mapping[str, Any], program: Program, today: date, *, course: bool) -> Asked:
    """What is claimed. Raises `Unfit` with everything that is missing or does not go together, in the page's order."""
    faults = _missing(answers, course=course)
    asked: Asked | None = None
    try:
        asked = read(Course, answers, sentences()) if course else read(Claim, answers, sentences())
        faults |= _faults(asked, program, today)
    except Unfit as unfit:
        faults |= unfit.faults
    if asked is None or faults:
        raise Unfit({name: faults[name] for name in sorted(faults, key=_place)})
    return asked


def _missing(answers: Mapping[str, Any], *, course: bool) -> Faults:
    """What of a thing that is not on the list has to be said; and the file, where there has to be one."""
    wanted = {"title": say("Enter its name"), "code": say("Enter its code as it stands on your certificate")}
    if not course:
        wanted["credits"] = sentences()["credits"]
    faults = {
        name: words for name, words in wanted.items() if answers.get("activity") == OTHER and not answers.get(name)
    }
    if course and not answers.get("evidence"):
        faults["file"] = say("Choose your certificate of attendance")
    return faults


def _faults(asked: Asked, program: Program, today: date) -> Faults:
    """What does not go together."""
    faults = _credit_faults(asked, program, today) if isinstance(asked, Claim) else {}
    if asked.activity not in dict(activities(program, course=isinstance(asked, Course))):
        faults["activity"] = say("Choose what you did")
    if asked.completed_on > today:
        faults["completed_on"] = say("The completion day can't be after today")
    return faults


def _place(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


_ORDER: Final = ("activity", "title", "code", "delivery", "credits", "completed_on", "file", "until", "note")
"""Of the fields on the page."""


def _credit_faults(asked: Claim, program: Program, today: date) -> Faults:
    faults: Faults = {}
    rules = program.policy.credits
    if rules is not None and today > add_days(asked.completed_on, rules.claim_within_days):
        end = spoken(add_days(asked.completed_on, rules.claim_within_days))
        faults["completed_on"] = say("That was to be claimed until {day}. Enter a later day, or open a case", day=end)
    if asked.until is not None and not today < asked.until:
        faults["until"] = say("Enter a day to come to hold them until")
    return faults


def body_of(asked: Asked, program: Program, evidence: list[str]) -> Mapping[str, Any]:
    """What certs is told."""
    body: dict[str, Any] = {"completed_on": asked.completed_on.isoformat(), "evidence": evidence, "note": asked.note}
    if isinstance(asked, Course):
        courses = program.policy.courses
        course = courses.items.get(asked.activity) if courses else None
        code, title = (course.code, course.title) if course else (asked.code, asked.title)
        return body | {"course": code, "title": title, "delivery": asked.delivery}
    rules = program.policy.credits
    item = rules.items.get(asked.activity) if rules else None
    code, title, count = (item.code, item.title, item.credits) if item else (asked.code, asked.title, asked.credits)
    until = asked.until.isoformat() if asked.until else None
    return body | {"item": code, "title": title, "credits": count, "held_until": until}


FIELDS: Final = {
    "body.completed_on": "completed_on",
    "body.credits": "credits",
    "body.item": "code",
    "body.course": "code",
    "body.title": "title",
    "body.held_until": "until",
    "body.evidence": "file",
    "body.note": "note",
    "body.delivery": "delivery",
}
"""Our field by certs'."""
