"""Which cases stand in which queue, and how many."""

from collections.abc import Mapping

from services.portal.staff.cases.shapes import CasePage
from services.portal.staff.cases.words import late_among
from services.portal.staff.kit import Count, Counting
from services.portal.staff.owners import owned_by
from services.portal.web.visit import Visit


def shelf_of(queue: str) -> dict[str, str]:
    """What a queue holds, as a query to identity."""
    shelves = {
        "name-changes": {"kind": "name"},
        "second-pair": {"state": "decided_once"},
    }
    return shelves.get(queue, {})


def filtered(visit: Visit, given: Mapping[str, str]) -> dict[str, str]:
    """What the filter form asks for, as a query to identity."""
    found = {name: given[name] for name in ("kind", "state", "reference") if given.get(name)}
    return found | owned_by(visit, given.get("owner"))


def count_of(queue: str) -> Counting:
    """How many cases a queue holds."""

    async def count(visit: Visit) -> Count:
        page = await visit.mine("identity", "/cases", CasePage, limit="100", **shelf_of(queue))
        return Count(len(page.items), late_among(page.items), more=page.next is not None)

    return count
