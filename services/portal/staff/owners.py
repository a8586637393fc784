"""Who of staff is on an item of a queue: taking it, giving it back, and the lists of what is whose."""

from aiohttp import web

from services.portal.backend.client import Nothing
from services.portal.web.forms import change_key
from services.portal.web.visit import VISIT, Visit


async def own(request: web.Request, service: str, item: str) -> None:
    """Take an item, also from somebody else, or give it back, as the button of the macro `owned` says.

    `item`: its address at the service, below the program's. Raises `Refused`, `SignedOut`.
    """
    visit, form = request[VISIT], await request.post()
    body = {"assignee": visit.at_desk.subject if form.get("take") else None}
    await visit.change("PUT", service, f"{item}/assignee", Nothing, key=await change_key(request), body=body)


def owned_by(visit: Visit, owner: str | None) -> dict[str, str]:
    """Whose items are asked for by the filter `filter_owner`, as a query to a service."""
    if owner == "me":
        return {"assignee": visit.at_desk.subject}
    return {"unassigned": "true"} if owner == "nobody" else {}
