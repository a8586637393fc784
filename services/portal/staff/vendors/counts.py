"""How much waits in the queues of vendors."""

import asyncio

from libs.common.events import SERVICES
from services.portal.backend.client import Down
from services.portal.staff.kit import Count
from services.portal.staff.vendors.shapes import ParkedPage, RefusedPage
from services.portal.web.visit import Visit, part

MOST: int = 50


async def count_refused(visit: Visit) -> Count:
    page = await visit.backend.read(visit.browser, "exams", "/rejections", RefusedPage, {"limit": str(MOST)})
    return Count(len(page.items), more=page.next is not None)


async def count_parked(visit: Visit) -> Count:
    """Of all services that answer; whatever is parked is past its promise. Raises `Down` where none does."""
    pages = [page for page in await parked_pages(visit, "1") if page is not None]
    if not pages:
        raise Down("all")
    waiting = sum(page.count for page in pages)
    return Count(waiting, waiting)


async def parked_pages(visit: Visit, limit: str) -> list[ParkedPage | None]:
    """Each service's parked messages, in their order; None of one that does not answer."""
    asked = [part(visit.program_read(service, "/parked-messages", ParkedPage, limit=limit)) for service in SERVICES]
    return await asyncio.gather(*asked)
