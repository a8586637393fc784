"""Answers that are no pages."""

from aiohttp import web

from services.portal.backend.client import Fetched


def redirect(to: str) -> web.Response:
    """Send the browser on with a GET, so that reloading sends no form again (RFC 9110, 15.4.4)."""
    return web.Response(status=303, headers={"Location": to})


def from_the_top(to: str) -> str:
    """An address of ours as the answer to a form has it: shown from its top, unless it names a place itself.

    Forms are sent to the place where their faults would be, and a browser keeps that place where it is sent on without
    another (RFC 9110, 10.2.2).
    """
    return f"{to}#top" if to.startswith("/") and "#" not in to else to


def passed_on(file: Fetched) -> web.Response:
    """A service's file as it is."""
    headers = {"Content-Type": file.media_type, "X-Content-Type-Options": "nosniff"}
    if file.disposition is not None:
        headers["Content-Disposition"] = file.disposition
    return web.Response(body=file.content, headers=headers)
