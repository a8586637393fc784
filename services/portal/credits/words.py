"""What the ledger of credits says: the sum as a sentence, and each claim's state. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from libs.common.programs import Program
from services.portal.credits.claims import Claim, total
from services.portal.credits.shapes import Credits, Entry, Submission
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import spoken
from services.portal.web.chips import Chip

_STATES: Final = {
    "counting": Chip("ok", mark("Validated")),
    "held": Chip("wait", mark("On hold")),
    "pending": Chip("wait", mark("In review")),
    "used": Chip("ok", mark("Used")),
    "lapsed": Chip("off", mark("Lapsed")),
    "rejected": Chip("bad", mark("Rejected")),
    "late": Chip("bad", mark("Too late")),
    "repeated": Chip("off", mark("Counted before")),
    "unusable": Chip("off", mark("Not usable")),
    "ahead": Chip("wait", mark("To come")),
}
_SUBMISSIONS: Final = {
    "pending": Chip("wait", mark("In review")),
    "accepted": Chip("ok", mark("Validated")),
    "rejected": Chip("bad", mark("Rejected")),
    "withdrawn": Chip("off", mark("Withdrawn")),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A claim or a report as the ledger shows it.

    Attributes:
        may_hold: whether the candidate may choose the day from which it counts.
        may_withdraw: whether it can be taken back.
    """

    id: str
    earned_on: date
    title: str
    item: str
    credits: int | None
    chip: Chip
    text: str
    due_on: date
    files: tuple[str, ...]
    in_review: bool
    may_hold: bool
    may_withdraw: bool


@dataclass(frozen=True, slots=True)
class Sum:
    """How much there is, and how much is asked for; `asked` is None where nothing held can use any."""

    heading: str
    lead: str
    have: int
    asked: int | None


def sum_of(program: Program, ledger: Credits, claims: Sequence[Claim], held: Mapping[str, date | None]) -> Sum:
    """The sum as a sentence.

    Args:
        program: says how many credits renew something.
        ledger: of the candidate.
        claims: credits in hand.
        held: until when each active certification lasts.
    """
    sure = [claim for claim in claims if not claim.pending]
    have, on_hold = total(sure), [claim for claim in sure if claim.held_until is not None]
    asked = asked_of(program, ledger, held)
    if not ledger.entries:
        return Sum(say("No credits yet"), say("Credits that a provider reports arrive by themselves."), 0, asked)
    if asked is not None:
        heading = say("{have} of {asked} credits", have=have, asked=asked)
    else:
        heading = say_many("{count} credit in hand", "{count} credits in hand", have)
    return Sum(heading, _lead(have, on_hold, ledger.cycle_until), have, asked)


def asked_of(program: Program, ledger: Credits, held: Mapping[str, date | None]) -> int | None:
    """Credits that alone renew what they serve: of the highest level held, what expires first."""
    served = [
        program.certifications[name]
        for name, until in held.items()
        if name in program.certifications
        and program.certifications[name].level == ledger.level
        and until == ledger.cycle_until
    ]
    alone = [way.credits for one in served for way in one.renewal if way.credits and not way.slots]
    return min(alone, default=None)


def _lead(have: int, on_hold: Sequence[Claim], cycle_until: date | None) -> str:
    held, days = total(on_hold), {claim.held_until for claim in on_hold}
    first = min((day for day in days if day is not None), default=None)
    if first is not None and len(days) == 1:
        return say_many(
            "{count} is on hold until {day}; {free} are free.",
            "{count} are on hold until {day}; {free} are free.",
            held,
            day=spoken(first),
            free=have - held,
        )
    if first is not None:
        return say_many(
            "{count} is on hold, the first until {day}; {free} are free.",
            "{count} are on hold, the first until {day}; {free} are free.",
            held,
            day=spoken(first),
            free=have - held,
        )
    if have and cycle_until is not None:
        return say("What isn't used lapses when your present time ends, on {day}.", day=spoken(cycle_until))
    if have:
        return say("They count as soon as you hold something that they can renew.")
    return say("None of them can renew anything now; the list says why.")


def rows_of(ledger: Credits, submissions: Iterable[Submission]) -> list[Row]:
    """Claims and reports in the order given, each with what has become of it."""
    entries = {entry.submission_id: entry for entry in ledger.entries}
    return [_row(one, entries.get(one.submission_id), ledger) for one in submissions]


def _row(one: Submission, entry: Entry | None, ledger: Credits) -> Row:
    chip, text = state_of(one, entry)
    unused = one.kind == "credits" and one.state in ("pending", "accepted") and (entry is None or not entry.used_by)
    in_hand = entry is not None and entry.state in ("counting", "held", "pending")
    return Row(
        one.submission_id,
        one.completed_on,
        one.title,
        one.item,
        one.credits,
        chip,
        text,
        one.due_on,
        tuple(one.evidence),
        in_review=one.state == "pending",
        may_hold=ledger.may_be_held and unused and in_hand,
        may_withdraw=one.state == "pending" and one.origin == "claim",
    )


def state_of(one: Submission, entry: Entry | None) -> tuple[Chip, str]:
    """The state of a claim, and the reason for it as a sentence."""
    if one.state == "pending":
        return _SUBMISSIONS["pending"], say("We answer by {day}.", day=spoken(one.due_on))
    if one.state == "withdrawn":
        return _SUBMISSIONS["withdrawn"], say("You have withdrawn it.")
    if one.state == "rejected":
        return _SUBMISSIONS["rejected"], one.reason or ""
    if entry is None:
        return _SUBMISSIONS.get(one.state, Chip("off", one.state)), one.reason or ""
    return _STATES.get(entry.state, Chip("off", entry.state)), entry.text
