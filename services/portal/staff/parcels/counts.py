"""How many parcels came back."""

from services.portal.staff.kit import Count
from services.portal.staff.parcels.shapes import OrderPage
from services.portal.web.visit import Visit


async def count(visit: Visit) -> Count:
    """Those that nobody has sent again. None is past a promise: the new order has a promise of its own."""
    page = await visit.mine("fulfillment", "/orders", OrderPage, limit="100", state="returned")
    return Count(sum(order.replaced_by is None for order in page.items), more=page.next is not None)
