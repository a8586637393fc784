"""What is said of comparisons with vendors' lists. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from services.portal.languages import mark, say
from services.portal.languages.days import minute, short_day
from services.portal.staff.kit import NONE, Cell, Fact, Row
from services.portal.staff.people import Names
from services.portal.staff.vendors.shapes import Finding, Run, Side
from services.portal.web.chips import Chip
from services.portal.web.vendor_names import vendor_name

KINDS: Final = {
    "missing_here": mark("Only they have it"),
    "missing_there": mark("Only we have it"),
    "different": mark("We differ"),
    "unreadable": mark("A line that can't be read"),
}
ACTIONS: Final = {
    "take_theirs": mark("Their word was taken"),
    "ask_vendor": mark("The vendor is to be asked"),
    "dismiss": mark("Left as it is"),
}
_STATES: Final = {
    "open": mark("Booked"),
    "cancelled": mark("Cancelled"),
    "no_show": mark("Missed"),
    "delivered": mark("Sat"),
}


def run_chip(run: Run) -> Chip:
    if run.state != "done":
        return Chip("wait", mark("Being compared"))
    return Chip("warn", mark("Differences")) if open_of(run) else Chip("ok", mark("All equal"))


def open_of(run: Run) -> int:
    """How many registrations differ."""
    counts = run.counts
    return counts.missing_here + counts.missing_there + counts.different + counts.unreadable


def run_row(run: Run) -> Row:
    counts = run.counts
    return Row(
        run.reconciliation_id,
        (
            Cell(vendor_name(run.vendor), link=True, own=True),
            Cell(short_day(run.first_day), second=say("to {day}", day=short_day(run.last_day).striptags())),
            Cell(str(counts.equal + counts.different + counts.missing_here)),
            Cell(str(counts.equal + counts.different + counts.missing_there)),
            Cell(str(open_of(run)), second=minute(run.created_at)),
            Cell(chip=run_chip(run)),
        ),
    )


def finding_row(one: Finding) -> Row:
    state = Chip("off", ACTIONS.get(one.action.kind, one.action.kind)) if one.action else Chip("warn", mark("Open"))
    name = one.registration_id or say("Line {number}", number=one.line)
    return Row(
        one.finding_id,
        (
            Cell(name, link=True, own=one.registration_id is not None),
            Cell(say(KINDS.get(one.kind, one.kind)), second=one.reason or ""),
            Cell(_side(one.theirs)),
            Cell(_side(one.ours)),
            Cell(chip=state),
        ),
    )


def _side(side: Side | None) -> str:
    return say("nothing") if side is None else state_of(side.state)


def state_of(state: str) -> str:
    return say(_STATES.get(state, state))


def facts_of(one: Finding) -> list[Fact]:
    """What they have beside what we have, fact by fact."""
    if one.theirs is None and one.ours is None:
        return []
    named = {difference.field for difference in one.differences}
    labels: Mapping[str, str] = {
        "candidate_id": say("Candidate"),
        "vendor_candidate_id": say("Vendor's ID"),
        "exam_code": say("Exam"),
        "state": say("State"),
        "scheduled_at": say("Appointment"),
    }
    return [_fact(name, label, one, name in named) for name, label in labels.items()]


def _fact(name: str, label: str, one: Finding, differs: bool) -> Fact:
    theirs, ours = _value(one.theirs, name), _value(one.ours, name)
    compared = one.theirs is not None and one.ours is not None and bool(theirs and ours)
    return Fact(label, theirs or NONE, ours or NONE, (not differs) if compared else None)


def _value(side: Side | None, name: str) -> str:
    value = getattr(side, name) if side is not None else None
    if value is None:
        return ""
    if isinstance(value, datetime):
        return str(minute(value).striptags())
    return state_of(value) if name == "state" else str(value)


def follows(action: str) -> str:
    """What an action does."""
    if action == "take_theirs":
        return say("We keep the registration as they have it, as if they had reported it now. Results find it.")
    if action == "ask_vendor":
        return say("It goes on the list of questions for the vendor, a file to send. Nothing else changes.")
    return say("Nothing changes, and your reason is kept. A reason is needed.")


def choices_of(one: Finding) -> list[tuple[str, str, str]]:
    """What can be done about a finding, with what it does; the vendor's word only where it alone is enough."""
    words = {
        "take_theirs": say("Take their word"),
        "ask_vendor": say("Ask the vendor"),
        "dismiss": say("Leave it as it is"),
    }
    return [
        (action, text, follows(action)) for action, text in words.items() if action != "take_theirs" or one.takeable
    ]


def done_said(one: Finding, names: Names) -> str:
    """What was done about it, and by whom."""
    if one.action is None:
        return ""
    return say(
        "{what}. {who} decided it on {time}.",
        what=say(ACTIONS.get(one.action.kind, one.action.kind)),
        who=names.of(one.action.by),
        time=str(minute(one.action.at).striptags()),
    )
