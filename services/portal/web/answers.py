"""Answers that are no pages."""

from aiohttp import web


def redirect(to: str) -> web.Response:
    """Send the browser on with a GET, so that reloading sends no form again (RFC 9110, 15.4.4)."""
    return web.Response(status=303, headers={"Location": to})
