"""Pages of the portal: how long each takes from the request to its last byte, and how much it weighs."""

import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

import aiohttp

from tests.bench.processes import BenchError
from tests.bench.report import table
from tests.bench.runs import percentile
from tests.e2e.portal.colleagues import at_desk, colleague
from tests.e2e.portal.people import World
from tests.gallery.story import AMARA
from tests.gallery.world import open_world, tell

CANDIDATE: Final = (
    *("/", "/certifications", "/certifications/CCNP-Enterprise", "/plan", "/plan/CCNP-Enterprise", "/credits"),
    *("/credits/claim", "/exams", "/kits", "/share", "/mails", "/profile", "/profile/ids", "/settings", "/security"),
    *("/cases", "/my-data", "/account"),
)
STAFF: Final = (
    *("/staff", "/staff/search?q=okafor", "/staff/candidates/{id}?item=bench", "/staff/cases", "/staff/unmatched"),
    *("/staff/late", "/staff/suspected-duplicates", "/staff/course-claims", "/staff/reconciliation", "/staff/vendors"),
)
ANYBODY: Final = ("/sign-in/cisco", "/accessibility")


async def page_table(requests: int) -> str:
    """Each page so many times, one after the other, of a platform with all its processes and nobody else on it.

    Raises:
        BenchError: a page was not answered with 200.
    """
    async with open_world() as world:
        amara = await tell(world, AMARA)
        async with world.signed_in(amara) as context:
            rows = await _rows(world, CANDIDATE, await context.cookies(), requests)
        async with at_desk(world, await colleague(world, "manager")) as context:
            paths = [path.format(id=amara.candidate_id) for path in STAFF]
            rows += await _rows(world, paths, await context.cookies(), requests)
        rows += await _rows(world, ANYBODY, [], requests)
    return table("Pages of the portal, one request at a time", ("page", "median ms", "p95 ms", "kB of HTML"), rows)


async def _rows(
    world: World, paths: Sequence[str], cookies: Sequence[Mapping[str, Any]], requests: int
) -> list[list[str]]:
    rows = []
    headers = {"Cookie": "; ".join(f"{one['name']}={one['value']}" for one in cookies)} if cookies else {}
    async with aiohttp.ClientSession(world.stage.public_url, cookie_jar=aiohttp.DummyCookieJar()) as session:
        for path in paths:
            times, size = [], 0
            for _ in range(requests):
                began = time.perf_counter()
                async with session.get(path, headers=headers, allow_redirects=False) as answer:
                    size = len(await answer.read())
                times.append(1000 * (time.perf_counter() - began))
                if answer.status != 200:
                    raise BenchError(f"{path} was answered with {answer.status}")
            rows.append([path, f"{median(times):.0f}", f"{percentile(times, 0.95):.0f}", f"{size / 1000:.0f}"])
    return rows
