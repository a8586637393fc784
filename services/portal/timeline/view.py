"""Whether somebody wants the picture or its table: said in the address, remembered by the browser."""

from aiohttp import web

from services.portal.web.cookies import Cookies


def wants_table(request: web.Request, cookies: Cookies) -> bool:
    """What the address says, else what was chosen last."""
    said = request.query.get("view")
    return said == "table" if said in ("table", "picture") else cookies.table(request)


def remember_view(answer: web.StreamResponse, request: web.Request, cookies: Cookies) -> None:
    """Keep what the address says, where it says anything."""
    said = request.query.get("view")
    if said in ("table", "picture"):
        cookies.keep_table(answer, table=said == "table")
