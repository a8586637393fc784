"""How many pairs of accounts wait."""

from services.portal.staff.kit import Count
from services.portal.staff.merges.shapes import Pairs
from services.portal.web.visit import Visit


async def count(visit: Visit) -> Count:
    found = await visit.mine("identity", "/suspected-duplicates", Pairs)
    return Count(len(found.items), more=found.more)
