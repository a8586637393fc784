"""Announcements in words. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from libs.common.languages import LANGUAGES as SPOKEN
from services.portal.languages import mark, say
from services.portal.languages.days import short_day, spoken
from services.portal.staff.announcements.shapes import Announcement
from services.portal.staff.kit import Cell, Row
from services.portal.staff.people import Names
from services.portal.web.chips import Chip

STATES: Final = {
    "draft": Chip("off", mark("Draft")),
    "published": Chip("ok", mark("Published")),
    "withdrawn": Chip("bad", mark("Withdrawn")),
}
SEVERITIES: Final = {
    "info": (mark("For information"), mark("Stands beside the rest of the first page.")),
    "important": (mark("Important"), mark("Stands first on the first page.")),
    "urgent": (mark("Urgent"), mark("Stands first on the first page, with a warning sign.")),
}
LANGUAGES: Final = {code: language.name for code, language in SPOKEN.items()}
"""In their own words, as the choice of a language has them."""
_STEPS: Final = {
    "written": mark("{who}: wrote the draft"),
    "changed": mark("{who}: changed it"),
    "published": mark("{who}: published it"),
    "withdrawn": mark("{who}: withdrew it"),
}


def chip_of(one: Announcement) -> Chip:
    return STATES.get(one.state, Chip("off", one.state))


def severity_of(one: Announcement) -> str:
    return say(SEVERITIES[one.severity][0]) if one.severity in SEVERITIES else one.severity


def row_of(one: Announcement) -> Row:
    return Row(
        one.announcement_id,
        (
            Cell(one.title, second=severity_of(one), link=True, own=True),
            Cell(short_day(one.first_day)),
            Cell(short_day(one.last_day)),
            Cell(chip=chip_of(one)),
        ),
    )


def steps_of(one: Announcement, names: Names) -> list[tuple[object, str, str]]:
    return [
        (step.at, say(_STEPS.get(step.what, "{who}"), who=names.of(step.by)), step.reason or "")
        for step in reversed(one.history)
    ]


def audience_of(one: Announcement) -> str:
    """Who sees it."""
    named = say(", ").join((*one.audience.certifications, *one.audience.levels))
    return say("Whoever holds any of: {names}", names=named) if named else say("Every candidate of the program")


def follows(one: Announcement, *, mail: bool) -> list[str]:
    """What publishing does."""
    shown = say(
        "It stands on the first page from {first} to {last}.", first=spoken(one.first_day), last=spoken(one.last_day)
    )
    mailed = (
        say("A mail goes to those of them who agreed to news. It can't be taken back.")
        if mail
        else say("No mail is sent.")
    )
    return [say("Who sees it: {audience}.", audience=audience_of(one)), shown, mailed]


def filled(one: Announcement) -> dict[str, Any]:
    """An announcement as its form has it."""
    found: dict[str, Any] = {
        "severity": one.severity,
        "certifications": one.audience.certifications,
        "levels": one.audience.levels,
    }
    for name in ("first_day", "last_day"):
        day = getattr(one, name)
        found |= {f"{name}.day": day.day, f"{name}.month": day.month, f"{name}.year": day.year}
    for text in one.texts:
        found |= {f"title_{text.language}": text.title, f"text_{text.language}": "\n\n".join(text.paragraphs)}
    return found


def texts_of(given: dict[str, Any]) -> list[dict[str, Any]]:
    """The texts of a form, by language; an empty line parts paragraphs."""
    return [
        {
            "language": language,
            "title": given.get(f"title_{language}", ""),
            "paragraphs": paragraphs_of(given.get(f"text_{language}", "")),
        }
        for language in LANGUAGES
        if given.get(f"title_{language}") or given.get(f"text_{language}")
    ]


def paragraphs_of(text: str) -> list[str]:
    """Paragraphs as one line each."""
    parts = text.replace("\r\n", "\n").split("\n\n")
    return [" ".join(part.split()) for part in parts if part.strip()]


def half_written(texts: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What is missing in texts, by field."""
    faults: dict[str, str] = {}
    for text in texts:
        language = text["language"]
        if not text["title"]:
            faults[f"title_{language}"] = say("Enter a title in {language}", language=LANGUAGES[language])
        if not text["paragraphs"]:
            faults[f"text_{language}"] = say("Write the text in {language}", language=LANGUAGES[language])
    return faults
