"""What is said of cases: what they are about, where they stand, and who is next. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.portal.cases.shapes import Case, CaseRow, ChallengeRow
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import day, day_there, near, spoken
from services.portal.web.chips import Chip
from services.portal.web.vendor_names import vendor_name

_WITH_US: Final = frozenset({"open", "decided_once"})

KINDS: Final = {
    "name": mark("Change my name"),
    "mapping": mark("An ID of mine at a partner"),
    "duplicate": mark("I have two accounts"),
    "missing_result": mark("A result is missing"),
    "kit": mark("Something about a kit or parcel"),
    "other": mark("Something else"),
}
"""What a case is about."""
NEEDS: Final = {
    "name": mark("The new name, and a picture of an official document that shows it."),
    "duplicate": mark("The candidate ID or the e-mail address of the other account. Nothing you earned is lost."),
    "missing_result": mark("The exam and the day you sat it. The registration number of your score report helps."),
    "kit": mark("Which parcel it is about, and what is wrong."),
    "other": mark("Your question, in your own words."),
}
"""What each kind that can be asked for needs. A partner's ID is claimed where IDs are."""
_ENDS: Final = {
    "accepted": Chip("ok", mark("Done")),
    "upheld": Chip("ok", mark("Done")),
    "changed": Chip("ok", mark("Done")),
    "arrived": Chip("ok", mark("Solved by itself")),
    "refused": Chip("bad", mark("Refused")),
    "withdrawn": Chip("off", mark("Withdrawn")),
    "lapsed": Chip("off", mark("Closed")),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case stands.

    Attributes:
        line: who is next, and by when.
        open: whether it can still be written to.
        yours: whether the candidate is next.
    """

    chip: Chip
    line: str
    open: bool
    yours: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A case, or a challenge, in the list."""

    title: str
    reference: str
    link: str
    standing: Standing
    opened: date


def standing_of(one: CaseRow | ChallengeRow, today: date) -> Standing:
    """Where a case stands, and who is next by when."""
    if one.state in _WITH_US:
        if one.due_on < today:
            line = say(
                "Waiting for us. It was due by {day}; we are late and it comes first now", day=spoken(one.due_on)
            )
            return Standing(Chip("warn", mark("Late")), line, open=True)
        line = say("Waiting for us, until {day}", day=near(one.due_on, today))
        return Standing(Chip("wait", mark("Waiting for us")), line, open=True)
    if one.state == "waiting_for_candidate":
        return Standing(Chip("warn", mark("Waiting for you")), say("Waiting for you"), open=True, yours=True)
    chip = _ENDS.get(one.state, Chip("off", mark("Closed")))
    return Standing(chip, say(chip.word), open=False)


def rows_of(cases: list[CaseRow], challenges: list[ChallengeRow], today: date) -> list[Row]:
    """All of them; those that wait for the candidate first, then the open ones, then the rest, the newest first."""
    found = [
        *(
            Row(
                title_of(one), one.reference, f"/cases/{one.case_id}", standing_of(one, today), day_there(one.opened_at)
            )
            for one in cases
        ),
        *(
            Row(
                say("Challenge of your {exam} result", exam=one.exam_code),
                "",
                f"/exams/challenges/{one.challenge_id}",
                standing_of(one, today),
                day_there(one.opened_at),
            )
            for one in challenges
        ),
    ]
    return sorted(found, key=lambda row: (not row.standing.yours, not row.standing.open, -row.opened.toordinal()))


def title_of(one: CaseRow) -> str:
    """What a case is about, as a heading."""
    return say(KINDS.get(one.kind, KINDS["other"]))


def lead_of(one: Case) -> str:
    """Why there is this case, where nobody asked for it."""
    if not one.by_itself:
        return ""
    if one.kind == "missing_result":
        return say("We opened this because your result was late. You don't need to do anything.")
    return say("We opened this because your parcel came back. Tell us where it shall go.")


def facts_of(one: Case) -> Iterator[tuple[str, str]]:
    """What the case is about, fact by fact."""
    for name, term in _FACTS.items():
        value = one.details.get(name)
        if isinstance(value, str):
            shown = vendor_name(value) if name == "system" else value
            yield say(term), day(date.fromisoformat(value)) if name.endswith("_on") else shown


def takes(days: int) -> str:
    """How long a kind of case takes; `days` are business days."""
    return say_many("It takes up to {count} business day.", "It takes up to {count} business days.", days)


_FACTS: Final = {
    "given_name": mark("Given name"),
    "family_name": mark("Family name"),
    "system": mark("System"),
    "external_id": mark("ID there"),
    "candidate_id": mark("Other candidate ID"),
    "email": mark("Other e-mail address"),
    "exam_code": mark("Exam"),
    "taken_on": mark("Sat on"),
    "registration_id": mark("Registration number"),
    "promised_on": mark("Promised by"),
    "certification": mark("Certification"),
    "returned_on": mark("Came back on"),
}
"""Fields of the details, and what they are called, in the order in which they are shown."""
