"""Certs as it is composed, for tests that talk to its handlers and its API."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey

from libs.common.bus import topology
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import CANDIDATE, OPERATOR
from libs.common.http.server import build_app
from libs.common.http.tokens import sign
from libs.common.programs import Program
from libs.common.service import Parts, Platform
from services.certs.app import build
from services.certs.settings import CertsSettings
from tests.service.rig import CERTS_KEYS_SECRET, ERASURE_KEY, Base, eventually, kept_answers

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
_SETTINGS = CertsSettings.model_construct(
    batch_size=200,
    erasure_key=ERASURE_KEY,
    certs_keys_secret=CERTS_KEYS_SECRET,
    issuer_key_days=365,
    signing_processes=2,
    drawing_processes=1,
    public_url="https://certrail.example",
)


def composed(base: Base, programs: Mapping[str, Program], **settings: Any) -> Parts:
    """The service's parts, on the database of a test."""
    platform = Platform(base.database, base.unit_of_work, programs, base.clock, base.owner)
    return build(platform, _SETTINGS.model_copy(update=settings))


def work_of(parts: Parts, queue: str) -> Any:
    """What is done with the messages of a queue."""
    return next(each.work for each in parts.subscriptions if each.queue == queue)


class CertsStation:
    """The service's handlers, jobs and API."""

    def __init__(self, base: Base, programs: Mapping[str, Program], **settings: Any) -> None:
        self.base = base
        self.programs = programs
        self.parts = composed(base, programs, **settings)
        self.on_events = work_of(self.parts, topology.events_queue("certs"))
        self.on_vendors = work_of(self.parts, topology.vendors_queue("certs"))

    async def take(self, *items: Any) -> None:
        """What services say."""
        await self.base.handle(self.on_events, *items)

    async def take_reports(self, *items: Any) -> None:
        """What vendors say."""
        await self.base.handle(self.on_vendors, *items)

    async def run(self, job: str) -> None:
        await next(each.run for each in self.parts.jobs if each.name == job)()

    async def compare(self) -> None:
        """Let the worker compare all who are noted with what they hold; nothing is signed."""
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.parts.background[0](stopping))
            try:
                due = self.base.database["credentials_due"]
                await eventually(lambda: due.count_documents({}), lambda left: not left)
            finally:
                stopping.set()

    async def settle(self) -> None:
        """Let the loops of the worker work until every credential is compared and signed."""
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for loop in self.parts.background:
                tasks.create_task(loop(stopping))
            try:
                await eventually(self._unsettled, lambda left: not left)
            finally:
                stopping.set()

    async def _unsettled(self) -> int:
        database = self.base.database
        due = await database["credentials_due"].count_documents({})
        unlisted = await database["credentials"].count_documents({"unlisted": True})
        return due + unlisted + await database["credentials"].count_documents({"signed": False})

    @asynccontextmanager
    async def api(self) -> AsyncIterator["Callers"]:
        verifier = TokenVerifier(StaticKeys(KEY), "certrail", self.base.clock)
        idempotency = kept_answers(self.base.database, self.base.clock)
        app = build_app(self.parts.api, verifier, idempotency=idempotency)
        async with TestClient(TestServer(app)) as client:
            yield Callers(client, self.base)


class Callers:
    """Asks the API as a candidate or as staff. Answers are a status and what the body holds."""

    def __init__(self, client: Any, base: Base) -> None:
        self._client = client
        self._base = base

    async def candidate(self, method: str, path: str, *, who: str = "C1", program: str = "cisco", **more: Any) -> Any:
        principal = Principal(f"candidate:{who}", Kind.CANDIDATE, frozenset({program}), CANDIDATE, who)
        return await self._ask(principal, method, path, **more)

    async def staff(
        self,
        method: str,
        path: str,
        *,
        by: str = "staff:ada",
        program: str = "cisco",
        scopes: frozenset[str] = OPERATOR,
        **more: Any,
    ) -> Any:
        principal = Principal(by, Kind.STAFF, frozenset({program}), scopes)
        return await self._ask(principal, method, path, **more)

    async def post(self, path: str, body: Any) -> Any:
        """The response to whoever sends no token."""
        return await self._client.post(f"/api/{self._base.service}/v1{path}", json=body)

    async def fetch(self, path: str, **headers: str) -> Any:
        """The response to whoever has no account, read."""
        asked = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await self._client.get(f"/api/{self._base.service}/v1/public{path}", headers=asked)
        await response.read()
        return response

    async def send(self, path: str, content: bytes, media_type: str, **headers: str) -> Any:
        """The response to a file that somebody without an account sends, read."""
        target = f"/api/{self._base.service}/v1/public{path}"
        given = {"Content-Type": media_type, **headers}
        response = await self._client.post(target, data=BytesIO(content), headers=given)
        await response.read()
        return response

    async def raw(self, path: str, *, accept: str = "*/*", sender: str | None = None, **query: str) -> Any:
        """The response to a public request, by whoever `sender` says behind the gateway."""
        headers = {"Accept": accept} | ({"X-Forwarded-For": sender} if sender else {})
        return await self._client.get(f"/api/{self._base.service}/v1{path}", params=query, headers=headers)

    async def anybody(self, path: str, **more: str) -> Any:
        """As `raw`, but what the answer says."""
        response = await self.raw(path, **more)
        return response.status, await (response.json() if response.content_type.endswith("json") else response.read())

    async def _ask(
        self,
        principal: Principal,
        method: str,
        path: str,
        *,
        key: str | None = None,
        file: tuple[str, bytes] | None = None,
        **body: Any,
    ) -> tuple[int, Any]:
        token = sign(
            principal, KEY, issuer="certrail", token_id="t", now=self._base.clock.now(), lifetime=timedelta(minutes=5)
        )
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        content: dict[str, Any] = {"json": body} if body else {}
        if file is not None:
            headers["Content-Type"], content = file[0], {"data": BytesIO(file[1])}
        response = await self._client.request(
            method, f"/api/{self._base.service}/v1/programs{path}", headers=headers, **content
        )
        if response.content_type.endswith("json"):
            return response.status, await response.json()
        return response.status, await response.read()
