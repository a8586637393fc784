"""How much waits in the queues of results."""

from services.portal.staff.kit import Count
from services.portal.staff.results.shapes import ChallengePage, Figures, LatePage, UnmatchedPage
from services.portal.staff.results.words import is_late
from services.portal.web.visit import Visit


async def count_unmatched(visit: Visit) -> Count:
    page = await visit.mine("exams", "/unmatched", UnmatchedPage, limit="50")
    return Count(page.count, sum(map(is_late, page.items)))


async def count_late(visit: Visit) -> Count:
    page = await visit.mine("exams", "/late-results", LatePage, limit="1")
    return Count(page.count, page.count)


async def count_challenges(visit: Visit) -> Count:
    page = await visit.mine("exams", "/challenges", ChallengePage, limit="50")
    return Count(len(page.items), sum(item.overdue for item in page.items), more=page.next is not None)


async def figures_at(visit: Visit) -> Figures:
    """A program's numbers. Raises as `mine`."""
    return await visit.mine("exams", "/results-watch", Figures)
