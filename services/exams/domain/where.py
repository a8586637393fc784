"""Where a result is, as a sentence: the same words in the page, in lists and in answers."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from libs.common.languages.days import spoken
from services.exams.languages import mark, say

Code = Literal[
    "not_booked",
    "ahead",
    "cancelled",
    "no_show",
    "expected",
    "late",
    "overdue",
    "waiting_for_mapping",
    "being_checked",
    "arrived",
]

_SENTENCES: Mapping[Code, str] = {
    "not_booked": mark(
        "No appointment of this kind is known under your ID. If you booked it under another ID of the test "
        "vendor's, claim that ID."
    ),
    "ahead": mark("Your appointment for {exam} is on {on}. There is no result before it; results come by {due}."),
    "cancelled": mark("Your appointment for {exam} on {on} was cancelled, so there is no result."),
    "no_show": mark("The test vendor says that the appointment for {exam} on {on} was missed, so there is no result."),
    "expected": mark(
        "Your {exam} result is on its way. Your appointment was on {on}. Results come by {due}. If it is late, "
        "we open a case for you; you need not ask."
    ),
    "late": mark("Your {exam} result is late. It was due by {due}. {case}"),
    "overdue": mark("Your {exam} result is overdue. It was due by {due}. {case}"),
    "waiting_for_mapping": mark(
        "A result of your appointment for {exam} on {on} has come under an ID that is not linked to "
        "you. It stands in your history as soon as it is: claim that ID with your registration."
    ),
    "being_checked": mark("The test vendor has reported on {exam} of {on} and is still checking it."),
    "arrived": mark("Your {exam} result of {on} has come. It stands in your exam history."),
}
_WITH_CASE = mark("We have opened a case by ourselves and look for it with the test vendor; you need not do anything.")
_WITHOUT_CASE = mark("Open a case, and we look for it with the test vendor.")
_ASKED_WITH_CASE = mark(
    "We have opened a case by ourselves, and asked {vendor} about it on {asked}; you need not do anything."
)
_ASKED = mark("We asked {vendor} about it on {asked}; you need not do anything.")


def sentence(
    code: Code,
    *,
    exam: str = "",
    day: date | None = None,
    due_on: date | None = None,
    case_opened: bool = False,
    vendor: str = "",
    asked_on: date | None = None,
) -> str:
    """What a candidate is told; `asked_on` is when the vendor was last asked for a late result.

    Of a result that is being checked it says the same whatever the reason, so that nobody learns of an embargo.
    """
    if asked_on is not None:
        case = say(_ASKED_WITH_CASE if case_opened else _ASKED, vendor=vendor, asked=spoken(asked_on))
    else:
        case = say(_WITH_CASE if case_opened else _WITHOUT_CASE)
    on, due = (spoken(each) if each else "" for each in (day, due_on))
    return say(_SENTENCES[code], exam=exam, on=on, due=due, case=case)
