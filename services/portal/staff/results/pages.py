"""All pages of results, as routes."""

from aiohttp import web

from services.portal.staff.results.challenges import ChallengeQueue
from services.portal.staff.results.late import LateQueue
from services.portal.staff.results.unmatched import UnmatchedQueue
from services.portal.web.cookies import Cookies


def results_pages(cookies: Cookies) -> list[web.RouteDef]:
    return [*UnmatchedQueue(cookies).routes(), *LateQueue(cookies).routes(), *ChallengeQueue(cookies).routes()]
