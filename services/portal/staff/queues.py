"""All queues and pages of staff, in the order of the list at the side."""

from typing import Final

from services.portal.languages import mark
from services.portal.staff.cases.shelves import count_of
from services.portal.staff.kit import Queue

_ACCOUNTS: Final = frozenset({"accounts:manage"})

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
DUPLICATES: Final = Queue(
    "suspected-duplicates",
    mark("Suspected duplicates"),
    "candidates",
    mark("Accounts that share an e-mail address. Whether they are of one person is for you to say."),
    _ACCOUNTS,
)
AUDIT: Final = Queue(
    "audit",
    mark("Audit"),
    "program",
    mark("Who saw and changed what. Every service keeps a chain of records that shows any change to it."),
    frozenset({"audit:read"}),
)

QUEUES: Final[tuple[Queue, ...]] = (MINE, SECOND, CASES, NAMES, DUPLICATES, AUDIT)
"""Add yours here, at its place in its group."""
