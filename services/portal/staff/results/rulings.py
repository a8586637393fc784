"""What is said of challenges: their state, what was asked for, and what each decision does. Pure."""

from collections.abc import Sequence
from typing import Final

from libs.common.casework.progress import UNDECIDED
from services.portal.languages import mark, say
from services.portal.languages.days import number, short_day, spoken
from services.portal.staff.kit import NONE, Cell, Fact, Number, Row
from services.portal.staff.people import Names
from services.portal.staff.results.shapes import Challenge, ChallengeLine, Opinion, Outcome, Since, Step
from services.portal.web.chips import Chip

GROUNDS: Final = {
    "score": mark("The marking"),
    "conditions": mark("How the exam was held"),
    "integrity": mark("What they are accused of"),
    "not_mine": mark("Somebody else's attempt"),
    "other": mark("Something else"),
}
STATES: Final = {
    "open": Chip("wait", mark("Waiting for us")),
    "waiting_for_candidate": Chip("off", mark("Waiting for the candidate")),
    "decided_once": Chip("wait", mark("Waiting for a second person")),
    "upheld": Chip("ok", mark("Upheld")),
    "changed": Chip("warn", mark("Changed")),
    "refused": Chip("bad", mark("Refused")),
    "withdrawn": Chip("off", mark("Withdrawn")),
}
_GRADES: Final = {
    "pass": mark("Passed"),
    "fail": mark("Not passed"),
    "pending": mark("Not final"),
    "invalidated": mark("Invalidated"),
}
_STEPS: Final = {
    "opened": mark("The candidate challenged the result"),
    "answered": mark("The candidate wrote"),
    "evidence": mark("The candidate added a document"),
    "asked": mark("{who} asked the candidate"),
    "written": mark("{who} wrote to the candidate"),
    "assigned": mark("{who} gave it to"),
    "unassigned": mark("{who} gave it back"),
    "upholds": mark("{who} would let the result stand"),
    "changes": mark("{who} would change the result"),
    "refuses": mark("{who} would refuse"),
    "disagreed": mark("The two opinions differ; it is open again"),
    "upheld": mark("Decided: the result stands"),
    "changed": mark("Decided: the result is changed"),
    "refused": mark("Decided: refused"),
    "withdrawn": mark("The candidate withdrew it"),
}


def chip_of(one: ChallengeLine) -> Chip:
    if one.overdue:
        return Chip("warn", mark("Past its day"))
    return STATES.get(one.state, Chip("off", one.state))


def row_of(one: ChallengeLine, names: Names) -> Row:
    return Row(
        one.challenge_id,
        (
            Cell(short_day(one.due_on)),
            Cell(one.exam_code, second=say("taken on {day}", day=spoken(one.taken_on)), own=True),
            Cell(one.candidate_id, link=True, own=True),
            Cell(say(GROUNDS.get(one.ground, one.ground))),
            Cell(chip=chip_of(one)),
            Cell(names.of(one.assignee) if one.assignee else NONE, own=bool(one.assignee)),
        ),
    )


def numbers_of(items: Sequence[ChallengeLine], *, more: bool) -> list[Number]:
    waiting = f"{len(items)}+" if more else str(len(items))
    return [
        Number(waiting, say("waiting")),
        Number(sum(one.overdue for one in items), say("past their day")),
        Number(sum(one.state == "decided_once" for one in items), say("waiting for a second person")),
    ]


def outcome_of(outcome: Outcome | None) -> str:
    """`Passed, 812`; what is not there is said."""
    if outcome is None:
        return say("Not known right now")
    return graded(outcome.grade, outcome.score)


def graded(grade: str | None, score: float | None) -> str:
    if grade is None:
        return say("As it is")
    word = say(_GRADES.get(grade, grade))
    return word if score is None else say("{grade}, {score} points", grade=word, score=number(score))


def facts_of(one: Challenge) -> list[Fact]:
    """The result as it was challenged, and as it stands."""
    now = outcome_of(one.result)
    same = None if one.result is None else one.result == one.challenged
    found = [Fact(say("Result"), outcome_of(one.challenged), now, same)]
    if one.decided is not None:
        found.append(Fact(say("Decided"), outcome_of(one.decided), now, None))
    return found


def since_said(since: Sequence[Since]) -> list[str]:
    """What the vendor has said since it was decided."""
    return [
        say(
            "{vendor_says} on {day}; it counts.",
            vendor_says=graded(one.grade, one.score),
            day=spoken(one.said_at.date()),
        )
        if one.counts
        else say(
            "{vendor_says} on {day}; it changes nothing.",
            vendor_says=graded(one.grade, one.score),
            day=spoken(one.said_at.date()),
        )
        for one in since
    ]


def opinion_said(opinion: Opinion, names: Names) -> str:
    who = names.of(opinion.by)
    if opinion.decision == "upheld":
        return say("{who} would let the result stand.", who=who)
    if opinion.decision == "refused":
        return say("{who} would refuse the challenge.", who=who)
    return say("{who} would make it: {outcome}.", who=who, outcome=graded(opinion.grade, opinion.score))


def may_decide(one: Challenge, me: str) -> bool:
    """Whether it is for this person: of four eyes, two belong to somebody else."""
    return one.state in UNDECIDED and (one.first_opinion is None or one.first_opinion.by != me)


def follows(one: Challenge, decision: str, grade: str | None = None, score: float | None = None) -> list[str]:
    """What a decision does, from the rules by which exams carries it out."""
    told = say("A mail tells the candidate that it is decided; your reason stands in it.")
    documents = [say("The documents of the challenge are deleted.")] if one.evidence else []
    if decision == "changed":
        after = [
            say("The result becomes: {outcome}.", outcome=graded(grade or one.challenged.grade, score)),
            say("Certifications follow by themselves, and mails say what changed with them."),
            say("What the vendor repeats changes nothing any more; something new from it does."),
        ]
    elif decision == "upheld":
        after = [say("The result stands as it is: {outcome}.", outcome=outcome_of(one.result or one.challenged))]
    else:
        after = [say("The challenge is closed without a look at the result. Use it where there was nothing to decide.")]
    if one.four_eyes and one.first_opinion is None:
        return [say("Nothing changes yet: someone else must decide the same. Then:"), *after, told, *documents]
    return [*after, told, *documents]


def steps_of(steps: Sequence[Step], names: Names) -> list[tuple[object, str, str]]:
    """What happened, the latest first."""
    return [
        (
            step.at,
            say(_STEPS.get(step.what, "{who}"), who=names.of(step.by)),
            "" if step.note is None else names.of(step.note) if step.what == "assigned" else step.note,
        )
        for step in reversed(steps)
    ]


def taken_at(steps: Sequence[Step]) -> object | None:
    """Since when its owner has it."""
    return next((step.at for step in reversed(steps) if step.what == "assigned"), None)
