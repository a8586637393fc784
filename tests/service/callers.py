"""A candidate and staff at the API of one service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Self

from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey

from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import CANDIDATE, OPERATOR
from libs.common.http.server import Api, build_app
from libs.common.http.tokens import sign
from tests.service.rig import Base, kept_answers

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})


class ProgramCallers:
    """Asks what lies below a program. Answers are a status and what the body holds."""

    def __init__(self, client: Any, base: Base) -> None:
        self._client = client
        self._base = base

    @classmethod
    @asynccontextmanager
    async def at(cls, api: Api, base: Base) -> AsyncIterator[Self]:
        """Callers of an API that is served while the block runs."""
        verifier = TokenVerifier(StaticKeys(KEY), "certrail", base.clock)
        app = build_app(api, verifier, idempotency=kept_answers(base.database, base.clock))
        async with TestClient(TestServer(app)) as client:
            yield cls(client, base)

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
        now = self._base.clock.now()
        token = sign(principal, KEY, issuer="certrail", token_id="t", now=now, lifetime=timedelta(minutes=5))
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        content: dict[str, Any] = {"json": body} if body else {}
        if file is not None:
            headers["Content-Type"], content = file[0], {"data": file[1]}
        target = f"/api/{self._base.service}/v1/programs{path}"
        response = await self._client.request(method, target, headers=headers, **content)
        return response.status, await response.json() if response.content_type.endswith("json") else None
