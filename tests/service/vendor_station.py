"""Exams as it is composed, for tests that come in as vendors do over HTTPS, and as the operator who lets them in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
from itertools import count
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey
from pydantic import SecretStr

from libs.common import signatures
from libs.common.audit.api import with_audit
from libs.common.audit.trail import AuditTrail
from libs.common.bus import topology
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import OPERATOR
from libs.common.http.server import build_app
from libs.common.http.tokens import sign
from libs.common.programs import Program
from libs.common.service import Platform
from services.exams.app import build
from services.exams.settings import ExamsSettings
from tests.service.rig import ERASURE_KEY, Base, kept_answers
from tests.service.samples import TAKEN, result

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
HOUR = timedelta(hours=1)
_ids = count(1)

Answer = tuple[int, Any]


class VendorStation:
    """The service's handlers, jobs and API."""

    def __init__(self, base: Base, programs: Mapping[str, Program], **settings: Any) -> None:
        self.base = base
        given = {"batch_size": 200, "erasure_key": ERASURE_KEY, "credentials_secret": SecretStr("c" * 32), **settings}
        platform = Platform(base.database, base.unit_of_work, programs, base.clock, base.owner)
        self.parts = build(platform, ExamsSettings.model_construct(**given))
        self.client: Any = None
        self.trail = AuditTrail(base.database, "exams", programs, base.clock)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["VendorStation"]:
        database, clock = self.base.database, self.base.clock
        verifier = TokenVerifier(StaticKeys(KEY), "certrail", clock)
        api = with_audit(self.parts.api, self.trail)
        app = build_app(api, verifier, idempotency=kept_answers(database, clock), trail=self.trail)
        app.router.add_post("/api/identity/v1/tokens", self._identity)
        async with TestClient(TestServer(app)) as self.client:
            yield self

    async def _identity(self, _request: web.Request) -> web.Response:
        """What identity answers the operator."""
        return web.json_response({"access_token": self._token("cisco", "juniper"), "expires_in": 900})

    def _token(self, *programs: str) -> str:
        principal = Principal("client:operator", Kind.SYSTEM, frozenset(programs), OPERATOR)
        now = self.base.clock.now()
        return sign(principal, KEY, issuer="certrail", token_id="t", now=now, lifetime=timedelta(minutes=15))

    async def take(self, *items: Any) -> None:
        """What vendors say on the bus, as one batch."""
        await self._work(topology.vendors_queue("exams"), items)

    async def link(self, *items: Any) -> None:
        """What identity says."""
        await self._work(topology.events_queue("exams"), items)

    async def _work(self, queue: str, items: Any) -> None:
        work = next(each.work for each in self.parts.subscriptions if each.queue == queue)
        await self.base.handle(work, *items)

    async def run(self, job: str) -> None:
        await next(each.run for each in self.parts.jobs if each.name == job)()

    async def operator(
        self, method: str, path: str, *, of: tuple[str, ...] = ("cisco", "juniper"), **body: Any
    ) -> Answer:
        """Ask as the operator, or as somebody like them of some programs only."""
        headers = {"Authorization": f"Bearer {self._token(*of)}"}
        return await self._ask(method, path, headers, orjson.dumps(body) if body else None)

    async def admit(self, vendor: str = "vue", *, kind: str = "token", **renewal: Any) -> str:
        """Let a vendor in. Returns its token or its signing secret."""
        status, body = await self.operator("PUT", f"/vendors/{vendor}", programs=["cisco"])
        assert status == 200, body
        return await self.renew(vendor, kind=kind, **renewal)

    async def renew(self, vendor: str = "vue", *, kind: str = "token", **renewal: Any) -> str:
        status, body = await self.operator("POST", f"/vendors/{vendor}/credentials", kind=kind, **renewal)
        assert status == 201, body
        return str(body["secret"])

    async def notify(self, token: str | None, body: Any, *, vendor: str = "vue", **headers: str) -> Answer:
        """Send a body, as it is or as JSON, with a token."""
        sent = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return await self._ask("POST", f"/vendors/{vendor}/notifications", sent | headers, as_bytes(body))

    async def notify_signed(self, secret: str, body: Any, *, vendor: str = "vue", **changes: str) -> Answer:
        """Send a body with a signature."""
        raw = as_bytes(body)
        headers = signed(secret, raw, int(self.base.clock.now().timestamp())) | changes
        return await self._ask("POST", f"/vendors/{vendor}/notifications", headers, raw)

    async def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        sent = dict(headers) | ({"Content-Type": "application/json"} if body is not None else {})
        content = BytesIO(body) if body is not None else None
        response = await self.client.request(method, f"/api/exams/v1{path}", headers=sent, data=content)
        return response.status, await response.json(content_type=None) if response.content_type.endswith(
            "json"
        ) else None


def as_bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else orjson.dumps(body)


def signed(secret: str, raw: bytes, timestamp: int) -> dict[str, str]:
    signature = signatures.sign(signatures.read(secret), "msg_1", timestamp, raw)
    return {signatures.ID: "msg_1", signatures.TIMESTAMP: str(timestamp), signatures.SIGNATURE: signature}


def notice(kind: str, hours: float = 0, *, data: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A notification of its own."""
    named = {"result_id": "R1"} if data is None else dict(data)
    moment = (TAKEN + hours * HOUR).isoformat()
    return {"id": f"N{next(_ids)}", "kind": kind, "program": "cisco", "occurred_at": moment, "data": named} | changes


def said_result(kind: str = "result", hours: float = 0, *, id: str | None = None, **changes: Any) -> dict[str, Any]:  # noqa: A002 the field's name
    """A notification of a whole result."""
    data = result(**changes).model_dump(mode="json", exclude_none=True, exclude={"revision"})
    return notice(kind, hours, data=data, **({"id": id} if id else {}))


def moved(change: str = "cancelled", hours: float = 0, **changes: Any) -> dict[str, Any]:
    return notice("appointment", hours, data={"registration_id": "G1", "change": change} | changes)
