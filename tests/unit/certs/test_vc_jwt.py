"""Credentials as tokens: RS256, one key by its address, claims that say what the credential says."""

import base64
import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

from services.certs.signing.data_integrity import BadProof, Unsignable
from services.certs.signing.vc_jwt import header_of, sign_jwt, verify_jwt
from tests.unit.certs.credential_samples import credential

KEY = RSAKey.generate_key(2048)
KID = "https://certrail.example/issuers/cisco/keys/z6Mk"
WHO = "urn:uuid:2f9ab1c3-52bb-4f41-8c66-2f3e2a2ef0d6"


def parts(token: str) -> list[Any]:
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def signed_as(claims: dict[str, Any], **header: Any) -> str:
    return jws.serialize_compact({"alg": "RS256", **header}, json.dumps(claims), KEY)


def test_header_and_claims_are_those_that_open_badges_asks_for() -> None:
    document = credential()
    token = sign_jwt(document, KEY, kid=KID)
    header, claims = parts(token)
    assert header == header_of(token) == {"alg": "RS256", "typ": "JWT", "kid": KID}
    assert claims == document | {
        "iss": document["issuer"]["id"],
        "jti": document["id"],
        "sub": WHO,
        "nbf": 1805016600,
        "exp": 1899711000,
    }
    assert verify_jwt(token, KEY) == document


def test_a_credential_without_an_end_has_no_end() -> None:
    token = sign_jwt(credential(validUntil=None), KEY, kid=KID)
    assert "exp" not in parts(token)[1]
    assert "validUntil" not in verify_jwt(token, KEY)


@pytest.mark.parametrize(
    "change",
    [
        {"credentialSubject": {"type": ["AchievementSubject"]}},
        {"id": None},
        {"issuer": {"name": "nobody"}},
        {"validFrom": None},
        {"validFrom": "2027-03-14T09:30:00.5Z"},
        {"validUntil": "2027-03-14T09:30:00.000001Z"},
        {"validFrom": "2027-03-14T09:30:00"},
        {"validFrom": "soon"},
        {"validFrom": 5},
        {"id": ""},
    ],
)
def test_no_token_without_its_claims(change: dict[str, Any]) -> None:
    with pytest.raises(Unsignable):
        sign_jwt(credential(**change), KEY, kid=KID)


def test_another_key_does_not_verify_whatever_the_header_names() -> None:
    other = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "jwk": other.as_dict(private=False), "kid": KID}
    forged = jws.serialize_compact(header, json.dumps(parts(sign_jwt(credential(), KEY, kid=KID))[1]), other)
    with pytest.raises(BadProof):
        verify_jwt(forged, KEY)
    assert header_of(forged)["kid"] == KID
    assert verify_jwt(forged, other)


def test_a_transcript_may_be_long() -> None:
    document = credential(description="d" * 2_000_000)
    assert verify_jwt(sign_jwt(document, KEY, kid=KID), KEY) == document


def test_only_rs256_verifies() -> None:
    token = sign_jwt(credential(), KEY, kid=KID)
    _, claims = parts(token)
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    public = KEY.as_pem(private=False)
    confused = jws.serialize_compact({"alg": "HS256"}, json.dumps(claims), OctKey.import_key(public.hex()))
    pss = jws.serialize_compact({"alg": "PS256"}, json.dumps(claims), KEY, algorithms=["PS256"])
    for forged in (f"{head}.{token.split('.')[1]}.", confused, pss):
        with pytest.raises(BadProof):
            verify_jwt(forged, KEY)


@pytest.mark.parametrize("claim", ["iss", "jti", "sub", "nbf", "exp"])
def test_claims_that_say_something_else_are_refused(claim: str) -> None:
    _, claims = parts(sign_jwt(credential(), KEY, kid=KID))
    assert verify_jwt(signed_as(claims), KEY) == credential()
    other = 1 if claim in {"nbf", "exp"} else "urn:other"
    with pytest.raises(BadProof, match="claims"):
        verify_jwt(signed_as(claims | {claim: other}), KEY)
    with pytest.raises(BadProof, match="claims"):
        verify_jwt(signed_as({name: value for name, value in claims.items() if name != claim}), KEY)


def test_an_end_that_the_credential_has_not_is_refused() -> None:
    _, claims = parts(sign_jwt(credential(validUntil=None), KEY, kid=KID))
    with pytest.raises(BadProof, match="claims"):
        verify_jwt(signed_as(claims | {"exp": 4_000_000_000}), KEY)


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "....", "é.é.é", "e30.e30.e30", "bnVsbA.e30.e30"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(BadProof):
        verify_jwt(token, KEY)
    with pytest.raises(BadProof):
        header_of(token)


@pytest.mark.parametrize("content", [[], "a", {}, {"issuer": 1}, None])
def test_a_token_of_something_else_is_refused(content: Any) -> None:
    with pytest.raises(BadProof):
        verify_jwt(signed_as(content), KEY)
