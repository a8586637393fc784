"""Fulfillment as it is composed, for tests that talk to its handlers, its jobs and its API."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey

from libs.common.bus import topology
from libs.common.events import identity
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import CANDIDATE, OPERATOR
from libs.common.http.server import build_app
from libs.common.http.tokens import sign
from libs.common.mongo.idempotency import MongoIdempotency
from libs.common.programs import Program
from libs.common.service import Platform
from services.fulfillment.app import SERVICE
from services.fulfillment.store import FulfillmentStore
from tests.service.rig import ERASURE_KEY, Base, said
from tests.service.samples import TAKEN, received

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
ADDRESS = {"lines": ["1 Elm St"], "city": "Springfield", "region": "IL", "postal_code": "62701", "country": "US"}


def known_person(candidate_id: str = "C1", program: str = "cisco", **more: Any) -> Any:
    """A candidate as identity tells of them."""
    given = {
        "given_name": "Ana",
        "family_name": "Díaz",
        "email": f"{candidate_id}@mail.example".lower(),
        "country": "US",
    }
    data = identity.CandidateRegistered(candidate_id=candidate_id, registered_at=TAKEN, **given | more)
    return received(data, program=program)


class FulfillmentStation:
    """The service's handlers, jobs and API."""

    def __init__(self, base: Base, programs: Mapping[str, Program], **settings: Any) -> None:
        self.base = base
        self.store = FulfillmentStore(base.database)
        platform = Platform(base.database, base.unit_of_work, programs, base.clock, base.owner)
        given = SERVICE.settings.model_construct(batch_size=200, erasure_key=ERASURE_KEY, **settings)
        self.parts = SERVICE.build(platform, given)

    async def take(self, *items: Any) -> None:
        """What services say."""
        await self._handle(topology.events_queue("fulfillment"), items)

    async def take_reports(self, *items: Any) -> None:
        """What vendors say."""
        await self._handle(topology.vendors_queue("fulfillment"), items)

    async def _handle(self, queue: str, items: tuple[Any, ...]) -> None:
        work = next(each.work for each in self.parts.subscriptions if each.queue == queue)
        await self.base.handle(work, *items)

    async def run(self, job: str) -> None:
        await next(each.run for each in self.parts.jobs if each.name == job)()

    def said(self, model: type[Any]) -> list[dict[str, Any]]:
        """What every event of one kind says."""
        return [event["data"] for event in said(self.base) if event.get("type") == model.event_type]

    @asynccontextmanager
    async def api(self) -> AsyncIterator["FulfillmentCallers"]:
        verifier = TokenVerifier(StaticKeys(KEY), "certrail", self.base.clock)
        idempotency = MongoIdempotency(self.base.database, self.base.clock)
        app = build_app(self.parts.api, verifier, idempotency=idempotency)
        async with TestClient(TestServer(app)) as client:
            yield FulfillmentCallers(client, self.base)


class FulfillmentCallers:
    """Asks the API. Answers are a status and what the body holds."""

    def __init__(self, client: Any, base: Base) -> None:
        self._client = client
        self._base = base

    async def candidate(self, method: str, path: str, *, who: str = "C1", program: str = "cisco", **more: Any) -> Any:
        """About themselves; the path is below the candidate's own."""
        principal = Principal(f"candidate:{who}", Kind.CANDIDATE, frozenset({program}), CANDIDATE, who)
        return await self.ask(principal, method, f"/{program}/candidates/{who}{path}", **more)

    async def staff(
        self, method: str, path: str, *, program: str = "cisco", scopes: frozenset[str] = OPERATOR, **more: Any
    ) -> Any:
        principal = Principal("staff:ada", Kind.STAFF, frozenset({program}), scopes)
        return await self.ask(principal, method, f"/{program}{path}", **more)

    async def ask(
        self, principal: Principal, method: str, path: str, *, key: str | None = None, **body: Any
    ) -> tuple[int, Any]:
        token = sign(
            principal, KEY, issuer="certrail", token_id="t", now=self._base.clock.now(), lifetime=timedelta(minutes=5)
        )
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        content: dict[str, Any] = {"json": body} if body else {}
        response = await self._client.request(method, f"/api/fulfillment/v1/programs{path}", headers=headers, **content)
        return response.status, await response.json() if response.content_type.endswith("json") else None
