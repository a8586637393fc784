"""How many addresses get no mail."""

from services.portal.staff.kit import Count
from services.portal.staff.mail_troubles.shapes import SuppressionPage
from services.portal.web.visit import Visit


async def count(visit: Visit) -> Count:
    page = await visit.mine("notify", "/suppressions", SuppressionPage, limit="100")
    return Count(len(page.items), more=page.next is not None)
