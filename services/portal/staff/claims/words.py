"""Claims in words. Pure."""

from collections.abc import Sequence
from typing import Final

from services.portal.languages import mark, say, say_many
from services.portal.languages.days import day_there, short_day, spoken
from services.portal.staff.claims.shapes import Review
from services.portal.staff.kit import NONE, PAST_PROMISE, Cell, Fact, Number, Row
from services.portal.staff.people import Names
from services.portal.web.chips import Chip
from services.portal.web.vendor_names import vendor_name

STATES: Final = {
    "unmatched": Chip("warn", mark("Nobody known")),
    "pending": Chip("wait", mark("In review")),
    "accepted": Chip("ok", mark("Accepted")),
    "rejected": Chip("bad", mark("Rejected")),
    "withdrawn": Chip("off", mark("Withdrawn")),
}
OPEN: Final = ("pending", "unmatched")


def chip_of(review: Review) -> Chip:
    """Its state; lateness goes before."""
    return PAST_PROMISE if review.overdue else STATES.get(review.state, Chip("off", review.state))


def row_of(review: Review, names: Names) -> Row:
    worth = (
        say_many("{count} credit", "{count} credits", review.credits)
        if review.credits is not None
        else say("Course")
        if review.kind == "course"
        else NONE
    )
    return Row(
        review.submission_id,
        (
            Cell(short_day(review.due_on)),
            Cell(review.title, second=review.item, link=True, own=True),
            Cell(review.candidate_id or NONE, own=True),
            Cell(worth),
            Cell(say_many("{count} file", "{count} files", len(review.evidence)) if review.evidence else NONE),
            Cell(chip=chip_of(review)),
            Cell(names.of(review.assignee) if review.assignee else NONE),
        ),
    )


def numbers_of(reviews: Sequence[Review], more: bool) -> list[Number]:
    """The three numbers above the queue."""
    return [
        Number(f"{len(reviews)}+" if more else len(reviews), say("waiting")),
        Number(sum(each.overdue for each in reviews), say("past their promise")),
        Number(sum(each.origin == "report" for each in reviews), say("reported by providers")),
    ]


def facts_of(review: Review) -> list[Fact]:
    """What came in. What the program needs and nobody has said stands as missing."""
    found = [
        (say("Course or activity"), f"{review.title} ({review.item})"),
        (say("Completed"), spoken(review.completed_on)),
        (say("Came in"), spoken(day_there(review.submitted_at))),
        (say("Credits"), str(review.credits) if review.credits is not None else None),
        (say("Level"), review.level),
        (say("Track"), review.track),
        (say("Delivery"), review.delivery),
        (say("On hold until"), spoken(review.held_until) if review.held_until else None),
        (say("Note of the candidate"), review.note),
        (say("Reported by"), vendor_name(review.vendor) if review.vendor else None),
    ]
    return [Fact(name, value) for name, value in found if value]


def missing_of(review: Review) -> list[str]:
    """The fields that an acceptance must put in."""
    found = [] if review.candidate_id else ["candidate_id"]
    if review.kind == "credits":
        return [*found, *(() if review.credits is not None else ("credits",))]
    return [*found, *(name for name in ("level", "track") if getattr(review, name) is None)]
