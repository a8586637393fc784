"""All pages of staff behind the sign-in, as routes."""

from collections.abc import Mapping

from aiohttp import web

from libs.common.programs import Program
from services.portal.staff.cases.pages import CaseQueue
from services.portal.staff.home.account import StaffAccountPage
from services.portal.staff.home.page import StaffHome
from services.portal.staff.results.challenges import ChallengeQueue
from services.portal.staff.results.late import LateQueue
from services.portal.staff.results.unmatched import UnmatchedQueue
from services.portal.staff.vendors.files import VendorPages
from services.portal.staff.vendors.parked import ParkedQueue
from services.portal.staff.vendors.reconciliation import ReconciliationPages
from services.portal.staff.vendors.refused import RefusedQueue
from services.portal.web.cookies import Cookies


def staff_pages(cookies: Cookies, programs: Mapping[str, Program]) -> list[web.RouteDef]:
    """Every area adds its handlers here."""
    return [
        *StaffHome().routes(),
        *StaffAccountPage(programs).routes(),
        *CaseQueue(cookies).routes(),
        *UnmatchedQueue(cookies).routes(),
        *LateQueue().routes(),
        *ChallengeQueue(cookies).routes(),
        *VendorPages(cookies).routes(),
        *RefusedQueue().routes(),
        *ParkedQueue(cookies).routes(),
        *ReconciliationPages(cookies).routes(),
    ]
