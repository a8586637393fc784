"""Questions about a person: what is asked of the services for them, and what was answered, as identity takes it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import available_timezones

from libs.common.languages import LANGUAGES
from libs.common.programs.model import NewsText
from services.portal.addresses.countries import countries, is_country
from services.portal.addresses.fields import form_of
from services.portal.backend.client import Problem
from services.portal.languages import mark, say
from services.portal.profile.address import LONGEST, OWN, Box, boxes_of, read_address, shown_in
from services.portal.profile.shapes import Employers, WholeProfile
from services.portal.web.forms import Faults, Typed, Unfit, unfit
from services.portal.web.visit import Visit, part

_MOST_EMPLOYERS: Final = 500
"""Offered while typing; any other name may be given."""
_FIELDS: Final = {
    "body.address.lines.0": "line1",
    "body.address.lines.1": "line2",
    "body.address.city": "city",
    "body.address.region": "region",
    "body.address.postal_code": "postal_code",
    "body.address.country": "country",
    "body.native_address.lines.0": OWN + "line1",
    "body.native_address.lines.1": OWN + "line2",
    "body.native_address.city": OWN + "city",
    "body.native_name.given_name": "native_given",
    "body.native_name.family_name": "native_family",
    "body.employer": "employer",
    "body.job_title": "job_title",
}
"""Our field by identity's."""
_ASKED: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "native_name": (
        ("native_given", mark("Enter your given name in your script")),
        ("native_family", mark("Enter your family name in your script")),
    ),
    "employer": (("employer", mark("Enter your employer, or “none”")),),
    "job_title": (("job_title", mark("Enter your job title, or “none”")),),
    "time_zone": (("time_zone", mark("Choose your time zone")),),
    "language": (("language", mark("Choose your language")),),
}
"""By question: its fields, and what to do where they are empty."""


@dataclass(slots=True)
class Answered:
    """What was answered.

    Attributes:
        body: what of it can be kept, as identity takes it.
        faults: in the order of the page.
        what: as it was typed.
    """

    body: dict[str, Any] = field(default_factory=dict)
    faults: Faults = field(default_factory=dict)
    what: Typed = field(default_factory=dict)


async def whole(visit: Visit) -> WholeProfile:
    """The profile; the head of the page has its name. Raises as `Visit.mine` does."""
    profile = await visit.mine("identity", "/profile", WholeProfile)
    visit.profile = profile
    return profile


async def employers(visit: Visit) -> list[str]:
    """Some that the program offers; none where identity does not answer."""
    path = f"/programs/{visit.theirs.id}/employers"
    found = await part(visit.backend.read(visit.browser, "identity", path, Employers))
    return found.items[:_MOST_EMPLOYERS] if found else []


def needed_parts(profile: WholeProfile, country: str) -> set[str]:
    """The parts of the address that identity misses, if it is of that country."""
    if profile.address is None or profile.address.country != country:
        return set()
    return {name.removeprefix("address.") for name in profile.missing if name.startswith("address.")}


async def address_boxes(visit: Visit, profile: WholeProfile, country: str) -> list[Box]:
    """The boxes of a country, with those that identity wants beside them."""
    form = await form_of(visit, country)
    return boxes_of(form, country, needed=needed_parts(profile, country), own=profile.native_address is not None)


def country_of(profile: WholeProfile, asked: str | None) -> str:
    """Whose form is shown: that which was asked for, else where the person lives."""
    if asked and is_country(asked):
        return asked
    return profile.address.country if profile.address else profile.country


def read_country(what: Mapping[str, Any]) -> str | None:
    """The country that was chosen; None where none was."""
    country = str(what.get("country", ""))
    return country if is_country(country) else None


def answered_address(country: str, boxes: list[Box], what: Typed) -> Answered:
    given = read_address(country, boxes, what)
    body: dict[str, Any] = {}
    if given.address is not None:
        body["address"] = given.address
        if any(box.name.startswith(OWN) for box in boxes):
            body["native_address"] = given.native
    return Answered(body, given.faults, given.what)


def answered_about(questions: Collection[str], what: Mapping[str, Any]) -> Answered:
    """What was said to some of the questions about a person, all of which need an answer."""
    answer = Answered()
    for question in questions:
        texts = {}
        for name, lacking in _ASKED[question]:
            text = texts[name] = str(what.get(name, "")).strip()
            if not text or not _is_choice(question, text):
                answer.faults[name] = say(lacking)
            elif len(text) > LONGEST:
                answer.faults[name] = say("Shorten this to {count} letters", count=LONGEST)
        if not answer.faults.keys() & texts.keys():
            answer.body[question] = (
                {"given_name": texts["native_given"], "family_name": texts["native_family"]}
                if question == "native_name"
                else texts[question]
            )
    return answer


def is_empty(question: str, what: Mapping[str, Any]) -> bool:
    """Whether nothing at all was said to a question."""
    return not any(what.get(name) for name, _ in _ASKED[question])


def answered_news(what: Mapping[str, Any], news: NewsText) -> Answered:
    """A yes or a no to the text that was shown; it is never chosen for anybody."""
    said = what.get("news")
    if said not in ("yes", "no"):
        return Answered(faults={"news": say("Choose whether you want news by e-mail")})
    return Answered({"marketing": {"given": said == "yes", "text_version": news.version}})


def _is_choice(question: str, text: str) -> bool:
    if question == "time_zone":
        return text in available_timezones()
    return question != "language" or text in LANGUAGES


def shown_about(profile: WholeProfile) -> Typed:
    """What is known, as the fields show it."""
    native = profile.native_name
    return {
        "native_given": native.given_name if native else "",
        "native_family": native.family_name if native else "",
        "employer": profile.employer or "",
        "job_title": profile.job_title or "",
        "time_zone": profile.time_zone or "",
        "language": profile.language or "",
    }


async def save(visit: Visit, body: Mapping[str, Any], key: str) -> WholeProfile:
    """Change the profile.

    Raises:
        Unfit: identity refuses something that was typed.
        Down, Refused: as `Visit.change` does.
    """
    return await visit.change("PATCH", "identity", "/profile", WholeProfile, key=key, body=body)


def refused_fields(problem: Problem) -> Unfit | None:
    """What identity refuses, at our fields."""
    return unfit(problem, _FIELDS, {})


def lacking_parts(boxes: list[Box], missing: Collection[str]) -> Faults:
    """What identity still misses in an address that it has taken."""
    return {box.name: box.lacking for box in boxes if f"address.{box.name}" in missing}


async def address_page(visit: Visit, profile: WholeProfile, country: str) -> dict[str, Any]:
    """What the template of an address needs beside what was typed."""
    boxes = await address_boxes(visit, profile, country)
    return {"boxes": boxes, "countries": countries()}


def typed_address(profile: WholeProfile) -> Typed:
    return shown_in(profile.address, profile.native_address)
