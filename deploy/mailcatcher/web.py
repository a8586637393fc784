"""The inbox: pages for people, JSON for programs."""

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

import jinja2
from aiohttp import web

from deploy.mailcatcher.content import read_content
from deploy.mailcatcher.storage import NEWEST, MailStore, Summary
from deploy.mailcatcher.writer import MailWriter

PAGE_SIZE = 50
MAX_PAGE_SIZE = 500

_STORE = web.AppKey("store", MailStore)
_WRITER = web.AppKey("writer", MailWriter)
_TEMPLATES = web.AppKey("templates", jinja2.Environment)

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'"
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def build_web(store: MailStore, writer: MailWriter) -> web.Application:
    """The web application; `store` is for reading and belongs to the event loop's thread."""
    app = web.Application()
    app[_STORE], app[_WRITER] = store, writer
    app[_TEMPLATES] = jinja2.Environment(
        loader=jinja2.PackageLoader("deploy.mailcatcher"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    app.add_routes(
        [
            web.get("/", _inbox),
            web.get(r"/messages/{id:\d+}", _message),
            web.get(r"/messages/{id:\d+}/html", _message_html),
            web.get(r"/messages/{id:\d+}/raw", _message_raw),
            web.get("/api/messages", _api_messages),
            web.get(r"/api/messages/{id:\d+}", _api_message),
            web.delete("/api/messages", _api_clear),
            web.get("/api/stats", _api_stats),
            web.get("/healthz", _health),
        ]
    )
    return app


async def _inbox(request: web.Request) -> web.Response:
    mails, following = _page(request)
    query = request.query.get("q", "")
    return _render(
        request,
        "inbox.html",
        mails=mails,
        query=query,
        stats=request.app[_STORE].stats(),
        older=f"?{urlencode({'q': query, 'before': following})}" if following else None,
        paged="before" in request.query,
    )


async def _message(request: web.Request) -> web.Response:
    mail, raw = _find(request)
    return _render(request, "message.html", mail=mail, content=read_content(raw))


async def _message_html(request: web.Request) -> web.Response:
    _, raw = _find(request)
    html = read_content(raw).html
    if html is None:
        raise web.HTTPNotFound(text="this message has no HTML part")
    return web.Response(
        text=html, content_type="text/html", headers={**_HEADERS, "Content-Security-Policy": _MAIL_POLICY}
    )


async def _message_raw(request: web.Request) -> web.Response:
    _, raw = _find(request)
    return web.Response(body=raw, content_type="text/plain", charset="utf-8", headers=_HEADERS)


async def _api_messages(request: web.Request) -> web.Response:
    mails, following = _page(request)
    return web.json_response({"messages": [asdict(mail) for mail in mails], "next_before": following})


async def _api_message(request: web.Request) -> web.Response:
    mail, raw = _find(request)
    return web.json_response({**asdict(mail), **asdict(read_content(raw))})


async def _api_clear(request: web.Request) -> web.Response:
    await request.app[_WRITER].clear()
    return web.Response(status=204)


async def _api_stats(request: web.Request) -> web.Response:
    return web.json_response(asdict(request.app[_STORE].stats()))


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _page(request: web.Request) -> tuple[list[Summary], int | None]:
    """One page of the inbox and the id that the next one comes before."""
    limit = _number(request, "limit", default=PAGE_SIZE, least=1, most=MAX_PAGE_SIZE)
    before = _number(request, "before", default=NEWEST, least=1, most=NEWEST)
    found = request.app[_STORE].list(query=request.query.get("q", ""), before=before, limit=limit + 1)
    mails = found[:limit]
    return mails, mails[-1].id if len(found) > limit else None


def _number(request: web.Request, name: str, *, default: int, least: int, most: int) -> int:
    given = request.query.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and least <= int(given) <= most):
        raise web.HTTPBadRequest(text=f"{name} is a number from {least} to {most}")
    return int(given)


def _find(request: web.Request) -> tuple[Summary, bytes]:
    number = int(request.match_info["id"])
    found = request.app[_STORE].get(number) if number < NEWEST else None
    if found is None:
        raise web.HTTPNotFound(text="there is no such message")
    return found


def _render(request: web.Request, template: str, **values: Any) -> web.Response:
    page = request.app[_TEMPLATES].get_template(template).render(**values)
    return web.Response(
        text=page, content_type="text/html", headers={**_HEADERS, "Content-Security-Policy": _PAGE_POLICY}
    )
