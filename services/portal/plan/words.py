"""What plans are called, and what they cost, in sentences. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.portal.credits.claims import total
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import spoken
from services.portal.plan.effort import Effort
from services.portal.plan.plans import Case, Plan, gain
from services.portal.web.chips import Chip

_LONGEST: Final = Chip("ok", mark("Longest"))
_KEPT: Final = Chip("ok", mark("Your plan"))
_EXPIRES: Final = Chip("bad", mark("Expires"))
_RENEWS: Final = Chip("ok", mark("Renews it"))


@dataclass(frozen=True, slots=True)
class Action:
    """Where a plan's button or link leads.

    Attributes:
        button: whether it is more than a link.
    """

    label: str
    link: str
    button: bool = True


@dataclass(frozen=True, slots=True)
class Card:
    """A plan as it is shown.

    Attributes:
        name: what its row in the picture is called.
    """

    plan: Plan
    chip: Chip
    title: str
    name: str
    text: tuple[str, ...]
    action: Action | None
    best: bool


def cards_of(case: Case, plans: Sequence[Plan], *, reminded: bool) -> list[Card]:
    """The plans in their order, the best one first.

    Args:
        case: what is to be renewed.
        plans: as `plans_of` has them.
        reminded: whether there are days to come on which we remind.
    """
    return [
        Card(
            plan,
            _chip(plan, best=number == 0),
            _title(case, plan),
            _name(case, plan),
            tuple(_text(case, plan)),
            _action(case, plan, reminded=reminded),
            best=number == 0 and plan.renewed,
        )
        for number, plan in enumerate(plans)
    ]


def heading_of(case: Case, plans: Sequence[Plan], title: str) -> tuple[str, str]:
    """The answer, and what decides."""
    best = plans[0]
    if not best.renewed or best.until is None:
        if case.effort is None:
            return (
                say("{title} can't be renewed as it is now", title=title),
                say("It stays active until {day}. After that it can be earned again.", day=spoken(case.expires_on)),
            )
        return say("Renew {title} by {day}", title=title, day=spoken(case.expires_on)), _lead(case, title)
    days = gain(plans)
    if best.kept:
        return say("Your plan lasts until {day}", day=spoken(best.until)), _lead(case, title)
    if best.kind != "longest" or not days:
        return say("Renew {title} by {day}", title=title, day=spoken(case.expires_on)), _lead(case, title)
    if best.held_until is not None:
        heading = say_many("Hold your credits and gain {count} day", "Hold your credits and gain {count} days", days)
        return heading, _lead(case, title)
    return say_many(
        "Renew by {day} and not today, and gain {count} day",
        "Renew by {day} and not today, and gain {count} days",
        days,
        day=spoken(case.suggested),
    ), _lead(case, title)


def _lead(case: Case, title: str) -> str:
    effort = case.effort
    if effort is None:
        return ""
    if effort.waiting:
        return say(
            "If {exam} is a pass, you can renew {title}. The new time starts on the day the last requirement is met.",
            exam=effort.waiting[0][0],
            title=title,
        )
    if effort.to_do == 0 and effort.waits_for_review:
        return say("Once your claims are accepted, your credits are enough. The day you use them decides.")
    if effort.to_do == 0:
        return say("Your credits are enough. The new time starts on the day you use them, so that day decides.")
    return say("The new time starts on the day the last requirement is met, not on the last day of the present one.")


def _chip(plan: Plan, *, best: bool) -> Chip:
    if not plan.renewed:
        return _EXPIRES
    if best and plan.kind == "longest":
        return _KEPT if plan.kept else _LONGEST
    if plan.costs:
        return Chip("warn", say_many("Costs {count} day", "Costs {count} days", plan.costs))
    if plan.kept:
        return _KEPT
    return _RENEWS


def _title(case: Case, plan: Plan) -> str:
    effort = case.effort
    if plan.kind == "nothing" or effort is None:
        return say("Change nothing") if plan.renewed else say("Do nothing")
    if effort.to_do == 0:
        return _title_of_what_is_there(effort, plan)
    if plan.kind == "longest":
        return _title_of_later(effort, spoken(case.suggested))
    if effort.exams and effort.more:
        exams = ", ".join(effort.exams)
        return say("Pass {exams} and earn {credits} credits now", exams=exams, credits=effort.more)
    if effort.exams:
        return say("Pass {exams} now", exams=", ".join(effort.exams))
    return say_many("Earn {count} credit now", "Earn {count} credits now", effort.more)


def _title_of_later(effort: Effort, day: str) -> str:
    exams = ", ".join(effort.exams)
    if effort.exams and effort.more:
        return say("Pass {exams} and earn {credits} credits by {day}", exams=exams, credits=effort.more, day=day)
    if effort.exams:
        return say("Pass {exams} by {day}", exams=exams, day=day)
    return say_many("Earn {count} credit by {day}", "Earn {count} credits by {day}", effort.more, day=day)


def _title_of_what_is_there(effort: Effort, plan: Plan) -> str:
    count = total(effort.claims)
    if plan.held_until is not None:
        day = spoken(plan.held_until)
        return say_many("Hold {count} credit until {day}", "Hold {count} credits until {day}", count, day=day)
    if count:
        return say_many("Use {count} credit as soon as possible", "Use {count} credits as soon as possible", count)
    return say("Wait for the result")


def _name(case: Case, plan: Plan) -> str:
    if plan.kind == "nothing":
        return _title(case, plan)
    if plan.held_until is not None:
        return say("Hold until {day}", day=spoken(plan.held_until))
    if plan.kind == "longest":
        return say("By {day}", day=spoken(case.suggested))
    return say("As soon as possible")


def _text(case: Case, plan: Plan) -> list[str]:
    effort, end = case.effort, spoken(case.expires_on)
    if not plan.renewed:
        lapse = total(effort.claims) if effort else 0
        if lapse:
            return [
                say_many(
                    "After that day there's no grace time. You'd have to earn it again, and {count} credit lapses.",
                    "After that day there's no grace time. You'd have to earn it again, and {count} credits lapse.",
                    lapse,
                )
            ]
        return [say("After that day there's no grace time. You'd have to earn it again.")]
    found = [say("This is what happens if you change nothing.")] if plan.kept else []
    if plan.kind == "longest":
        found.append(
            say_many(
                "{count} day less than the latest possible.", "{count} days less than the latest possible.", plan.costs
            )
        )
        if effort and effort.waiting and effort.claims:
            found.append(say("If the exam isn't a pass, nothing is lost: your credits stay."))
        elif effort and effort.exams:
            found.append(say("If the first try isn't a pass, there's time for a second one."))
    elif plan.costs:
        found.append(
            say_many(
                "Renewing early costs time: the {count} day left until {day} isn't added on.",
                "Renewing early costs time: the {count} days left until {day} aren't added on.",
                plan.costs,
                day=end,
            )
        )
    if effort and effort.choice > 1 and plan.kind != "nothing":
        found.append(say("{count} exams would do; this one asks the least.", count=effort.choice))
    return found


def _action(case: Case, plan: Plan, *, reminded: bool) -> Action | None:
    effort = case.effort
    if plan.kept:
        return Action(say("Reminder dates"), "#reminders", button=False) if reminded and not plan.renewed else None
    if effort is None or not plan.renewed:
        return None
    if effort.exams:
        return Action(say("Schedule the exam"), "/exams")
    if effort.more:
        return Action(say("Claim credits"), "/credits/claim")
    label = say("Keep this plan") if plan.held_until is not None else say("Use them now")
    return Action(label, f"/plan/{case.certification}/keep?plan={plan.kind}")
