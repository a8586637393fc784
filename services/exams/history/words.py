"""What became of an attempt, as a sentence that may stand on a page."""

from datetime import date

from libs.common.languages.days import spoken
from services.exams.history.entries import EntryState, Grade
from services.exams.languages import mark, say

_FIXED: dict[EntryState, str] = {
    "waiting": mark("Taken; its result is still to come"),
    "invalidated": mark("Void: it counts for nothing"),
    "no_show": mark("Not taken: the vendor says that nobody came"),
    "nda_refused": mark("Not taken: the rules of the exam were not agreed to"),
    "achieved": mark("Achieved"),
    "withdrawn": mark("Withdrawn"),
}
_ALONE: dict[Grade | None, str] = {"pass": mark("Passed"), "fail": mark("Not passed"), None: mark("Not graded yet")}
_WITHIN: dict[Grade | None, str] = {"pass": mark("passed"), "fail": mark("not passed"), None: mark("not graded yet")}
_CHANGED: dict[EntryState, str] = {
    "provisional": mark("Provisional: {grade}; the vendor has yet to confirm it"),
    "released": mark("Released: {grade}"),
    "revised": mark("Revised: {grade}"),
    "restored": mark("Restored: {grade}"),
}


def said(state: EntryState, grade: Grade | None) -> str:
    """The sentence for a state and a grade, without a full stop."""
    if state in _FIXED:
        return say(_FIXED[state])
    if state in _CHANGED:
        return say(_CHANGED[state], grade=say(_WITHIN.get(grade, _WITHIN[None])))
    return say(_ALONE.get(grade, _ALONE[None]))


def revised(state: EntryState, grade: Grade | None, effective_on: date, known_on: date) -> str:
    """The sentence for one revision: what it says, from when that holds, since when it is known."""
    return say(
        "{what}, with effect from {day}; known since {known}",
        what=said(state, grade),
        day=spoken(effective_on),
        known=spoken(known_on),
    )
