"""How many badges wait for a person."""

from services.portal.staff.badges.shapes import Provider
from services.portal.staff.kit import Count
from services.portal.web.visit import Visit


async def count(visit: Visit) -> Count:
    found = await visit.mine("certs", "/badge-provider", Provider)
    return Count(found.trouble)
