"""Where a request comes from, as browsers say it themselves (Fetch Metadata), where no page can make them lie."""

from typing import Final

from aiohttp import web

_OURS: Final = ("same-origin", "none")
"""From a page of ours; or from nobody's: an address that was typed, or followed from outside the browser."""


def is_from_us(request: web.Request) -> bool:
    """Whether no other site has sent the browser here; old browsers do not say."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") in _OURS
