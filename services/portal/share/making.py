"""The four steps to a new link: what is asked on each, and which is shown next. Pure.

All answers travel in the form, so each step knows those before it, and going back loses nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from services.portal.languages import mark, say
from services.portal.languages.days import spoken
from services.portal.share.shapes import Items, Transcript
from services.portal.share.words import SHOWABLE
from services.portal.web.forms import Answers, Faults, Several, Typed, Unfit, read

DAYS: Final = 90
"""How long a link is open unless its owner says otherwise."""
LONGEST: Final = timedelta(days=3 * 366)
"""As long as certs lets a link be open."""
STEPS: Final = (mark("Items"), mark("Live or frozen"), mark("Name and end"), mark("Check and publish"))
CHECK: Final = len(STEPS)
"""The step that asks nothing more."""

_FIELDS: Final[Mapping[int, tuple[str, ...]]] = {
    1: ("certifications", "exams", "credits"),
    2: ("kind",),
    3: ("label", "through", "through.day", "through.month", "through.year", "remarks"),
}
_CARRIED: Final = tuple(name for fields in _FIELDS.values() for name in fields if name != "through")


class Chosen(Answers):
    """What is shown."""

    certifications: Annotated[Several, Field(default=[])]
    exams: Annotated[Several, Field(default=[])]
    credits: Literal["yes"] | None = None


class Kind(Answers):
    kind: Literal["live", "frozen"]


class Terms(Answers):
    """How long it is open, what is said with it, and what its owner calls it."""

    label: Annotated[str, StringConstraints(max_length=200)]
    through: date
    remarks: Annotated[str, StringConstraints(max_length=1000)] | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """All that was answered."""

    chosen: Chosen
    kind: Literal["live", "frozen"]
    terms: Terms

    def body(self) -> dict[str, Any]:
        """What certs is asked to publish."""
        return body_of(self.chosen, self.terms) | {"kind": self.kind}


def begun(certifications: Sequence[str], today: date) -> Typed:
    """What the form begins with: what somebody came from is chosen, and the link is open for ninety days."""
    last = today + timedelta(days=DAYS)
    return {
        "certifications": list(certifications),
        "through": last.isoformat(),
        "through.day": str(last.day),
        "through.month": str(last.month),
        "through.year": str(last.year),
    }


def taken(link: Transcript) -> Typed:
    """What an existing link says, as the form has it."""
    return (
        begun((), link.valid_through - timedelta(days=DAYS))
        | items_of(link)
        | {"label": link.label, "remarks": link.remarks or ""}
    )


def items_of(items: Items) -> Typed:
    """Items as the form has them."""
    return {
        "certifications": [one.certification for one in items.certifications],
        "exams": [one.exam for one in items.exams],
        "credits": "yes" if items.credits else "",
    }


def step_shown(answers: Typed, wanted: int, choices: Items, today: date) -> tuple[int, Faults]:
    """The step to show: the one that is wanted, or the first before it with something to fix, and what that is."""
    for step in range(1, min(wanted, CHECK)):
        try:
            _read(step, answers, choices, today)
        except Unfit as error:
            return step, error.faults
    return max(1, min(wanted, CHECK)), {}


def made_of(answers: Typed, choices: Items, today: date) -> Made:
    """All answers together. Raises `Unfit` with what is wrong on the first step that has something to fix."""
    step, faults = step_shown(answers, CHECK, choices, today)
    if step < CHECK:
        raise Unfit(faults)
    return Made(read(Chosen, answers, {}), read(Kind, answers, {}).kind, terms_of(answers, today))


def chosen_of(answers: Typed, choices: Items, before: Items | None = None) -> Chosen:
    """The items. What was chosen before may stay, whatever has become of it.

    Raises `Unfit` where nothing is chosen, or something that cannot be shown.
    """
    chosen = read(Chosen, answers, {})
    known = {one.certification for one in choices.certifications if one.state in SHOWABLE}
    passed = {one.exam for one in choices.exams}
    if before is not None:
        known |= {one.certification for one in before.certifications}
        passed |= {one.exam for one in before.exams}
    if not (chosen.certifications or chosen.exams or chosen.credits):
        raise Unfit({"certifications": say("Choose at least one thing to show")})
    if not (set(chosen.certifications) <= known and set(chosen.exams) <= passed):
        raise Unfit({"certifications": say("Choose from what is listed here; something of it has changed meanwhile")})
    return chosen


def terms_of(answers: Typed, today: date) -> Terms:
    """Label, last day and remark. Raises `Unfit`."""
    terms = read(Terms, answers | {"remarks": " ".join(str(answers.get("remarks", "")).split())}, _sentences())
    if not today <= terms.through <= today + LONGEST:
        raise Unfit({"through": say("Choose a day from today to {day}", day=spoken(today + LONGEST))})
    return terms


def body_of(chosen: Chosen, terms: Terms) -> dict[str, Any]:
    """What a link says, as certs takes it."""
    return {
        "certifications": chosen.certifications,
        "exams": chosen.exams,
        "credits": chosen.credits == "yes",
        "label": terms.label,
        "remarks": terms.remarks,
        "valid_through": terms.through.isoformat(),
    }


def carried(answers: Typed, step: int) -> Iterator[tuple[str, str]]:
    """The answers that a step does not ask for, which its form carries on."""
    for name in _CARRIED:
        if name not in _FIELDS.get(step, ()):
            value = answers.get(name, "")
            for one in value if isinstance(value, list) else [value]:
                if one:
                    yield name, str(one)


def _read(step: int, answers: Typed, choices: Items, today: date) -> None:
    if step == 1:
        chosen_of(answers, choices)
    elif step == 2:  # noqa: PLR2004 the second step
        read(Kind, answers, {"kind": say("Choose whether the link is live or frozen")})
    else:
        terms_of(answers, today)


def _sentences() -> dict[str, str]:
    return {
        "label": say("Give the link a name, for yourself"),
        "label.string_too_long": say("Shorten the name: it can have 200 characters"),
        "through": say("Enter the last day of the link, as day, month and year"),
        "remarks": say("Shorten the remark: it can have 1,000 characters"),
    }
