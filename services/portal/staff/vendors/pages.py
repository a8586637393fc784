"""All pages of vendors, as routes."""

from aiohttp import web

from services.portal.staff.vendors.files import VendorPages
from services.portal.staff.vendors.parked import ParkedQueue
from services.portal.staff.vendors.reconciliation import ReconciliationPages
from services.portal.staff.vendors.refused import RefusedQueue
from services.portal.web.cookies import Cookies


def vendor_pages(cookies: Cookies) -> list[web.RouteDef]:
    return [
        *VendorPages(cookies).routes(),
        *RefusedQueue().routes(),
        *ParkedQueue(cookies).routes(),
        *ReconciliationPages(cookies).routes(),
    ]
