"""How many claims wait."""

from services.portal.staff.claims.shapes import ReviewPage
from services.portal.staff.kit import Count
from services.portal.web.visit import Visit


async def count(visit: Visit) -> Count:
    page = await visit.mine("certs", "/reviews", ReviewPage, limit="100")
    return Count(len(page.items), sum(each.overdue for each in page.items), more=page.next is not None)
