"""What the first page says: the heading by state, and what is next for the candidate. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from libs.common.pages.wording import counted
from libs.common.spoken import spoken
from services.portal.backend.shapes import Certification, Expected, Offer, Renewal
from services.portal.web.chips import Chip

SOON: Final = timedelta(days=180)
"""How long before its last day a certification is shown as expiring."""
_LATELY: Final = timedelta(days=90)
_LAST_DAYS: Final = 30
MOST_TASKS: Final = 5


@dataclass(frozen=True, slots=True)
class Heading:
    """The answer as a sentence, and what follows from it."""

    text: str
    lead: str


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that is next.

    Attributes:
        by: whether the candidate has to act by a day.
        link: where to; None where there is nothing to do but to wait.
    """

    title: str
    chip: Chip
    text: str
    link: str | None = None
    verb: str | None = None
    by: bool = False


def chip_of(certification: Certification, today: date) -> Chip:
    """The state of a certification."""
    status = certification.status
    if status == "active":
        expiring = certification.expires_on is not None and certification.expires_on - today <= SOON
        return Chip("warn", "Active, expiring") if expiring else Chip("ok", "Active")
    return _CHIPS.get(status, Chip("off", status.replace("_", " ").capitalize()))


_CHIPS: Final = {
    "expired": Chip("bad", "Expired"),
    "revoked": Chip("bad", "Revoked"),
    "suspended": Chip("wait", "Suspended"),
    "pending_agreement": Chip("wait", "Waiting for you"),
    "emeritus": Chip("ok", "Emeritus"),
    "lifetime_emeritus": Chip("ok", "For life"),
    "inactive": Chip("off", "Not active"),
}


def heading_of(held: Sequence[Certification], today: date) -> Heading:
    """The first that fits: something is wrong, something ran out lately, all is well, there is nothing yet."""
    for one in held:
        if one.status in ("revoked", "suspended"):
            return Heading(f"{one.title} needs your attention", one.text)
    lately = [one for one in held if one.status == "expired" and one.expires_on and today - one.expires_on <= _LATELY]
    if lately:
        last = max(lately, key=lambda one: one.expires_on or date.min)
        return Heading(f"{last.title} expired on {spoken(last.expires_on or today)}", last.text)
    active = [one for one in held if one.status == "active"]
    if not active:
        return Heading(
            "Nothing active" if held else "Nothing earned yet",
            "Your exam history and results appear here within seconds of the vendor's report.",
        )
    if len(active) == 1:
        return Heading(f"{active[0].title} is active", _next_date(active, today))
    all_of_them = "Both" if len(active) == 2 else f"All {counted(len(active))}"  # noqa: PLR2004 a pair has a word
    return Heading(f"{all_of_them} certifications are active", _next_date(active, today))


def _next_date(active: Iterable[Certification], today: date) -> str:
    ending = sorted((one for one in active if one.expires_on), key=lambda one: (one.expires_on or date.max, one.title))
    if not ending:
        return "None of them expires."
    first = ending[0].expires_on or today
    names = [one.title for one in ending if one.expires_on == first]
    who = names[0] if len(names) == 1 else f"{names[0]} and {counted(len(names) - 1)} more"
    verb = "expires" if len(names) == 1 else "expire"
    return f"The next date is {spoken(first)}, {in_days(first, today)}. {who} {verb} then unless you renew."


def tasks_of(
    held: Sequence[Certification],
    today: date,
    *,
    expected: Iterable[Expected],
    renewals: Iterable[Renewal],
    offers: Iterable[Offer],
) -> list[Task]:
    """At most five: what is late, what waits for the candidate, what is on its way, what runs out, the rest."""
    ways = {one.certification: one for one in renewals}
    found = [
        *_late(expected),
        *_agreements(held),
        *_on_their_way(expected, today),
        *_expiring(held, ways, today),
        *_kits(offers),
    ]
    return found[:MOST_TASKS]


def _late(expected: Iterable[Expected]) -> Iterator[Task]:
    for one in expected:
        if one.state in ("late", "overdue"):
            case = (
                "We opened a case by ourselves and write to you; you don't need to do anything."
                if one.case_opened
                else ""
            )
            yield Task(
                f"Your {_exam(one)} result is late",
                Chip("warn", "Late"),
                f"It was due by {spoken(one.due_on)}. {case}".strip(),
                "/exams",
                "See your exams",
            )


def _agreements(held: Iterable[Certification]) -> Iterator[Task]:
    for one in held:
        if one.status == "pending_agreement":
            yield Task(
                f"{one.title} is earned",
                Chip("wait", "Waiting for you"),
                "Read and accept the agreement to make it active. It counts from the day you earned it, not from when "
                "you accept.",
                f"/certifications/{one.certification}",
                "Read the agreement",
                by=True,
            )


def _on_their_way(expected: Iterable[Expected], today: date) -> Iterator[Task]:
    for one in expected:
        if one.state in ("expected", "being_checked"):
            sat = one.scheduled_at.date()
            when = f"You sat it on {spoken(sat)}. " if sat <= today else ""
            yield Task(
                f"Your {_exam(one)} result is on its way",
                Chip("wait", "Expected"),
                f"{when}Results come by {spoken(one.due_on)}. If it's late, we open a case for you; you don't need to "
                "ask.",
                "/exams",
                "See your exams",
            )


def _expiring(held: Iterable[Certification], ways: dict[str, Renewal], today: date) -> Iterator[Task]:
    ending = [
        (one.expires_on, one)
        for one in held
        if one.status == "active" and one.expires_on is not None and one.expires_on - today <= SOON
    ]
    for last_day, one in sorted(ending, key=lambda each: (each[0], each[1].title)):
        left = (last_day - today).days
        renewal = ways.get(one.certification)
        shortest = f"Shortest way: {renewal.ways[0].text}" if renewal and renewal.ways else one.text
        title = f"Renew {one.title} by {spoken(last_day)}"
        if left <= _LAST_DAYS:
            title = f"{one.title} expires {in_days(last_day, today)}"
            shortest += " After that day there's no grace time."
        yield Task(
            title,
            Chip("warn", in_days(last_day, today).removeprefix("in ").capitalize()),
            shortest,
            f"/certifications/{one.certification}#renew",
            "See how to renew",
            by=True,
        )


def _kits(offers: Iterable[Offer]) -> Iterator[Task]:
    for one in offers:
        yield Task(one.title, Chip("off", "Pending"), "It is yours to claim, free of charge, once.")


def _exam(one: Expected) -> str:
    return f"{one.exam_code} {one.exam_title}" if one.exam_title else one.exam_code


def in_days(day: date, today: date) -> str:
    """How far a day is away."""
    left = (day - today).days
    if left == 0:
        return "today"
    if left == 1:
        return "tomorrow"
    return f"in {left} days"
