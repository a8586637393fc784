"""All pages of staff behind the sign-in, as routes."""

from collections.abc import Mapping

from aiohttp import web

from libs.common.programs import Program
from services.portal.staff.announcements.pages import AnnouncementQueue
from services.portal.staff.audit.pages import AuditPage
from services.portal.staff.badges.pages import BadgeQueue
from services.portal.staff.candidates.pages import CandidateView
from services.portal.staff.cases.pages import CaseQueue
from services.portal.staff.claims.pages import ClaimQueue
from services.portal.staff.decisions.pages import DecisionPages
from services.portal.staff.home.account import StaffAccountPage
from services.portal.staff.home.page import StaffHome
from services.portal.staff.hooks.pages import HookPages
from services.portal.staff.mail_troubles.pages import MailTroubleQueue
from services.portal.staff.members.pages import MemberPages
from services.portal.staff.merges.pages import Merges
from services.portal.staff.mine.pages import MyWork
from services.portal.staff.parcels.lists import OrderLists
from services.portal.staff.parcels.pages import ParcelQueue
from services.portal.staff.results.pages import results_pages
from services.portal.staff.rules.pages import RulesPages
from services.portal.staff.search.pages import StaffSearch
from services.portal.staff.systems.pages import SystemPages
from services.portal.staff.vendors.pages import vendor_pages
from services.portal.staff.wording.pages import TemplatePages
from services.portal.web.cookies import Cookies
from services.portal.web.sessions import StaffSessions


def staff_pages(cookies: Cookies, programs: Mapping[str, Program], sessions: StaffSessions) -> list[web.RouteDef]:
    """Every area adds its handlers here."""
    return [
        *StaffHome().routes(),
        *StaffAccountPage(programs).routes(),
        *StaffSearch().routes(),
        *CandidateView(sessions, cookies).routes(),
        *MyWork().routes(),
        *CaseQueue(cookies).routes(),
        *Merges(cookies).routes(),
        *results_pages(cookies),
        *vendor_pages(cookies),
        *BadgeQueue(cookies).routes(),
        *ClaimQueue(cookies).routes(),
        *ParcelQueue(cookies).routes(),
        *OrderLists(cookies).routes(),
        *DecisionPages(cookies).routes(),
        *AnnouncementQueue(cookies).routes(),
        *TemplatePages(cookies).routes(),
        *MailTroubleQueue(cookies).routes(),
        *RulesPages().routes(),
        *HookPages(cookies).routes(),
        *SystemPages(cookies).routes(),
        *MemberPages(cookies).routes(),
        *AuditPage().routes(),
    ]
