"""What is next for the candidate, in the order of worry: what is late, what waits for them, what runs out. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from services.portal.backend.shapes import Certification, Expected, Renewal
from services.portal.cases.shapes import CaseRow
from services.portal.cases.words import title_of
from services.portal.exams.words import late_said
from services.portal.home.answer import SOON
from services.portal.home.shapes import Appointment, Goal, OfferRow, ParcelRow
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import clock_time, day_there, in_days, near, spoken
from services.portal.web.chips import Chip

MOST_TASKS: Final = 5
_LAST_DAYS: Final = 30


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


@dataclass(frozen=True, slots=True)
class Facts:
    """What tasks follow from; what a service has not answered is left empty."""

    held: Sequence[Certification] = ()
    expected: Sequence[Expected] = ()
    cases: Sequence[CaseRow] = ()
    renewals: Sequence[Renewal] = ()
    offers: Sequence[OfferRow] = ()
    parcels: Sequence[ParcelRow] = ()
    appointments: Sequence[Appointment] = ()
    goals: Sequence[Goal] = ()
    chosen: Sequence[str] = ()
    """Certifications that they aim at; where there are none, whatever is begun counts as a goal."""
    titles: dict[str, str] = field(default_factory=dict)
    """Of certifications, by their names."""


def tasks_of(facts: Facts, today: date) -> list[Task]:
    """At most five."""
    found = [
        *_late(facts.expected),
        *_cases(facts.cases),
        *_agreements(facts.held),
        *_on_their_way(facts.expected, today),
        *_expiring(facts.held, {one.certification: one for one in facts.renewals}, today),
        *_parcels(facts.parcels),
        *_kits(facts.offers),
        *_appointments(facts.appointments, today),
        *_goals(facts),
    ]
    return found[:MOST_TASKS]


def _late(expected: Iterable[Expected]) -> Iterator[Task]:
    for one in expected:
        if one.state in ("late", "overdue"):
            yield Task(
                say("Your {exam} result is late", exam=_exam(one)),
                Chip("warn", mark("Late")),
                late_said(one),
                "/exams",
                say("See your exams"),
            )


def _cases(cases: Iterable[CaseRow]) -> Iterator[Task]:
    for one in cases:
        if one.state == "waiting_for_candidate":
            yield Task(
                say("We asked you something: {title}", title=title_of(one)),
                Chip("warn", mark("Waiting for you")),
                say("Case {number} goes on once you have answered.", number=one.reference),
                f"/cases/{one.case_id}",
                say("Answer"),
                by=True,
            )


def _agreements(held: Iterable[Certification]) -> Iterator[Task]:
    for one in held:
        if one.status == "pending_agreement":
            yield Task(
                say("{certification} is earned", certification=one.title),
                Chip("wait", mark("Waiting for you")),
                say(
                    "Read and accept the agreement to make it active. It counts from the day you earned it, not from "
                    "when you accept."
                ),
                f"/certifications/{one.certification}",
                say("Read the agreement"),
                by=True,
            )


def _on_their_way(expected: Iterable[Expected], today: date) -> Iterator[Task]:
    for one in expected:
        if one.state in ("expected", "being_checked"):
            sat, due = day_there(one.scheduled_at), near(one.due_on, today)
            text = (
                say(
                    "You sat it on {sat}. Results come by {day}. If it's late, we open a case for you; you don't need "
                    "to ask.",
                    sat=near(sat, today),
                    day=due,
                )
                if sat <= today
                else say("Results come by {day}. If it's late, we open a case for you; you don't need to ask.", day=due)
            )
            yield Task(
                say("Your {exam} result is on its way", exam=_exam(one)),
                Chip("wait", mark("Expected")),
                text,
                "/exams",
                say("See your exams"),
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
        way = renewal.ways[0].text if renewal and renewal.ways else None
        title = say("Renew {certification} by {day}", certification=one.title, day=spoken(last_day))
        text = say("Shortest way: {way}", way=way) if way else one.text
        if left == 0:
            title = say("{certification} expires at the end of today", certification=one.title)
            text = say("A pass or credits dated today still count, also if we hear of them later.")
        elif left <= _LAST_DAYS:
            title = say(
                "{certification} expires {when}, on {day}",
                certification=one.title,
                when=in_days(last_day, today),
                day=near(last_day, today),
            )
            text = (
                say("Shortest way: {way} After that day there's no grace time.", way=way)
                if way
                else say("After that day there's no grace time.")
            )
        yield Task(
            title,
            Chip("warn", say_many("{count} day", "{count} days", left) if left else mark("Today")),
            text,
            f"/plan/{one.certification}",
            say("Plan my renewal"),
            by=True,
        )


def _parcels(parcels: Iterable[ParcelRow]) -> Iterator[Task]:
    for one in parcels:
        if one.state == "returned" and one.replaced_by is None:
            yield Task(
                say("Your parcel came back: {title}", title=one.title),
                Chip("warn", mark("Came back")),
                say("Give us an address and we send it again, free of charge."),
                f"/kits/{one.order_id}",
                say("Give an address"),
            )


def _kits(offers: Iterable[OfferRow]) -> Iterator[Task]:
    for one in offers:
        if one.state != "offered":
            continue
        until = day_there(one.claim_until) if one.claim_until else None
        if one.price is not None:
            price = f"{one.price.amount} {one.price.currency}"
            text = say("It is made for you once you order it, for {price}.", price=price)
        elif until is not None:
            text = say("It is yours to claim until {day}, free of charge, once.", day=spoken(until))
        elif one.ships:
            text = say(
                "It is yours to claim, free of charge, once. We need a street address: the carrier can't deliver to "
                "P.O. boxes."
            )
        else:
            text = say("It is yours to claim, free of charge, once.")
        yield Task(
            one.title,
            Chip("off", mark("Pending")),
            text,
            f"/kits/{one.offer_id}/claim",
            say("Order it") if one.price else say("Claim it"),
            by=until is not None and one.price is None,
        )


def _appointments(appointments: Iterable[Appointment], today: date) -> Iterator[Task]:
    for one in appointments:
        if one.scheduled_at is not None:
            when, time = near(day_there(one.scheduled_at), today), clock_time(one.scheduled_at)
            yield Task(
                say("You sit {exam} on {day}", exam=_exam(one), day=when),
                Chip("wait", mark("Booked")),
                say("At {time}, {site}.", time=time, site=one.site) if one.site else say("At {time}.", time=time),
                "/exams",
                say("See your exams"),
            )


def _goals(facts: Facts) -> Iterator[Task]:
    goals = [goal for goal in facts.goals if goal.certification in facts.chosen] if facts.chosen else facts.goals
    for goal in goals:
        title = facts.titles.get(goal.certification, goal.certification)
        ending = [one for one in goal.in_hand if one.counts_through is not None]
        for one in ending:
            yield Task(
                say(
                    "Your {exam} pass counts toward {certification} until {day}",
                    exam=one.exam,
                    certification=title,
                    day=spoken(one.counts_through or date.max),
                ),
                Chip("off", mark("Under way")),
                goal.text,
                f"/plan/{goal.certification}",
                say("See what is missing"),
            )
    if not facts.held and not facts.chosen and facts.goals and not any(goal.in_hand for goal in facts.goals):
        yield Task(
            say("Pick a goal"),
            Chip("off", mark("Not started")),
            say("See which exams a certification takes, and by when."),
            "/plan",
            say("See all certifications"),
        )


def _exam(one: Expected | Appointment) -> str:
    title = one.exam_title if isinstance(one, Expected) else one.title
    return f"{one.exam_code} {title}" if title else one.exam_code
