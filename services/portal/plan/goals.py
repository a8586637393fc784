"""How far it is to certifications that are not held: met, missing, and until when a pass counts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from libs.common.programs import Program
from services.portal.languages import say, say_many
from services.portal.languages.days import spoken
from services.portal.plan.shapes import Goal
from services.portal.web.chips import Chip

_SOON: Final = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Met:
    """A pass in hand."""

    text: str
    chip: Chip


@dataclass(frozen=True, slots=True)
class Needed:
    """One thing that is missing.

    Attributes:
        choices: what would do, where there is something to choose from.
    """

    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GoalCard:
    """A certification on the way to it."""

    certification: str
    title: str
    left: str
    """How much is missing, as a sentence."""
    have: int
    of: int
    met: tuple[Met, ...]
    missing: tuple[Needed, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """Certifications of a level that may be aimed at: pairs of id and title."""

    name: str
    choices: tuple[tuple[str, str], ...]


def goal_card(program: Program, goal: Goal, today: date) -> GoalCard:
    """How far one goal is."""
    lacking = sum(one.n for one in goal.missing)
    return GoalCard(
        goal.certification,
        title_of(program, goal.certification),
        say_many("{count} thing is missing.", "{count} things are missing.", lacking),
        len(goal.in_hand),
        len(goal.in_hand) + lacking,
        tuple(
            Met(
                say("{exam}, passed on {day}", exam=exam_name(program, one.exam), day=spoken(one.passed_on)),
                _counts(one.counts_through, today),
            )
            for one in goal.in_hand
        ),
        tuple(_needed(program, one.n, one.exams, one.certifications) for one in goal.missing),
    )


def levels_of(program: Program, goals: Iterable[Goal], chosen: Iterable[str]) -> list[Level]:
    """What may still be aimed at, the lowest level first: what is neither held nor chosen."""
    open_ = {goal.certification for goal in goals} - set(chosen)
    found = []
    for level in program.levels:
        choices = tuple(
            (one.id, one.title) for one in program.certifications.values() if one.level == level and one.id in open_
        )
        if choices:
            found.append(Level(level.replace("-", " ").replace("_", " ").capitalize(), choices))
    return found


def sorted_goals(goals: Sequence[Goal], chosen: Sequence[str]) -> tuple[list[Goal], list[Goal]]:
    """The goals chosen, in the order of choice; and what is begun without being chosen."""
    known: Mapping[str, Goal] = {goal.certification: goal for goal in goals}
    mine = [known[name] for name in chosen if name in known]
    begun = [goal for goal in goals if goal.in_hand and goal.certification not in set(chosen)]
    return mine, begun


def title_of(program: Program, certification: str) -> str:
    known = program.certifications.get(certification)
    return known.title if known else certification


def exam_name(program: Program, code: str) -> str:
    """Code and title of an exam."""
    exam = program.find_exam(code)
    return f"{code} {exam.title}" if exam else code


def _counts(until: date | None, today: date) -> Chip:
    if until is None:
        return Chip("ok", say("Counts without an end"))
    return Chip("warn" if until - today <= _SOON else "ok", say("Counts until {day}", day=spoken(until)))


def _needed(program: Program, n: int, exams: Sequence[str], certifications: Sequence[str]) -> Needed:
    names = [*(exam_name(program, code) for code in exams), *(title_of(program, name) for name in certifications)]
    if len(names) == 1:
        if exams:
            return Needed(say("Pass {exam}", exam=names[0]))
        return Needed(say("Hold {certification}", certification=names[0]))
    if not names:
        return Needed(say("Nothing that is offered now meets this"))
    if certifications and not exams:
        text = say_many("Hold {count} of these:", "Hold {count} of these:", n)
    else:
        text = say_many("Pass {count} of these:", "Pass {count} of these:", n)
    return Needed(text, tuple(names))
