"""The queue of what somebody has taken."""

from typing import Final

from services.portal.languages import mark
from services.portal.staff.kit import Queue
from services.portal.staff.mine.shelves import count

MINE: Final = Queue(
    "mine",
    mark("My work"),
    "waiting",
    mark("What you have taken: cases, claims, challenges and unmatched results."),
    frozenset({"accounts:manage"}),
    count,
)
