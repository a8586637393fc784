"""At most three plans for one renewal: what each takes, until when it lasts, and what it costs in days. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal

from libs.common.programs.calendar import add_years
from services.portal.plan.effort import Effort
from services.portal.plan.shapes import Assumption, WhatIf

Kind = Literal["longest", "soonest", "nothing"]

SPARE: Final = timedelta(days=4)
"""So long before the last day we suggest to act: one missed step must not cost the certification."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan before anybody has worked it out.

    Attributes:
        acts_on: the day that its last requirement is met; None where nothing happens.
        held_until: the day until which credits in hand are held for it.
        assume: what certs is asked about it; empty where nothing comes true.
    """

    kind: Kind
    acts_on: date | None
    held_until: date | None
    assume: tuple[Assumption, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, worked out.

    Attributes:
        until: last active day; None where it never ends.
        renewed: whether it lasts longer than now.
        costs: days of the present time that are given up.
        less: days that it ends before the longest one.
        kept: whether it is what happens if nobody changes anything.
    """

    kind: Kind
    acts_on: date | None
    held_until: date | None
    until: date | None
    renewed: bool
    costs: int = 0
    less: int = 0
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be renewed, and how.

    Attributes:
        expires_on: last active day.
        spare: how long before it we suggest to act.
        years: how long it lasts from each renewal; None where that is not known.
    """

    certification: str
    expires_on: date
    today: date
    effort: Effort | None
    may_be_held: bool
    spare: timedelta = SPARE
    years: int | None = None

    @property
    def steerable(self) -> bool:
        """Whether the candidate decides on which day it is renewed."""
        effort = self.effort
        return effort is not None and (effort.to_do > 0 or (bool(effort.claims) and self.may_be_held))

    @property
    def suggested(self) -> date:
        """The day that we suggest to those who can choose one."""
        return self.expires_on - self.spare


def spare_of(effort: Effort | None, retake_days: int) -> timedelta:
    """Where an exam is still to be sat, there is time for a second try."""
    return SPARE + timedelta(days=retake_days) if effort is not None and effort.exams else SPARE


def drafts_of(case: Case) -> list[Draft]:
    """The plans to be worked out: the longest, the soonest, and nothing."""
    effort, today = case.effort, case.today
    if effort is None:
        return [Draft("nothing", None, None, ())]
    soonest = today if effort.to_do else effort.ready_on
    found = []
    if case.steerable and case.suggested > max(today, soonest):
        day = case.suggested
        held = day if effort.claims and not effort.to_do else None  # what is still to be done decides by itself
        found.append(Draft("longest", day, held, tuple(effort.assume(day, today, held_until=held))))
    found.append(Draft("soonest", soonest, None, tuple(effort.assume(today, today, held_until=None))))
    if effort.to_do:
        return [*found, Draft("nothing", None, None, ())]
    acts_on = max((effort.ready_on, *(claim.acts_on for claim in effort.claims)))
    held = max((claim.held_until for claim in effort.claims if claim.held_until is not None), default=None)
    if acts_on > case.expires_on:
        return [*found, Draft("nothing", None, None, ())]
    return [*found, Draft("nothing", acts_on, held, tuple(effort.as_it_is(today)))]


def plans_of(case: Case, drafts: Sequence[Draft], answers: Mapping[Kind, WhatIf]) -> list[Plan]:
    """The plans, the longest first; what changes nothing is one of them, or what one of them already is.

    Args:
        case: what is to be renewed.
        drafts: of it.
        answers: what certs says to each that assumes something.
    """
    found = [_plan(case, draft, answers.get(draft.kind)) for draft in drafts]
    active = [plan for plan in found if plan.kind != "nothing" and plan.renewed]
    nothing = next(plan for plan in found if plan.kind == "nothing")
    same = next((plan for plan in active if nothing.renewed and _alike(plan, nothing)), None)
    plans = [replace(plan, kept=plan is same) for plan in active]
    if same is None:
        plans.append(replace(nothing, kept=True))
    plans.sort(key=lambda plan: (plan.renewed, plan.until or date.max), reverse=True)
    best = plans[0].until
    return [replace(plan, less=_days(plan.until, best)) if plan.renewed else plan for plan in plans]


def gain(plans: Sequence[Plan]) -> int:
    """Days that the best plan lasts longer than the next one that renews at all."""
    renewed = [plan for plan in plans if plan.renewed]
    return renewed[1].less if len(renewed) > 1 else 0


def _plan(case: Case, draft: Draft, answer: WhatIf | None) -> Plan:
    after = answer.of(case.certification) if answer is not None else None
    if after is None or (after.expires_on is not None and after.expires_on <= case.expires_on):
        return Plan(draft.kind, None, draft.held_until, case.expires_on, renewed=False)
    acts_on = renewed_on(after.expires_on, case.years, draft.acts_on)
    costs = max(0, (case.expires_on - acts_on).days) if acts_on is not None else 0
    return Plan(draft.kind, acts_on, draft.held_until, after.expires_on, renewed=True, costs=costs)


def renewed_on(until: date | None, years: int | None, expected: date | None) -> date | None:
    """The day on which the time that ends with `until` began: the one expected, unless its length says otherwise."""
    if until is None or years is None or (expected is not None and add_years(expected, years) == until):
        return expected
    return add_years(until, -years)


def _alike(plan: Plan, other: Plan) -> bool:
    return (plan.until, plan.held_until) == (other.until, other.held_until)


def _days(until: date | None, best: date | None) -> int:
    return (best - until).days if best is not None and until is not None else 0
