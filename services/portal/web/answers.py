"""Answers that are no pages."""

from typing import Final

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


def forget_pages(answer: web.StreamResponse) -> None:
    """Have the browser keep no page that it has shown, not even for its way back (Clear Site Data, 3.1)."""
    answer.headers["Clear-Site-Data"] = '"cache"'


def as_picture(file: Fetched) -> web.Response:
    """A service's file to be seen within a page. Raises `HTTPNotFound` where its content is no PNG and no JPEG.

    What it says of itself counts for nothing: whoever uploaded it may have lied, and a browser does as it is told here.
    """
    kind = next((kind for begin, kind in _PICTURES.items() if file.content.startswith(begin)), None)
    if kind is None:
        raise web.HTTPNotFound
    headers = {"Content-Type": kind, "Content-Disposition": "inline", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=file.content, headers=headers)


_PICTURES: Final = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def passed_on(file: Fetched) -> web.Response:
    """A service's file as it is."""
    headers = {"Content-Type": file.media_type, "X-Content-Type-Options": "nosniff"}
    if file.disposition is not None:
        headers["Content-Disposition"] = file.disposition
    return web.Response(body=file.content, headers=headers)
