"""The queues of cases, in their order."""

from typing import Final

from services.portal.languages import mark
from services.portal.staff.cases.shelves import count_of
from services.portal.staff.kit import Queue

_ACCOUNTS: Final = frozenset({"accounts:manage"})

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
