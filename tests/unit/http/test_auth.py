"""Nobody gets in but the holder of a token that our issuer made for us, and only for as long as it says."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from libs.common.clock import FixedClock
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import NOT_FOUND, UNAUTHENTICATED, Problem
from tests.unit.http.sample_api import Bearer

ISSUER = "https://certrail.example"


class Forge:
    """Makes tokens that are right but for what a test makes wrong."""

    def __init__(self, key: OKPKey, clock: FixedClock) -> None:
        self.key = key
        now = int(clock.now().timestamp())
        self.claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": "certrail",
            "sub": "ada",
            "iat": now,
            "nbf": now,
            "exp": now + 900,
            "kind": "candidate",
            "programs": ["cisco"],
            "scope": "history:read",
            "candidate_id": "CSCO1",
        }
        self.header: dict[str, Any] = {"alg": "Ed25519", "kid": "k1", "typ": "at+jwt"}

    def token(self, key: Any = None, **claims: Any) -> str:
        said = {name: value for name, value in {**self.claims, **claims}.items() if value is not None}
        allowed = JWSRegistry(algorithms=[self.header["alg"]])
        return "Bearer " + jwt.encode(self.header, said, key or self.key, registry=allowed)


@pytest.fixture
def forge(signing_key: OKPKey, clock: FixedClock) -> Forge:
    return Forge(signing_key, clock)


async def refused(verifier: TokenVerifier, authorization: str | None) -> Problem:
    with pytest.raises(Problem) as caught:
        await verifier.verify(authorization)
    assert caught.value.kind is UNAUTHENTICATED
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")
    return caught.value


async def test_a_valid_token_names_its_holder(verifier: TokenVerifier, bearer: Bearer, ada: Principal) -> None:
    assert await verifier.verify(bearer()["Authorization"]) == ada


async def test_a_forge_makes_valid_tokens_unless_told_otherwise(verifier: TokenVerifier, forge: Forge) -> None:
    assert (await verifier.verify(forge.token())).subject == "ada"


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Bearer", "Bearer ", "Bearer a.b.c", "Bearer \udcff"])
async def test_what_is_no_token_is_refused(verifier: TokenVerifier, header: str | None) -> None:
    await refused(verifier, header)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": None},
        {"exp": float("1e400")},
        {"exp": "soon"},
        {"sub": None},
        {"kind": "root"},
        {"kind": "staff"},  # with a candidate's id
        {"candidate_id": None},
        {"programs": "cisco"},
        {"scope": ["history:read"]},
    ],
    ids=str,
)
async def test_a_token_with_wrong_claims_is_refused(
    verifier: TokenVerifier, forge: Forge, claims: dict[str, Any]
) -> None:
    await refused(verifier, forge.token(**claims))


async def test_an_expired_token_is_refused_after_the_leeway(
    verifier: TokenVerifier, forge: Forge, clock: FixedClock
) -> None:
    token = forge.token()
    clock.advance(timedelta(seconds=920))
    assert (await verifier.verify(token)).subject == "ada"
    clock.advance(timedelta(seconds=11))
    await refused(verifier, token)


async def test_a_remembered_token_still_expires(verifier: TokenVerifier, forge: Forge, clock: FixedClock) -> None:
    token = forge.token(exp=int(clock.now().timestamp()) + 5)
    await verifier.verify(token)
    clock.advance(timedelta(seconds=36))
    await refused(verifier, token)


async def test_a_token_is_refused_before_its_time(verifier: TokenVerifier, forge: Forge, clock: FixedClock) -> None:
    await refused(verifier, forge.token(nbf=int(clock.now().timestamp()) + 60))


async def test_an_unknown_key_id_is_refused(verifier: TokenVerifier, forge: Forge) -> None:
    forge.header["kid"] = "k2"
    await refused(verifier, forge.token())


async def test_another_key_under_a_known_id_is_refused(verifier: TokenVerifier, forge: Forge) -> None:
    await refused(verifier, forge.token(OKPKey.generate_key("Ed25519")))


async def test_a_token_of_another_type_is_refused(verifier: TokenVerifier, forge: Forge) -> None:
    forge.header["typ"] = "JWT"
    await refused(verifier, forge.token())


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    return "Bearer " + b".".join([*parts, b""]).decode()


@pytest.mark.parametrize("algorithm", ["none", "None", "Ed25519", ""])
async def test_an_unsigned_token_is_refused(verifier: TokenVerifier, forge: Forge, algorithm: str) -> None:
    await refused(verifier, unsigned({**forge.header, "alg": algorithm}, forge.claims))


@pytest.mark.parametrize("form", ["PEM", "DER"])
async def test_hs256_with_the_public_key_as_secret_is_refused(
    verifier: TokenVerifier, forge: Forge, form: Literal["PEM", "DER"]
) -> None:
    secret = forge.key.as_bytes(encoding=form, private=False)
    signed = unsigned({**forge.header, "alg": "HS256"}, forge.claims).rstrip(".")
    code = hmac.digest(secret, signed.removeprefix("Bearer ").encode(), "sha256")
    await refused(verifier, f"{signed}.{base64.urlsafe_b64encode(code).rstrip(b'=').decode()}")


async def test_the_algorithm_belongs_to_the_key_not_to_the_token(clock: FixedClock, forge: Forge) -> None:
    key = RSAKey.generate_key(2048, parameters={"kid": "k1", "alg": "RS256"})
    verifier = TokenVerifier(StaticKeys(key), ISSUER, clock)
    forge.header["alg"] = "RS256"
    assert (await verifier.verify(forge.token(key))).subject == "ada"
    forge.header["alg"] = "RS384"
    stronger = RSAKey.import_key({k: v for k, v in key.as_dict(private=True).items() if k != "alg"})
    await refused(verifier, forge.token(stronger))


async def test_the_old_name_of_ed25519_is_understood(verifier: TokenVerifier, forge: Forge) -> None:
    valid = forge.token().removeprefix("Bearer ").split(".")
    renamed = unsigned({**forge.header, "alg": "EdDSA"}, forge.claims).removeprefix("Bearer ").split(".")
    signer = forge.key.get_op_key("sign")
    assert isinstance(signer, Ed25519PrivateKey)
    signature = signer.sign(f"{renamed[0]}.{valid[1]}".encode())
    encoded = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    assert (await verifier.verify(f"Bearer {renamed[0]}.{valid[1]}.{encoded}")).subject == "ada"


@given(position=st.integers(min_value=0), replacement=st.sampled_from("AQgw_-.=~"))
async def test_a_token_changed_anywhere_is_refused(position: int, replacement: str) -> None:
    clock = FixedClock(datetime(2026, 11, 22, tzinfo=UTC))
    key = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
    token = Forge(key, clock).token().removeprefix("Bearer ")
    at = position % (len(token) - 1)  # the last character carries bits that base64 ignores
    changed = token[:at] + replacement + token[at + 1 :]
    if changed != token:
        await refused(TokenVerifier(StaticKeys(key), ISSUER, clock), "Bearer " + changed)


async def test_only_so_many_tokens_are_remembered(signing_key: OKPKey, clock: FixedClock, forge: Forge) -> None:
    verifier = TokenVerifier(StaticKeys(signing_key), ISSUER, clock, remember=3)
    for number in range(10):
        await verifier.verify(forge.token(jti=str(number)))
    assert len(verifier._remembered) == 3


async def test_a_withdrawn_key_is_noticed_within_a_minute(signing_key: OKPKey, clock: FixedClock, forge: Forge) -> None:
    keys = StaticKeys(signing_key)
    verifier = TokenVerifier(keys, ISSUER, clock)
    token = forge.token()
    await verifier.verify(token)
    keys._keys.clear()
    clock.advance(timedelta(seconds=61))
    await refused(verifier, token)


def test_a_candidate_sees_their_own_data_in_their_own_program_only(ada: Principal) -> None:
    assert ada.may_see("cisco", "CSCO1")
    assert not ada.may_see("cisco", "CSCO2")
    assert not ada.may_see("juniper", "CSCO1")
    assert not ada.may_enter("juniper")
    with pytest.raises(Problem) as caught:
        ada.require("juniper", "CSCO1")
    assert caught.value.kind is NOT_FOUND


def test_staff_see_the_candidates_of_their_programs_only() -> None:
    staff = Principal("s", Kind.STAFF, frozenset({"cisco"}))
    assert staff.may_see("cisco", "CSCO2")
    assert not staff.may_see("juniper", "JPR1")


def test_nobody_in_particular_sees_nothing() -> None:
    assert not Principal("", Kind.ANONYMOUS).may_see("cisco", "CSCO1")
