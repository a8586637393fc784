"""What the candidate tries: an exam, credits, or both, each on a day. Nothing is changed or booked by it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from pydantic import Field

from libs.common.programs import Program
from services.portal.credits.claims import Claim, total
from services.portal.languages import say, say_many
from services.portal.languages.days import spoken
from services.portal.plan.effort import claimed
from services.portal.plan.goals import title_of
from services.portal.plan.plans import Plan, renewed_on
from services.portal.plan.shapes import Assumption, Outcome
from services.portal.web.chips import ChipKind
from services.portal.web.forms import Answers, Unfit

_WAITED_FOR: Final = timedelta(days=90)
"""A result on its way is of a day that has gone by; certs takes one so old."""
_FARTHEST: Final = timedelta(days=366 * 30)
MOST_CREDITS: Final = 1_000


class Trial(Answers):
    exam: str | None = None
    exam_on: date | None = None
    credits: int = Field(default=0, ge=0, le=MOST_CREDITS)
    credits_on: date | None = None


def sentences() -> dict[str, str]:
    """What to do about each field."""
    return {
        "exam_on": say("Enter the day of the exam as day, month and year"),
        "credits": say("Enter how many credits as a number from 0 to 1000"),
        "credits_on": say("Enter the day to use them as day, month and year"),
    }


def check(trial: Trial, program: Program, today: date) -> None:
    """Raises `Unfit` where it makes no sense."""
    faults: dict[str, str] = {}
    if trial.exam is None and not trial.credits:
        faults["exam"] = say("Choose an exam, or enter credits")
    if trial.exam is not None and program.find_exam(trial.exam) is None:
        faults["exam"] = say("Choose an exam of the list")
    if trial.exam is not None:
        if trial.exam_on is None:
            faults["exam_on"] = say("Enter the day of the exam as day, month and year")
        elif not today - _WAITED_FOR <= trial.exam_on <= today + _FARTHEST:
            faults["exam_on"] = say("Enter a day of the last 90 days or to come")
    if trial.credits and trial.credits_on is not None and not today <= trial.credits_on <= today + _FARTHEST:
        faults["credits_on"] = say("Enter today or a day to come")
    if faults:
        raise Unfit(faults)


def assumptions_of(trial: Trial, claims: Sequence[Claim], today: date, *, may_be_held: bool) -> list[Assumption]:
    """What certs is asked: credits in hand come first, and what is beyond them is still to be earned."""
    found: list[Assumption] = []
    if trial.exam is not None and trial.exam_on is not None:
        found.append({"exam": trial.exam, "on": trial.exam_on.isoformat()})
    left, day = trial.credits, trial.credits_on or today
    for claim in claims:
        if may_be_held and claim.credits <= left:
            found.append(claimed(claim, today, day))
            left -= claim.credits
    if left:
        found.append({"credits": left, "on": day.isoformat()})
    return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What would follow.

    Attributes:
        plan: to be drawn; None where nothing would be held.
    """

    kind: ChipKind
    title: str
    text: str
    plan: Plan | None


def answer_of(trial: Trial, title: str, expires_on: date | None, after: Outcome | None, *, years: int | None) -> Answer:
    """The answer about one certification.

    Args:
        trial: what is tried.
        title: of the certification.
        expires_on: until when it is active now; None where it is not held.
        after: as it would be; None where it would not be active.
        years: how long it lasts from each renewal; None where that is not known.
    """
    if after is None:
        return Answer(
            "off", say("That's not enough for {title}", title=title), say("Something is still missing."), None
        )
    if after.expires_on is None:
        return Answer("ok", say("{title} would never expire", title=title), "", None)
    if expires_on is None:
        text = say("Active until {day}.", day=spoken(after.expires_on))
        return Answer("ok", say("You'd have earned {title}", title=title), text, None)
    if after.expires_on <= expires_on:
        nothing = Plan("nothing", None, None, expires_on, renewed=False)
        text = say("{title} stays active until {day}.", title=title, day=spoken(expires_on))
        return Answer("off", say("That doesn't renew it"), text, nothing)
    days = (trial.exam_on if trial.exam else None, trial.credits_on if trial.credits else None)
    acts_on = renewed_on(after.expires_on, years, max((day for day in days if day is not None), default=None))
    costs = max(0, (expires_on - acts_on).days) if acts_on is not None else 0
    plan = Plan("soonest", acts_on, None, after.expires_on, renewed=True, costs=costs)
    heading = say("{title} would be active until {day}", title=title, day=spoken(after.expires_on))
    if not costs:
        return Answer("ok", heading, "", plan)
    return Answer(
        "warn",
        heading,
        say_many(
            "That costs {count} day: what is left until {day} isn't added on.",
            "That costs {count} days: what is left until {day} isn't added on.",
            costs,
            day=spoken(expires_on),
        ),
        plan,
    )


def prefilled(
    exams: Sequence[str], waiting: Mapping[str, date], claims: Sequence[Claim], today: date, suggested: date
) -> dict[str, Any]:
    """What stands in the form before anything is tried."""
    exam = next((code for code in exams if code in waiting), None)
    taken = waiting[exam] if exam is not None else today
    return {"exam": exam or "", "exam_on": taken, "credits": total(claims), "credits_on": max(today, suggested)}


@dataclass(frozen=True, slots=True)
class Moved:
    """A certification that would move.

    Attributes:
        better: whether it lasts longer then, or is new.
    """

    title: str
    text: str
    better: bool = True


def also_moved(
    program: Program, certification: str, now: Mapping[str, date | None], outcome: Sequence[Outcome]
) -> list[Moved]:
    """What else would be earned or last longer.

    Args:
        program: names it.
        certification: what the plan is about.
        now: until when each active certification lasts.
        outcome: as everything would be.
    """
    found = []
    for one in outcome:
        if one.certification == certification or one.status != "active":
            continue
        title = title_of(program, one.certification)
        if one.certification not in now:
            found.append(Moved(title, _earned(one.expires_on)))
            continue
        before = now[one.certification]
        if before is not None and one.expires_on is not None and one.expires_on > before:
            text = say("From {before} to {after}", before=spoken(before), after=spoken(one.expires_on))
            found.append(Moved(title, text))
    return found


def moved_by(program: Program, before: Sequence[Outcome], after: Sequence[Outcome]) -> list[Moved]:
    """What ends on another day after a change than without it."""
    ends = {one.certification: one.expires_on for one in before}
    found = []
    for one in after:
        title = title_of(program, one.certification)
        if one.certification not in ends:
            found.append(Moved(title, _earned(one.expires_on)))
            continue
        was, now = ends[one.certification], one.expires_on
        if was is not None and now is not None and was != now:
            text = say("Active until {after} instead of {before}", before=spoken(was), after=spoken(now))
            found.append(Moved(title, text, better=now > was))
    return found


def _earned(until: date | None) -> str:
    return say("Earned too, active until {day}", day=spoken(until)) if until else say("Earned too, never expires")
