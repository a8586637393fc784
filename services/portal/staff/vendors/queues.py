"""The queues of vendors, in their order."""

from typing import Final

from services.portal.languages import mark
from services.portal.staff.kit import Queue
from services.portal.staff.vendors.counts import count_parked, count_refused

_OPERATIONS: Final = frozenset({"operations:read"})

OVERVIEW: Final = Queue(
    "vendors",
    mark("Vendors and files"),
    "vendors",
    mark("What became of all that vendors sent: messages, files, and what we sent them."),
    _OPERATIONS,
)
REFUSED: Final = Queue(
    "refused-messages",
    mark("Refused messages"),
    "vendors",
    mark("Vendors' messages that we couldn't take. Each went back with its reasons; most are the vendor's to mend."),
    _OPERATIONS,
    count_refused,
)
PARKED: Final = Queue(
    "parked-messages",
    mark("Parked messages"),
    "vendors",
    mark("Messages that a service could not handle. Others weren't held up; each waits until somebody decides."),
    frozenset({"parked:manage"}),
    count_parked,
)
RECONCILIATION: Final = Queue(
    "reconciliation",
    mark("Reconciliation"),
    "vendors",
    mark("Vendors' lists of registrations compared with ours, difference by difference."),
    frozenset({"exams:manage"}),
)


VENDORS: Final = (OVERVIEW, REFUSED, PARKED, RECONCILIATION)
