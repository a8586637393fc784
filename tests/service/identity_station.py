"""Identity as it is composed, for tests that come in by its API."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey
from pydantic import SecretStr

from libs.common.audit.api import with_audit
from libs.common.audit.trail import AuditTrail
from libs.common.bus import topology
from libs.common.events import identity
from libs.common.http.auth import TokenVerifier
from libs.common.http.server import build_app
from libs.common.programs import Program
from libs.common.service import Platform
from services.identity.app import build
from services.identity.settings import IdentitySettings
from tests.service.rig import ERASURE_KEY, Base, kept_answers, said
from tests.service.samples import registration, reported

PASSWORD = "correct horse battery staple"
WRONG = "incorrect horse battery staple"

Answer = tuple[int, Any]


class IdentityStation:
    """The service's handlers, jobs and API."""

    def __init__(self, base: Base, programs: Mapping[str, Program], folder: Path, **settings: Any) -> None:
        self.base = base
        keys = folder / "keys.json"
        self.key = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
        keys.write_text(json.dumps({"keys": [self.key.as_dict(private=True)]}))
        settings = {
            "token_issuer": "certrail",
            "batch_size": 200,
            "signing_keys_secret": SecretStr("k" * 32),
            "erasure_key": ERASURE_KEY,
        } | settings
        given = IdentitySettings.model_construct(signing_keys_file=keys, **settings)
        self.parts = build(Platform(base.database, base.unit_of_work, programs, base.clock, base.owner), given)
        self.trail = AuditTrail(base.database, "identity", programs, base.clock)
        self.client: Any = None

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["IdentityStation"]:
        assert self.parts.keys is not None
        verifier = TokenVerifier(self.parts.keys, "certrail", self.base.clock)
        app = build_app(
            with_audit(self.parts.api, self.trail),
            verifier,
            idempotency=kept_answers(self.base.database, self.base.clock),
            trail=self.trail,
        )
        async with TestClient(TestServer(app)) as self.client:
            yield self

    async def ask(
        self,
        method: str,
        path: str,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **body: Any,
    ) -> Answer:
        """A status and what the body holds."""
        sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        return await self._send(method, path, sent, body)

    async def _send(self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        content: dict[str, Any] = {"json": body} if body else {}
        response = await self.client.request(method, f"/api/identity/v1{path}", headers=headers, **content)
        return response.status, await response.json() if response.content_type.endswith("json") else None

    async def run(self, job: str) -> None:
        await next(each.run for each in self.parts.jobs if each.name == job)()

    async def register(self, person: str = "P1", **changes: Any) -> str:
        """Register a stranger; returns their new ID."""
        work = next(each.work for each in self.parts.subscriptions if each.queue == topology.vendors_queue("identity"))
        program = changes.pop("program", "cisco")
        before = len(self.said(identity.CandidateRegistered))
        await self.base.handle(work, reported(registration(person, **changes), program=program))
        return str(self.said(identity.CandidateRegistered)[before]["data"]["candidate_id"])

    def said(self, model: type[Any]) -> list[dict[str, Any]]:
        return [event for event in said(self.base) if event["type"] == model.event_type]

    def tokens_for(self, candidate_id: str) -> list[str]:
        """The tokens of all links ever mailed to an account, oldest first."""
        return [
            event["data"]["token"]
            for event in self.said(identity.AccessRequested)
            if event["data"]["candidate_id"] == candidate_id
        ]

    async def open_account(self, person: str = "P1", password: str = PASSWORD, **changes: Any) -> str:
        """Register and activate; returns the ID."""
        candidate_id = await self.register(person, **changes)
        status, _ = await self.activate(self.tokens_for(candidate_id)[-1], password)
        assert status == 204
        return candidate_id

    async def activate(self, token: str, password: str = PASSWORD) -> Answer:
        return await self._send("POST", "/activations", {}, {"token": token, "password": password})

    async def login(self, login: str, password: str = PASSWORD, *, program: str = "cisco", **more: Any) -> Answer:
        headers = more.pop("headers", None)
        body = {"grant_type": "password", "program": program, "login": login, "password": password, **more}
        return await self.ask("POST", "/tokens", None, headers, **body)
