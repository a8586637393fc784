"""What became of an attempt, as a sentence that may stand on a page."""

from datetime import date

from libs.common.spoken import spoken
from services.exams.history.entries import EntryState, Grade

WAITING = "Taken; its result is still to come"

_FIXED: dict[EntryState, str] = {
    "waiting": WAITING,
    "invalidated": "Void: it counts for nothing",
    "no_show": "Not taken: the vendor says that nobody came",
    "nda_refused": "Not taken: the rules of the exam were not agreed to",
    "achieved": "Achieved",
    "withdrawn": "Withdrawn",
}
_GRADED: dict[Grade | None, str] = {"pass": "passed", "fail": "not passed"}
_BEFORE: dict[EntryState, str] = {"released": "Released: ", "revised": "Revised: ", "restored": "Restored: "}
_NO_GRADE = "not graded yet"


def said(state: EntryState, grade: Grade | None) -> str:
    """The sentence for a state and a grade, without a full stop."""
    if state in _FIXED:
        return _FIXED[state]
    graded = _GRADED.get(grade, _NO_GRADE)
    if state == "provisional":
        return f"Provisional: {graded}; the vendor has yet to confirm it"
    text = _BEFORE.get(state, "") + graded
    return text[0].upper() + text[1:]


def revised(state: EntryState, grade: Grade | None, effective_on: date, known_on: date) -> str:
    """The sentence for one revision: what it says, from when that holds, since when it is known."""
    return f"{said(state, grade)}, with effect from {spoken(effective_on)}; known since {spoken(known_on)}"
