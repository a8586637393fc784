"""What vendors are called: learned from exams now and then, so that no page has to ask."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from libs.common.clock import Clock
from services.portal.backend.client import Down, Refused
from services.portal.web.visit import Visit

KNOWN_FOR: Final = timedelta(minutes=10)
"""Names change with a deployment, and a page may be so much behind."""
AGAIN_AFTER: Final = timedelta(minutes=1)
"""Where exams does not say them, so that an outage costs one page its wait and not every page."""

NAMES: Final[ContextVar[Mapping[str, str]]] = ContextVar("vendor names", default={})  # noqa: B039 never changed
"""By what vendors are called on the bus; those of the program of the page that is being written."""


EXAM_VENDORS: Final[ContextVar[Sequence[str]]] = ContextVar("vendors of exams", default=())
"""Of the same program, where exams are taken: of each of them a candidate may have an ID."""


def vendor_name(vendor: str) -> str:
    """What people call a vendor; one that exams has no name for is called as it is on the bus."""
    return NAMES.get().get(vendor, vendor)


class VendorName(BaseModel):
    vendor: str
    name: str
    exams: bool


class Known(BaseModel):
    items: list[VendorName]


class VendorNames:
    """The names of all programs' vendors."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Sequence[VendorName]] = {}
        self._until: dict[str, datetime] = {}

    async def learn(self, visit: Visit) -> None:
        """Let the page of a visit know them."""
        program, now = visit.program.id if visit.program else "", self._clock.now()
        if program and visit.browser.token is not None and self._until.get(program, now) <= now:
            self._until[program] = now + AGAIN_AFTER  # nobody else asks meanwhile
            self._until[program] = now + await self._ask(visit, program)
        known = self._known.get(program, ())
        NAMES.set({one.vendor: one.name for one in known})
        EXAM_VENDORS.set([one.vendor for one in known if one.exams])

    async def _ask(self, visit: Visit, program: str) -> timedelta:
        """Returns for how long the answer is good; what was known before stays where there is none."""
        try:
            found = await visit.backend.read(visit.browser, "exams", f"/programs/{program}/vendor-names", Known)
        except (Down, Refused):
            return AGAIN_AFTER
        self._known[program] = found.items
        return KNOWN_FOR
