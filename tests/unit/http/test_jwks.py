"""Keys come from the issuer, seldom, and stay when the issuer goes away."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from pytest_aiohttp.plugin import AiohttpServer

from libs.common.clock import FixedClock
from libs.common.errors import Unavailable
from libs.common.http.fetch import MAX_BYTES
from libs.common.http.jwks import FIRST_RETRY, FRESH, RETRY, USABLE, RemoteKeys, read_keys


class Issuer:
    """Publishes keys over HTTP, counts who asks, and can fail."""

    def __init__(self) -> None:
        self.keys = [OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})]
        self.asked = 0
        self.broken = False
        self.body: bytes | None = None

    async def handle(self, _request: web.Request) -> web.Response:
        self.asked += 1
        if self.broken:
            raise web.HTTPInternalServerError
        if self.body is not None:
            return web.Response(body=self.body)
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})

    def rotate(self, kid: str) -> None:
        self.keys = [OKPKey.generate_key("Ed25519", parameters={"kid": kid})]


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def keys(issuer: Issuer, aiohttp_server: AiohttpServer, clock: FixedClock) -> AsyncIterator[RemoteKeys]:
    app = web.Application()
    app.router.add_get("/jwks.json", issuer.handle)
    server = await aiohttp_server(app)
    async with aiohttp.ClientSession() as session:
        yield RemoteKeys(str(server.make_url("/jwks.json")), session, clock)


async def test_keys_are_fetched_once_while_they_are_fresh(keys: RemoteKeys, issuer: Issuer) -> None:
    for _ in range(5):
        assert await keys.find("k1")
    assert issuer.asked == 1


async def test_a_new_key_is_found_when_the_issuer_rotates(keys: RemoteKeys, issuer: Issuer, clock: FixedClock) -> None:
    await keys.find("k1")
    issuer.rotate("k2")
    clock.advance(RETRY)
    assert await keys.find("k2")
    assert await keys.find("k1") is None


async def test_made_up_key_ids_do_not_flood_the_issuer(keys: RemoteKeys, issuer: Issuer, clock: FixedClock) -> None:
    for number in range(20):
        assert await keys.find(f"made-up-{number}") is None
        clock.advance(timedelta(milliseconds=100))
    assert issuer.asked == 1


async def test_old_keys_serve_while_the_issuer_is_away(keys: RemoteKeys, issuer: Issuer, clock: FixedClock) -> None:
    await keys.find("k1")
    issuer.broken = True
    clock.advance(FRESH)
    assert await keys.find("k1")
    assert issuer.asked == 2
    clock.advance(USABLE)
    with pytest.raises(Unavailable):
        await keys.find("k1")


async def test_without_any_keys_nobody_is_called_a_forger(keys: RemoteKeys, issuer: Issuer, clock: FixedClock) -> None:
    issuer.broken = True
    with pytest.raises(Unavailable):
        await keys.find("k1")
    issuer.broken = False
    clock.advance(FIRST_RETRY)
    assert await keys.find("k1")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"keys": 1}', b'{"keys": []}' + b" " * MAX_BYTES], ids=lambda b: str(b[:12])
)
async def test_what_is_no_key_set_does_not_replace_the_keys(
    keys: RemoteKeys, issuer: Issuer, clock: FixedClock, body: bytes
) -> None:
    await keys.find("k1")
    issuer.body = body
    clock.advance(FRESH)
    assert await keys.find("k1")
    assert issuer.asked == 2


def test_only_keys_for_our_algorithms_are_taken() -> None:
    good = OKPKey.generate_key("Ed25519", parameters={"kid": "good"})
    others: list[Key] = [
        OctKey.generate_key(256, parameters={"kid": "secret"}),
        ECKey.generate_key("P-256", parameters={"kid": "curve"}),
        OKPKey.generate_key("X25519", parameters={"kid": "exchange"}),
        RSAKey.generate_key(2048, parameters={"kid": "pss", "alg": "PS256"}),
        OKPKey.generate_key("Ed25519", parameters={"kid": "enc", "use": "enc"}),
    ]
    document = {"keys": [key.as_dict() for key in [*others, good]] + [{"kty": "PQ", "kid": "new"}, {}]}
    assert list(read_keys(json.dumps(document).encode())) == ["good"]
