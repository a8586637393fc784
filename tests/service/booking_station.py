"""Exams as it is composed, with vendors of its own, for tests that talk to its handlers and its API."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
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
from libs.common.mongo.idempotency import MongoIdempotency
from libs.common.programs import Program
from libs.common.service import Platform
from services.exams.app import build
from services.exams.settings import ExamsSettings
from tests.service.rig import ERASURE_KEY, Base, said

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
SIGN_ON_KEY = "k" * 32
PUBLIC_URL = "https://certrail.example"

_VUE = """\
id: vue
name: Pearson VUE
programs: [cisco, juniper]
sign_on:
  - kind: digest
    url: https://vendor.example/sign-on
    client: certrail
    secret: vue-sign-on
    candidate_fields: [vendor_candidate_id]
  - kind: digest
    programs: [juniper]
    exams: [JN0-106]
    url: https://vendor.example/juniper
    client: certrail-juniper
    program_code: JNPR
    secret: vue-sign-on
"""
_PSI = """\
id: psi
name: PSI
programs: [cisco]
sign_on:
  - kind: openid
    url: https://psi.example/login/begin
    client: psi
"""
_LAB = "id: lab\nname: The lab\nprograms: [cisco]\n"


class BookingStation:
    """The service's handlers, jobs and API."""

    def __init__(self, base: Base, programs: Mapping[str, Program], folder: Path) -> None:
        self.base = base
        self.secrets = folder / "secrets"
        vendors = folder / "vendors"
        for place, files in (
            (vendors, {"vue.yaml": _VUE, "psi.yaml": _PSI, "lab.yaml": _LAB}),
            (self.secrets, {"vue-sign-on": f"first {SIGN_ON_KEY}\n"}),
        ):
            place.mkdir()
            for name, content in files.items():
                (place / name).write_text(content)
        settings = ExamsSettings.model_construct(
            batch_size=200,
            erasure_key=ERASURE_KEY,
            public_url=PUBLIC_URL,
            vendors_dir=vendors,
            vendor_secrets_dir=self.secrets,
        )
        platform = Platform(base.database, base.unit_of_work, programs, base.clock, base.owner)
        self.parts = build(platform, settings)

    async def take(self, *items: Any) -> None:
        """What services say."""
        await self._handle(topology.events_queue("exams"), items)

    async def take_reports(self, *items: Any) -> None:
        """What vendors say."""
        await self._handle(topology.vendors_queue("exams"), items)

    async def _handle(self, queue: str, items: tuple[Any, ...]) -> None:
        work = next(each.work for each in self.parts.subscriptions if each.queue == queue)
        await self.base.handle(work, *items)

    async def run(self, job: str) -> None:
        await next(each.run for each in self.parts.jobs if each.name == job)()

    def said(self, model: type[Any]) -> list[dict[str, Any]]:
        return [event for event in said(self.base) if event.get("type") == model.event_type]

    @asynccontextmanager
    async def api(self) -> AsyncIterator["BookingCallers"]:
        verifier = TokenVerifier(StaticKeys(KEY), "certrail", self.base.clock)
        idempotency = MongoIdempotency(self.base.database, self.base.clock)
        app = build_app(self.parts.api, verifier, idempotency=idempotency)
        async with TestClient(TestServer(app)) as client:
            yield BookingCallers(client, self)


class BookingCallers:
    """Asks the API. Answers are a status and what the body holds."""

    def __init__(self, client: Any, station: BookingStation) -> None:
        self._client = client
        self._station = station

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
        self,
        principal: Principal,
        method: str,
        path: str,
        *,
        key: str | None = None,
        file: tuple[str, bytes] | None = None,
        **body: Any,
    ) -> tuple[int, Any]:
        now = self._station.base.clock.now()
        token = sign(principal, KEY, issuer="certrail", token_id="t", now=now, lifetime=timedelta(minutes=5))
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        content: dict[str, Any] = {"json": body} if body else {}
        if file is not None:
            headers["Content-Type"], content = file[0], {"data": file[1]}
        response = await self._client.request(method, f"/api/exams/v1/programs{path}", headers=headers, **content)
        return response.status, await response.json() if response.content_type.endswith("json") else None

    async def come_back(self, return_url: str, **said: str) -> tuple[int, str | None]:
        """Follow the way back as a browser does, up to its first answer: the status, and where that leads."""
        assert return_url.startswith(PUBLIC_URL)
        response = await self._client.get(
            return_url.removeprefix(PUBLIC_URL).partition("?")[0],
            params={"ticket": return_url.partition("ticket=")[2], **said},
            allow_redirects=False,
        )
        return response.status, response.headers.get("Location")
