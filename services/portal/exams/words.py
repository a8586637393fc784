"""What attempts, challenges and filters are called. Pure."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from services.portal.backend.shapes import Attempt as ShortAttempt
from services.portal.backend.shapes import Expected
from services.portal.exams.shapes import Attempt
from services.portal.languages import mark, say
from services.portal.languages.days import spoken
from services.portal.web.chips import Chip
from services.portal.web.vendor_names import vendor_name

_GRADES: Final = {
    "pass": Chip("ok", mark("Passed")),
    "fail": Chip("bad", mark("Not passed")),
    "pending": Chip("wait", mark("Expected")),
}
_STATES: Final = {
    "waiting": Chip("wait", mark("Expected")),
    "provisional": Chip("wait", mark("Provisional")),
    "invalidated": Chip("bad", mark("Withdrawn by the vendor")),
    "no_show": Chip("off", mark("Not taken")),
    "nda_refused": Chip("off", mark("Not taken")),
    "achieved": Chip("ok", mark("Achieved")),
    "withdrawn": Chip("off", mark("Withdrawn")),
}
CHALLENGES: Final = {
    "open": Chip("wait", mark("Waiting for us")),
    "decided_once": Chip("wait", mark("Waiting for us")),
    "waiting_for_candidate": Chip("warn", mark("Waiting for you")),
    "upheld": Chip("off", mark("Decided: the result stands")),
    "changed": Chip("ok", mark("Decided: the result was changed")),
    "refused": Chip("bad", mark("Refused")),
    "withdrawn": Chip("off", mark("Withdrawn by you")),
}

GROUNDS: Final = (
    ("score", mark("The marking"), mark("You think that the score is wrong.")),
    ("conditions", mark("How the exam was held"), mark("Noise, a computer that failed, a wrong room.")),
    ("integrity", mark("What you are accused of"), mark("You did not do what the vendor says.")),
    ("not_mine", mark("It isn't my attempt"), mark("Somebody else sat this exam.")),
    ("other", mark("Something else"), None),
)
OBSTACLES: Final = {
    "not_offered": mark("This program takes no challenges."),
    "grade": mark("A result like this one can't be challenged."),
    "too_late": mark("The time to challenge it is over."),
    "used_up": mark("It was challenged already, and the decision stands."),
}

GRADES: Final = (("pass", mark("Passed")), ("fail", mark("Not passed")), ("pending", mark("Expected")))
KINDS: Final = (
    ("written", mark("Written exams")),
    ("practical", mark("Practical exams")),
    ("achievement", mark("Achievements")),
)
_FILTERS: Final = {"grade": {value for value, _ in GRADES}, "kind": {value for value, _ in KINDS}}
_SORTS: Final = frozenset({"date", "exam", "grade", "score"})
_MOST: Final = 64


def chip_of(one: Attempt | ShortAttempt) -> Chip:
    """The state of an attempt: by its grade where it has one that counts."""
    found = _STATES.get(one.state) or _GRADES.get(one.grade or "")
    return found or Chip("off", one.state.replace("_", " ").capitalize())


def late_said(one: Expected) -> str:
    """What is done about a result that is late."""
    due = spoken(one.due_on)
    if one.asked_on is not None:
        return say(
            "It was due by {day}. We asked {vendor} about it on {asked} and write to you; you don't need to do "
            "anything.",
            day=due,
            vendor=vendor_name(one.vendor),
            asked=spoken(one.asked_on),
        )
    if one.case_opened:
        return say(
            "It was due by {day}. We opened a case by ourselves and write to you; you don't need to do anything.",
            day=due,
        )
    return say("It was due by {day}. If it doesn't come, we open a case by ourselves.", day=due)


def asked(query: Mapping[str, str]) -> dict[str, str]:
    """What the address asks of the list, as far as the service knows it; anything else is passed over."""
    found = {name: query[name] for name, known in _FILTERS.items() if query.get(name) in known}
    exam = query.get("exam", "").strip()
    if exam:
        found["exam"] = exam[:_MOST]
    if query.get("sort") in _SORTS:
        found["sort"] = query["sort"]
        found["order"] = "asc" if query.get("order") == "asc" else "desc"
    return found


def sort_link(name: str, what: Mapping[str, str]) -> tuple[str, str]:
    """Where a column's head leads, and how the column is sorted now (`aria-sort`; empty where it is not)."""
    current = what.get("sort", "date")
    order = what.get("order", "desc")
    turned = "asc" if current == name and order == "desc" else "desc"
    query = {key: value for key, value in what.items() if key not in ("sort", "order")}
    link = f"/exams?{urlencode(query | {'sort': name, 'order': turned})}#all"
    return link, {"asc": "ascending", "desc": "descending"}[order] if current == name else ""


def base_of(what: Mapping[str, str], path: str = "/exams") -> str:
    """The address of the list with what it asks for."""
    return f"{path}?{urlencode(what)}" if what else path


def case_about(one: Attempt) -> str:
    """Where a case about it is opened, which says so already."""
    exam = one.title or one.exam_code or one.text
    text = say("About {exam} of {day}:", exam=exam, day=spoken(one.taken_on))
    return f"/cases/new?{urlencode({'kind': 'other', 'text': text})}"
