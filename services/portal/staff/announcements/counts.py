"""How many drafts wait to be published."""

from services.portal.staff.announcements.shapes import AnnouncementPage
from services.portal.staff.kit import Count
from services.portal.web.visit import Visit


async def count(visit: Visit) -> Count:
    page = await visit.mine("notify", "/announcements", AnnouncementPage, limit="100", state="draft")
    return Count(len(page.items), more=page.next is not None)
