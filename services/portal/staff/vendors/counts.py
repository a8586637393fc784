"""How much waits in the queues of vendors."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from libs.common.clock import Clock, SystemClock
from libs.common.events import SERVICES
from services.portal.backend.client import Down
from services.portal.staff.kit import Count
from services.portal.staff.vendors.shapes import ParkedPage, RefusedPage
from services.portal.web.visit import Visit, part

MOST: Final = 50
REMEMBERED: Final = timedelta(minutes=1)


async def count_refused(visit: Visit) -> Count:
    page = await visit.backend.read(visit.browser, "exams", "/rejections", RefusedPage, {"limit": str(MOST)})
    return Count(len(page.items), more=page.next is not None)


class ParkedCount:
    """How much is parked, of each program: each look is a connection to the broker in every service, so it is kept.

    Whoever is asked holds the scope to see it; the number is the same for all of them.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Count] = {}

    async def __call__(self, visit: Visit) -> Count:
        """Of all services that answer; whatever is parked is past its promise. Raises `Down` where none does."""
        known = self._known.get(visit.at_desk.program)
        if known is not None and known.at is not None and self._clock.now() < known.at + REMEMBERED:
            return known
        return self.learn(visit, await parked_pages(visit, "1"))

    def learn(self, visit: Visit, found: Iterable[ParkedPage | None]) -> Count:
        """Remember what services have just said. Raises `Down` where none has."""
        pages = [page for page in found if page is not None]
        if not pages:
            raise Down("all")
        waiting, now = sum(page.count for page in pages), self._clock.now()
        self._known[visit.at_desk.program] = Count(waiting, waiting, at=now)
        return Count(waiting, waiting)


async def parked_pages(visit: Visit, limit: str) -> list[ParkedPage | None]:
    """Each service's parked messages, in their order; None of one that does not answer."""
    asked = [part(visit.mine(service, "/parked-messages", ParkedPage, limit=limit)) for service in SERVICES]
    return await asyncio.gather(*asked)


count_parked: Final = ParkedCount(SystemClock())
