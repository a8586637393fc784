"""What is said of unmatched and late results: likeness, facts side by side, and what an assignment does. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from services.portal.languages import mark, say, say_many
from services.portal.languages.days import day_there, minute, short_day, spoken
from services.portal.staff.kit import NONE, Cell, Fact, Number, Row
from services.portal.staff.people import Names
from services.portal.staff.results import asking
from services.portal.staff.results.shapes import (
    Figures,
    Handling,
    Late,
    LatePage,
    Person,
    Registration,
    Suggestion,
    Unmatched,
    UnmatchedDetail,
    WhatIf,
)
from services.portal.web.chips import Chip
from services.portal.web.vendor_names import vendor_name

AFTER_DAYS: Final = 3
"""From then on an unmatched result is past its promise: two business days, and no weekend makes it later than this."""
_STRONG, _WEAK = 75, 50
_HANDLED: Final = {
    "taken": mark("{who}: took it"),
    "given": mark("{who}: gave it to somebody"),
    "left": mark("{who}: gave it back"),
    "assigned": mark("{who} assigned it to {candidate}"),
    "unassigned": mark("{who} took the assignment back"),
    "asked_vendor": mark("{who} asked the vendor"),
    "noted": mark("{who} noted"),
}


def likeness(suggestions: Sequence[Suggestion]) -> Chip:
    """How likely the first suggestion is: strong, weak, one of several, or none."""
    if not suggestions:
        return Chip("off", mark("None yet"))
    first = suggestions[0].score
    if len(suggestions) > 1 and suggestions[1].score >= first - 10:
        return Chip("warn", mark("Several candidates"))
    if first >= _STRONG:
        return Chip("ok", mark("Strong"))
    return Chip("warn", mark("Likely")) if first >= _WEAK else Chip("warn", mark("Weak"))


def is_late(item: Unmatched) -> bool:
    return item.age_days >= AFTER_DAYS


def due_on(item: Unmatched) -> date:
    """The day on which it is past its promise, in the reader's zone."""
    return day_there(item.received_at + timedelta(days=AFTER_DAYS))


def hint_of(item: Unmatched) -> Chip:
    """What a list can say of likeness: whether the registration is somebody's."""
    if item.registration is not None and item.registration.candidate_id:
        return Chip("ok", mark("Registered"))
    if item.asked_vendor_at is not None:
        return Chip("wait", mark("Vendor was asked"))
    return Chip("off", mark("Open it to see"))


def unmatched_row(item: Unmatched, names: Names) -> Row:
    waits = say_many("for {count} day", "for {count} days", item.age_days) if item.age_days else say("since today")
    return Row(
        item.item_id,
        (
            Cell(minute(item.received_at), second=waits),
            Cell(item.exam_code, second=say("taken on {day}", day=spoken(item.taken_on)), own=True),
            Cell(item.vendor_candidate_id, second=vendor_name(item.vendor), link=True, own=True),
            Cell(item.registration_id, own=True),
            Cell(chip=hint_of(item)),
            Cell(names.of(item.assignee) if item.assignee else NONE),
        ),
    )


def unmatched_numbers(count: int, late: int, figures: Figures | None) -> list[Number]:
    found = [Number(count, say("waiting")), Number(late, say("waiting for more than 2 business days"))]
    if figures is not None and figures.oldest_unmatched_days is not None:
        found.append(Number(figures.oldest_unmatched_days, say("days is the longest wait")))
    return found


def facts_of(item: UnmatchedDetail, person: Person | None) -> list[Fact]:
    """What the vendor sent beside what we hold of the candidate who may be meant."""
    registration = item.registration
    if person is None:
        return [
            Fact(say("Vendor's ID"), item.vendor_candidate_id),
            Fact(say("Registration"), item.registration_id, _whose(registration)),
            Fact(say("Exam"), item.exam_code),
            Fact(say("Taken on"), short_day(item.taken_on)),
        ]
    theirs = [each.external_id for each in person.external_ids if each.system == item.vendor]
    own = item.vendor_candidate_id == person.candidate_id
    mine = registration is not None and registration.candidate_id == person.candidate_id
    facts = [
        Fact(
            say("Vendor's ID"),
            item.vendor_candidate_id,
            say(", ").join(theirs) or say("no ID at {vendor}", vendor=vendor_name(item.vendor)),
            own or item.vendor_candidate_id in theirs,
        ),
        Fact(say("Registration"), item.registration_id, _whose(registration), mine),
    ]
    if registration is None or not mine:
        return [*facts, Fact(say("Exam"), item.exam_code), Fact(say("Taken on"), short_day(item.taken_on))]
    booked = registration.scheduled_at
    return [
        *facts,
        Fact(say("Exam"), item.exam_code, registration.exam_code, item.exam_code == registration.exam_code),
        Fact(
            say("Taken on"),
            short_day(item.taken_on),
            short_day(booked.date()) if booked else say("no appointment"),
            booked is not None and booked.date() == item.taken_on,
        ),
    ]


