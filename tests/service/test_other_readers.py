"""Access tokens in the hands of other people's libraries: PyJWT and npm's jose take ours and refuse what is not."""

import asyncio
import base64
import json
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import JWKRegistry, Key, OKPKey, RSAKey

from libs.common.http.principal import Kind, Principal
from libs.common.http.tokens import sign
from tests.nodes import PACKAGES, needs_node
from tests.service.identity_station import IdentityStation
from tests.service.test_signing_keys import operator
from tests.service.test_systems import add, enter

PRINCIPAL = Principal("client:x", Kind.SYSTEM, frozenset({"cisco"}), frozenset({"exams:read"}))


def part(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def read(token: str, place: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[place] + "=="))
    return found


def with_public_key(key: Key, token: str, *, raw: bool) -> str:
    """Signed by HMAC with what everybody knows, the old confusion of algorithms."""
    public: Any = key.public_key  # type: ignore[attr-defined]
    encoding, form = (Encoding.Raw, PublicFormat.Raw) if raw else (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = part({"alg": "HS256", "kid": key.kid, "typ": "at+jwt"})
    body = f"{header}.{token.split('.')[1]}"
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        body.encode(), public.public_bytes(encoding, form)
    )
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


async def hostile(station: IdentityStation, key: Key) -> dict[str, str]:
    now, lifetime = station.base.clock.now(), timedelta(minutes=15)

    def signed(**changes: Any) -> str:
        given: dict[str, Any] = {"issuer": "certrail", "token_id": "t", "now": now, "lifetime": lifetime} | changes
        return sign(PRINCIPAL, given.pop("key", key), **given)

    good = signed()
    header, body, signature = good.split(".")
    claims = read(good, 1)
    wider = part({**claims, "programs": ["cisco", "juniper"]})
    another = OKPKey.generate_key("Ed25519", {"kid": key.kid})
    private: Any = key.private_key  # type: ignore[attr-defined]

    def encoded(claims: Mapping[str, Any], **header: str) -> str:
        algorithm = "RS256" if isinstance(key, RSAKey) else "EdDSA"
        given = {"kid": str(key.kid), "typ": "at+jwt", **header}
        return jwt.encode(dict(claims), private, algorithm=algorithm, headers=given)

    return {
        "none of these faults": encoded(claims),
        "expired": signed(now=now - timedelta(hours=1)),
        "another issuer": signed(issuer="https://other.example"),
        "another audience": encoded({**claims, "aud": "shop"}),
        "not an access token": encoded(claims, typ="JWT"),
        "another key by the same name": signed(key=another),
        "a key that nobody published": signed(key=OKPKey.generate_key("Ed25519", {"kid": "unknown"})),
        "claims changed": f"{header}.{wider}.{signature}",
        "no signature": f"{part({'alg': 'none', 'kid': key.kid, 'typ': 'at+jwt'})}.{body}.",
        "signature left out": f"{header}.{body}.",
        "public key as PEM for a secret": with_public_key(key, good, raw=False),
        **({"public key for a secret": with_public_key(key, good, raw=True)} if isinstance(key, OKPKey) else {}),
    }


async def by_pyjwt(url: str, tokens: Mapping[str, str], program: str) -> dict[str, str]:
    client = jwt.PyJWKClient(url)

    def one(token: str) -> str:
        try:
            key = client.get_signing_key_from_jwt(token)
            found = jwt.decode_complete(
                token, key, algorithms=["EdDSA", "RS256"], issuer="certrail", audience="certrail"
            )
        except jwt.PyJWTError as error:
            return type(error).__name__
        if found["header"]["typ"] != "at+jwt":
            return "no access token"
        claims = found["payload"]
        return f"accepted {claims['sub']}" if program in claims["programs"] else "another program"

    return {name: await asyncio.to_thread(one, token) for name, token in tokens.items()}


async def by_jose(url: str, tokens: Mapping[str, str], program: str) -> dict[str, str]:
    given = {"keys": url, "issuer": "certrail", "audience": "certrail", "program": program, "tokens": tokens}
    script = str(PACKAGES / "read_tokens.mjs")

    def work() -> str:
        command = ["node", script]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    found: dict[str, str] = json.loads(await asyncio.to_thread(work))
    return found


@pytest.mark.parametrize(
    "reader", [pytest.param(by_pyjwt, id="PyJWT"), pytest.param(by_jose, id="jose", marks=needs_node)]
)
@pytest.mark.parametrize("station_key", ["Ed25519", "RS256"])
async def test_ours_are_taken_and_all_else_is_refused(
    station: IdentityStation, tmp_path: Path, reader: Any, station_key: str
) -> None:
    if station_key == "RS256":  # before the first token, as the file is read with it
        made = RSAKey.generate_key(2048, {"kid": "k1"})
        (tmp_path / "keys.json").write_text(json.dumps({"keys": [made.as_dict(private=True)]}))
    key = JWKRegistry.import_key(json.loads((tmp_path / "keys.json").read_text())["keys"][0])
    url = str(station.client.make_url("/api/identity/v1/jwks.json"))
    _, system = await enter(station, await add(station))
    _, candidate = await station.login(await station.open_account())
    ours = {"operator": await operator(station), "system": system["access_token"], "own": candidate["access_token"]}
    assert read(ours["own"], 0) == {
        "alg": "EdDSA" if station_key == "Ed25519" else "RS256",
        "kid": "k1",
        "typ": "at+jwt",
    }
    taken = await reader(url, ours, "cisco")
    assert all(said.startswith("accepted ") for said in taken.values()), taken
    assert (await reader(url, {"own": ours["own"]}, "juniper")) == {"own": "another program"}
    refused = await reader(url, await hostile(station, key), "cisco")
    assert len(refused) >= 11
    assert refused.pop("none of these faults").startswith("accepted ")
    assert not [name for name, said in refused.items() if said.startswith("accepted")], refused


@needs_node
async def test_jose_follows_a_rotation(station: IdentityStation) -> None:
    url = str(station.client.make_url("/api/identity/v1/jwks.json"))
    before = await operator(station)
    assert (await station.ask("POST", "/signing-keys", before))[0] == 201
    found = await by_jose(url, {"before": before}, "cisco")
    assert found == {"before": "accepted client:operator"}
    (_, following) = [key["kid"] for key in (await station.ask("GET", "/jwks.json"))[1]["keys"]]
    assert (await station.ask("DELETE", "/signing-keys/k1", before))[0] == 204
    after = await operator(station)
    assert read(after, 0)["kid"] == following
    assert await by_jose(url, {"after": after}, "cisco") == {"after": "accepted client:operator"}
