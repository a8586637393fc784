"""The queue of claims."""

from typing import Final

from services.portal.languages import mark
from services.portal.staff.claims.counts import count
from services.portal.staff.kit import Queue

CLAIMS: Final = Queue(
    "course-claims",
    mark("Course claims"),
    "credits",
    mark("Courses and credits that candidates claim, or that a provider reported without saying all that is needed."),
    frozenset({"certs:review"}),
    count,
)
