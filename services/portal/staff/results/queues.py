"""The queues of results, in their order."""

from typing import Final

from services.portal.languages import mark
from services.portal.staff.kit import Queue
from services.portal.staff.results.counts import count_challenges, count_late, count_unmatched

_OPERATIONS: Final = frozenset({"operations:read"})

UNMATCHED: Final = Queue(
    "unmatched",
    mark("Unmatched"),
    "results",
    mark("Results whose candidate we don't know yet. Nothing is lost: each is kept until it's matched."),
    _OPERATIONS,
    count_unmatched,
)
LATE: Final = Queue(
    "late",
    mark("Late"),
    "results",
    mark("Results past the day we promised. Candidates were told and have a case; the vendor has to answer."),
    _OPERATIONS,
    count_late,
)
CHALLENGES: Final = Queue(
    "challenges",
    mark("Challenges"),
    "results",
    mark("Results that candidates don't accept. Each is decided by a day, as a rule by two people."),
    frozenset({"exams:decide"}),
    count_challenges,
)

RESULTS: Final = (UNMATCHED, LATE, CHALLENGES)
