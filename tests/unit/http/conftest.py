"""Keys, tokens and a small API for the tests of the HTTP kit."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from pytest_aiohttp.plugin import AiohttpClient

from libs.common.clock import FixedClock
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.routes import Route
from libs.common.http.server import Api, Limits, build_app
from libs.common.http.tokens import sign
from tests.unit.http.sample_api import ROUTES, Bearer, Client, MakeClient

ISSUER = "https://certrail.example"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture(scope="session")
def signing_key() -> OKPKey:
    return OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})


@pytest.fixture
def verifier(signing_key: OKPKey, clock: FixedClock) -> TokenVerifier:
    public = OKPKey.import_key(signing_key.as_dict(private=False))
    return TokenVerifier(StaticKeys(public), ISSUER, clock)


@pytest.fixture
def ada() -> Principal:
    """A candidate of one program who may read."""
    return Principal("ada", Kind.CANDIDATE, frozenset({"cisco"}), frozenset({"history:read"}), "CSCO1")


@pytest.fixture
def bearer(signing_key: OKPKey, clock: FixedClock, ada: Principal) -> Bearer:
    """Builds the header with a valid token of a principal."""

    def build(principal: Principal = ada) -> dict[str, str]:
        token = sign(
            principal,
            signing_key,
            issuer=ISSUER,
            token_id="t1",
            now=clock.now(),
            lifetime=timedelta(minutes=15),
        )
        return {"Authorization": f"Bearer {token}"}

    return build


@pytest.fixture
def make_client(aiohttp_client: AiohttpClient, verifier: TokenVerifier) -> MakeClient:
    """Starts an API of the given routes and returns a client of it."""

    async def make(routes: Sequence[Route[Any, Any, Any, Any]], **options: Any) -> Client:
        api = Api("exams", "Exams", "Exams and results.", "1.0.0", routes)
        return await aiohttp_client(build_app(api, verifier, **options))

    return make


@pytest.fixture
async def client(make_client: MakeClient) -> Client:
    """A client of the sample API, with limits that a test can reach."""
    return await make_client(ROUTES, limits=Limits(body_bytes=2000, timeout_seconds=0.2))