def _whose(registration: Registration | None) -> str:
    if registration is None:
        return say("not known here")
    return registration.candidate_id or say("known, and nobody's yet")


def fitting(facts: Sequence[Fact]) -> str:
    """How many of the facts that can be compared fit."""
    compared = [fact for fact in facts if fact.fits is not None]
    fit = sum(bool(fact.fits) for fact in compared)
    return say("{fit} of {all} facts fit.", fit=fit, all=len(compared))


def follows(item: UnmatchedDetail, person: Person, what_if: WhatIf | None) -> list[str]:
    """What an assignment changes. Its grade is known to nobody before."""
    found = [
        say(
            "The result counts for {candidate} from {day}, and one mail tells them.",
            candidate=person.candidate_id,
            day=spoken(item.taken_on),
        )
    ]
    if what_if is not None and what_if.changes:
        found.append(say("If it is a pass, this is what it would change as of today:"))
        found += [change.text for change in what_if.changes]
    elif what_if is not None:
        found.append(say("Whether it is a pass or not, no certification changes by it today."))
    else:
        found.append(say("What a pass would change can't be worked out right now."))
    found.append(say("Other results under the same ID still wait; you can link the ID afterwards."))
    found.append(say("It can be taken back at any time."))
    return found


def handled(steps: Sequence[Handling], names: Names) -> list[tuple[object, str, str]]:
    """What staff did, the latest first."""
    return [_step(step, names) for step in reversed(steps)]


def _step(step: Handling, names: Names) -> tuple[object, str, str]:
    who = names.of(step.by)
    if step.what == "taken":
        if step.by == step.text:
            return step.at, say(_HANDLED["taken"], who=who), ""
        return step.at, say(_HANDLED["given"], who=who), names.of(step.text)
    return step.at, say(_HANDLED.get(step.what, "{who}"), who=who, candidate=step.candidate_id or ""), step.text


def late_chip(item: Late) -> Chip:
    return Chip("bad", mark("Overdue")) if item.stage == "overdue" else Chip("warn", mark("Late"))


def late_row(item: Late, today: date) -> Row:
    days = say_many("{count} business day", "{count} business days", item.business_days_late)
    return Row(
        item.late_id,
        (
            Cell(days, second=say("due on {day}", day=spoken(item.due_on))),
            Cell(item.exam_code, second=say("sat on {day}", day=spoken(item.scheduled_at.date())), own=True),
            Cell(item.registration_id, second=vendor_name(item.vendor), link=True, own=True),
            Cell(item.candidate_id or say("not known yet"), own=item.candidate_id is not None),
            Cell(chip=late_chip(item)),
            Cell(chip=asking.chip_of(item, today), second=asking.since_said(item)),
        ),
    )


def late_numbers(page: LatePage, figures: Figures | None, today: date) -> list[Number]:
    found = [Number(page.count, say("past their promise")), Number(page.to_ask, say("to ask the vendor about"))]
    if figures is not None:
        found.append(Number(figures.overdue, say("overdue")))
        found.append(Number(figures.expected, say("still in time")))
        if figures.oldest_due_on is not None:
            found.append(Number((today - figures.oldest_due_on).days, say("days since the oldest was due")))
    return found


def late_facts(item: Late) -> list[Fact]:
    return [
        Fact(say("Registration"), item.registration_id),
        Fact(say("Vendor"), vendor_name(item.vendor)),
        Fact(say("Exam"), item.exam_code),
        Fact(say("Sat on"), minute(item.scheduled_at)),
        Fact(say("Promised by"), short_day(item.due_on)),
        Fact(say("Overdue from"), short_day(item.overdue_on)),
    ]


def late_said(item: Late) -> str:
    """What the candidate has been told."""
    if item.told:
        return say("The candidate was told, and a case is open. It closes by itself when the result comes.")
    if item.candidate_id is None:
        return say("Nobody was told: it is not known whose registration this is.")
    return say("The candidate is told within the hour, and a case opens by itself.")


def question_about(items: Sequence[Late], program: str) -> str:
    """A mail to a vendor about results that have not come, to be sent as it is."""
    lines = [
        say(
            "{registration}: exam {exam}, sat on {day}, due by {due}",
            registration=item.registration_id,
            exam=item.exam_code,
            day=item.scheduled_at.date().isoformat(),
            due=item.due_on.isoformat(),
        )
        for item in items
    ]
    return "\n".join(
        [
            say("These results for {program} have not reached us:", program=program),
            "",
            *lines,
            "",
            say("Please report them, or tell us that the exam was not taken."),
        ]
    )


def late_line(item: Late) -> Mapping[str, object]:
    """A row of the file for a vendor: nothing of it says who a candidate is."""
    return {
        "vendor": item.vendor,
        "registration_id": item.registration_id,
        "exam_code": item.exam_code,
        "scheduled_at": item.scheduled_at,
        "due_on": item.due_on.isoformat(),
        "business_days_late": item.business_days_late,
    }
