"""What is asked for each kind of case, and what identity is sent of it. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

from pydantic import model_validator

from services.portal.languages import say
from services.portal.web.forms import Answers, Faults, Unfit


class _Question(Answers):
    text: str | None = None


class NameQuestion(_Question):
    given_name: str
    family_name: str


class DuplicateQuestion(_Question):
    candidate_id: str | None = None
    email: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.candidate_id is None and self.email is None:
            raise Unfit({"candidate_id": say("Enter the other account's ID, or its e-mail address")})
        return self


class MissingResultQuestion(_Question):
    exam_code: str
    taken_on: date
    registration_id: str | None = None


class KitQuestion(_Question):
    about: str
    text: str


class OtherQuestion(_Question):
    text: str


Question = NameQuestion | DuplicateQuestion | MissingResultQuestion | KitQuestion | OtherQuestion

QUESTIONS: Mapping[str, type[Question]] = {
    "name": NameQuestion,
    "duplicate": DuplicateQuestion,
    "missing_result": MissingResultQuestion,
    "kit": KitQuestion,
    "other": OtherQuestion,
}
"""By kind, in the order in which they are offered."""


def sentences() -> Faults:
    """What to do about a field that is missing or not as it should be."""
    return {
        "given_name": say("Enter the given name"),
        "family_name": say("Enter the family name"),
        "candidate_id": say("Enter the ID as it stands in our mails"),
        "email": say("Enter an e-mail address, like name@example.com"),
        "exam_code": say("Enter the exam's code, like 200-301"),
        "taken_on": say("Enter the day you sat it"),
        "registration_id": say("Enter the number as it stands on your score report"),
        "about": say("Choose what it is about"),
        "text": say("Write what you want us to know, in up to 4000 characters"),
    }


FIELDS: Mapping[str, str] = {
    f"body.{name}": name
    for name in (
        "given_name",
        "family_name",
        "candidate_id",
        "email",
        "exam_code",
        "taken_on",
        "registration_id",
        "text",
    )
} | {"body.order_id": "about", "body.certification": "about"}
"""Our fields by identity's."""


def request_of(kind: str, question: Question) -> dict[str, Any]:
    """What identity is sent."""
    given = question.model_dump(mode="json", exclude_none=True)
    if isinstance(question, KitQuestion):
        what, _, which = given.pop("about").partition(":")
        given["order_id" if what == "order" else "certification"] = which
    return {"kind": kind, **given}
