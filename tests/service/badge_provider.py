"""A badge provider at the wire, in the shape of Credly's API: strict in what it takes, hostile where told to be."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.test_utils import TestServer

from services.certs.provider.chains import credential_of

ORGANIZATION = "org-1"
TOKEN = "the-organizations-token"
PAGE = 2

_ISSUE = {
    "recipient_email": str,
    "badge_template_id": str,
    "issued_at": str,
    "issued_to_first_name": str,
    "issued_to_last_name": str,
    "issuer_earner_id": str,
    "expires_at": (str, bool),
    "locale": str,
    "suppress_badge_notification_email": bool,
    "duplicate_behavior": str,
}
_REPLACE = {
    name: _ISSUE[name]
    for name in (
        "badge_template_id",
        "issued_at",
        "issued_to_first_name",
        "issued_to_last_name",
        "issuer_earner_id",
        "expires_at",
    )
}
_REVOKE = {"reason": str, "suppress_revoke_notification_email": bool}


@dataclass
class BadgeProviderUnderTest:
    """Its badges, and what it does to requests.

    Attributes:
        fates: what becomes of the next requests that change something: `done`, `500` (nothing happens), `acted 500`,
            `acted cut` (the connection breaks), `acted slow` (the answer comes late), `acted junk`, `acted other` (the
            answer is about another badge), `429`, `422`, `401`, `redirect`.
        reading: likewise for requests that only ask.
    """

    url: str = ""
    badges: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    fates: list[str] = field(default_factory=list)
    reading: list[str] = field(default_factory=list)
    late: float = 0.5
    ignores_filters: bool = False

    def standing(self, key: str | None = None) -> list[dict[str, Any]]:
        """Badges that are there for everybody."""
        return [
            one
            for one in self.badges.values()
            if one["state"] in {"pending", "accepted"}
            and not one["replaced"]
            and key in {None, one["issuer_earner_id"]}
        ]

    def doubles(self) -> list[str]:
        """Credentials with more than one standing badge."""
        credentials = [credential_of(one["issuer_earner_id"]) for one in self.standing()]
        return sorted({str(one) for one in credentials if credentials.count(one) > 1})

    def sent(self) -> list[tuple[str, str]]:
        """Method and last part of the path of every request that changed something."""
        return [(method, path.rsplit("/", 1)[-1]) for method, path, _ in self.requests if method != "GET"]

    def accept(self, badge_id: str, state: str = "accepted") -> str:
        """Its person does something with a badge. Returns the id of the event."""
        badge = self.badges[badge_id]
        badge["state"] = state
        event_id = str(uuid4())
        self.events[event_id] = {
            "id": event_id,
            "organization_id": ORGANIZATION,
            "event_type": "badge.state_changed",
            "badge": _shown(badge) | {"state": "pending"},  # as it was at another moment
        }
        return event_id

    def app(self) -> web.Application:
        app = web.Application()
        base = f"/v1/organizations/{ORGANIZATION}"
        app.add_routes(
            [
                web.post(f"{base}/badges", self._issue),
                web.post(f"{base}/badges/{{badge}}/replace", self._replace),
                web.put(f"{base}/badges/{{badge}}/revoke", self._revoke),
                web.get(f"{base}/badges", self._list),
                web.get(f"{base}/events/{{event}}", self._event),
            ]
        )
        return app

    async def _issue(self, request: web.Request) -> web.StreamResponse:
        return await self._changed(request, _ISSUE)

    async def _replace(self, request: web.Request) -> web.StreamResponse:
        return await self._changed(request, _REPLACE)

    async def _revoke(self, request: web.Request) -> web.StreamResponse:
        return await self._changed(request, _REVOKE)

    async def _changed(self, request: web.Request, shape: dict[str, Any]) -> web.StreamResponse:
        fault = _checked(request)
        if fault is not None:
            return fault
        body = await request.json()
        self.requests.append((request.method, request.path, body))
        fate = self.fates.pop(0) if self.fates else "done"
        early = await self._refusal(fate)
        if early is not None:
            return early
        if set(body) != set(shape) or any(not isinstance(body[name], kind) for name, kind in shape.items()):
            return _refused("the body does not fit")
        badge = self._do(request, body)
        if isinstance(badge, str):
            return _refused(badge)
        return await self._answer(request, fate, badge)

    def _do(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any] | str:
        known = self.badges.get(request.match_info.get("badge", ""))
        if "badge" in request.match_info and (known is None or known["replaced"]):
            return "there is no such badge, or it was replaced"
        if request.method == "PUT":
            assert known is not None
            known["state"] = "revoked"
            return known
        if known is None:
            twice = [one for one in self.standing() if one["badge_template_id"] == body["badge_template_id"]]
            mine = (body["recipient_email"], body["issuer_earner_id"])
            if any(one["recipient_email"] == mine[0] or one["issuer_earner_id"] == mine[1] for one in twice):
                return f"{body['recipient_email']} has this badge already"
        elif known["state"] == "revoked":
            return "a revoked badge cannot be replaced"
        email = known["recipient_email"] if known is not None else body["recipient_email"]
        if known is not None:
            known["replaced"] = True
        badge = body | {"id": str(uuid4()), "recipient_email": email, "state": "pending", "replaced": False}
        self.badges[badge["id"]] = badge
        return badge

    async def _refusal(self, fate: str) -> web.StreamResponse | None:
        match fate:
            case "500":
                return web.Response(status=500, text="<html>broken")
            case "429":
                return web.json_response({}, status=429, headers={"Retry-After": "3600"})
            case "401":
                return web.json_response({}, status=401)
            case "422":
                return _refused("the template is archived")
            case "redirect":
                return web.Response(status=302, headers={"Location": "http://elsewhere.example/"})
        return None

    async def _answer(self, request: web.Request, fate: str, badge: dict[str, Any]) -> web.StreamResponse:
        match fate:
            case "acted 500":
                return web.Response(status=500)
            case "acted cut":
                assert request.transport is not None
                request.transport.close()
            case "acted slow":
                await asyncio.sleep(self.late)
            case "acted junk":
                return web.Response(text='{"data": {"id": 7', content_type="application/json")
            case "acted other":
                return web.json_response({"data": _shown(badge) | {"id": "other", "issuer_earner_id": "other"}})
        return web.json_response({"data": _shown(badge)}, status=200 if request.method == "PUT" else 201)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        fault = _checked(request) or await self._asked(request)
        if fault is not None:
            return fault
        found = list(self.badges.values())
        if "filter" in request.query and not self.ignores_filters:
            name, _, value = request.query["filter"].partition("::")
            assert name == "issuer_earner_id"
            found = [one for one in found if one["issuer_earner_id"] == value]
        page, pages = int(request.query["page"]), max(-(-len(found) // PAGE), 1)
        shown = [_shown(one) for one in found[(page - 1) * PAGE : page * PAGE]]
        return web.json_response({"data": shown, "metadata": {"total_pages": pages, "current_page": page}})

    async def _event(self, request: web.Request) -> web.StreamResponse:
        fault = _checked(request) or await self._asked(request)
        if fault is not None:
            return fault
        event = self.events.get(request.match_info["event"])
        return web.json_response({"data": event}, status=200) if event else web.json_response({}, status=404)

    async def _asked(self, request: web.Request) -> web.StreamResponse | None:
        self.requests.append(("GET", request.path_qs, None))
        fate = self.reading.pop(0) if self.reading else "done"
        if fate == "junk":
            return web.json_response({"data": [{"id": "../x", "state": "flying"}, 7], "metadata": {"total_pages": 1}})
        return await self._refusal(fate)


def _checked(request: web.Request) -> web.StreamResponse | None:
    if request.headers.get("Authorization") != f"Basic {b64encode(f'{TOKEN}:'.encode()).decode()}":
        return web.json_response({}, status=401)
    if request.headers.get("Accept") != "application/json":
        return web.json_response({}, status=406)
    return None


def _refused(why: str) -> web.StreamResponse:
    return web.json_response({"data": {"message": why, "errors": [{"attribute": "base"}]}}, status=422)


def _shown(badge: dict[str, Any]) -> dict[str, Any]:
    """A badge as it is told; of one that was replaced nothing says so."""
    return {
        "id": badge["id"],
        "state": badge["state"],
        "issuer_earner_id": badge["issuer_earner_id"],
        "badge_template": {"id": badge["badge_template_id"]},
        "recipient_email": badge["recipient_email"],
        "badge_url": f"https://badges.example/{badge['id']}",
    }


@asynccontextmanager
async def badge_provider() -> AsyncIterator[BadgeProviderUnderTest]:
    """The provider, for as long as the block lasts."""
    provider = BadgeProviderUnderTest()
    async with TestServer(provider.app()) as server:
        provider.url = f"http://127.0.0.1:{server.port}/v1"
        yield provider
