"""All queues and pages of staff, in the order of the list at the side."""

from typing import Final

from services.portal.languages import mark
from services.portal.staff.cases.shelves import count_of
from services.portal.staff.kit import Queue
from services.portal.staff.results.counts import count_challenges, count_late, count_unmatched
from services.portal.staff.vendors.counts import count_parked, count_refused

_ACCOUNTS: Final = frozenset({"accounts:manage"})
_OPERATIONS: Final = frozenset({"operations:read"})

MINE: Final = Queue(
    "mine", mark("My cases"), "waiting", mark("Cases that you have taken."), _ACCOUNTS, count_of("mine")
)
SECOND: Final = Queue(
    "second-pair",
    mark("Second pair of eyes"),
    "waiting",
    mark("Cases that one person has decided and a second has to decide too."),
    _ACCOUNTS,
    count_of("second-pair"),
)
CASES: Final = Queue(
    "cases",
    mark("Cases"),
    "candidates",
    mark("What candidates ask us for, and what we opened by ourselves because something was late or came back."),
    _ACCOUNTS,
    count_of("cases"),
)
NAMES: Final = Queue(
    "name-changes",
    mark("Name changes"),
    "candidates",
    mark("Names that candidates want changed. Certificates bear them, so two people decide as a rule."),
    _ACCOUNTS,
    count_of("name-changes"),
)
AUDIT: Final = Queue(
    "audit",
    mark("Audit"),
    "program",
    mark("Who saw and changed what. Every service keeps a chain of records that shows any change to it."),
    frozenset({"audit:read"}),
)

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
VENDORS: Final = Queue(
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

QUEUES: Final[tuple[Queue, ...]] = (
    MINE,
    SECOND,
    CASES,
    NAMES,
    UNMATCHED,
    LATE,
    CHALLENGES,
    VENDORS,
    REFUSED,
    PARKED,
    RECONCILIATION,
)
"""Add yours here, at its place in its group."""
