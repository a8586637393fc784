"""All pages of staff behind the sign-in, as routes."""

from collections.abc import Mapping

from aiohttp import web

from libs.common.programs import Program
from services.portal.staff.cases.pages import CaseQueue
from services.portal.staff.home.account import StaffAccountPage
from services.portal.staff.home.page import StaffHome
from services.portal.web.cookies import Cookies


def staff_pages(cookies: Cookies, programs: Mapping[str, Program]) -> list[web.RouteDef]:
    """Every area adds its handlers here."""
    return [
        *StaffHome().routes(),
        *StaffAccountPage(programs).routes(),
        *CaseQueue(cookies).routes(),
    ]
