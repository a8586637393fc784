"""What a provider says is taken for what it is, and hostile words are refused rather than stumbled over."""

import contextlib
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from pydantic import TypeAdapter

from libs.common.events.types import PartnerId
from services.identity.domain.mailboxes import is_same_mailbox
from services.identity.openid.federated_id import external_id_of
from services.identity.openid.id_token import (
    LEEWAY_SECONDS,
    Claims,
    Expected,
    Refused,
    algorithms_of,
    key_id,
    read_claims,
    verified_email,
)
from services.identity.openid.metadata import read_metadata
from services.identity.openid.signing_in import _secrets
from services.identity.settings import read_openid_secrets

untimed = settings(deadline=None)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
KEY = ECKey.generate_key("P-256", parameters={"kid": "k1"})
EXPECTED = Expected("https://id.example", "us", "n", "a")
HONEST: dict[str, Any] = {
    "iss": "https://id.example",
    "aud": "us",
    "sub": "ada",
    "nonce": "n",
    "iat": SECONDS,
    "exp": SECONDS + 60,
}
SUBJECTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def signed(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "ES256", "kid": "k1"}, claims, KEY)


def read(**changes: Any) -> Claims:
    return read_claims(signed(HONEST | changes), KEY, EXPECTED, NOW)


@untimed
@given(SUBJECTS)
def test_subject_becomes_an_id_that_partners_may_have(subject: str) -> None:
    external_id = external_id_of(subject)
    assert TypeAdapter(PartnerId).validate_python(external_id) == external_id


@untimed
@given(SUBJECTS, SUBJECTS)
def test_different_subjects_never_become_one_id(one: str, two: str) -> None:
    assert (external_id_of(one) == external_id_of(two)) is (one == two)
    assert external_id_of(external_id_of(one)) != external_id_of(two) or external_id_of(one) == two


def test_subject_that_looks_like_a_hash_is_not_the_subject_of_the_hash() -> None:
    hashed = external_id_of("auth0|5f7c8ec7c33c6c004bbafe82")
    assert hashed.startswith("sha256:")
    assert external_id_of(hashed) != hashed


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [
        (RSAKey.generate_key(2048), {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        (RSAKey.generate_key(2048, parameters={"alg": "PS256"}), {"PS256"}),
        (RSAKey.generate_key(2048, parameters={"alg": "none"}), set()),
        (RSAKey.generate_key(2048, parameters={"alg": "HS256"}), set()),
        (ECKey.generate_key("P-256"), {"ES256"}),
        (ECKey.generate_key("P-384"), {"ES384"}),
        (ECKey.generate_key("P-521"), {"ES512"}),
        (ECKey.generate_key("secp256k1"), set()),
        (OctKey.generate_key(256), set()),
        (OKPKey.generate_key("X25519"), set()),
    ],
    ids=lambda value: "" if isinstance(value, set) else f"{value.key_type}-{value.get('alg')}",
)
def test_algorithm_is_the_keys_and_never_none_or_a_shared_secrets(key: Key, algorithms: set[str]) -> None:
    assert algorithms_of(key) == algorithms


def test_key_without_an_algorithm_verifies_nothing() -> None:
    """Not even with those that a library recommends."""
    shared = OctKey.generate_key(256)
    token = jwt.encode({"alg": "HS256", "kid": "k1"}, HONEST, shared)
    with pytest.raises(Refused, match="another kind"):
        read_claims(token, shared, EXPECTED, NOW)


@pytest.mark.parametrize("late", [-1, 0])
def test_token_ends_with_its_last_second_and_a_little_more(late: int) -> None:
    exp = SECONDS - LEEWAY_SECONDS - late
    if late < 0:
        assert read(exp=exp).sub == "ada"
    else:
        with pytest.raises(Refused, match="expired"):
            read(exp=exp)


@untimed
@given(st.dictionaries(st.sampled_from([*HONEST, "azp", "at_hash", "auth_time", "acr", "amr", "email", "nbf"]), JSON))
def test_no_claim_makes_us_stumble(claims: dict[str, Any]) -> None:
    """Whatever a provider signs is either for us and whole, or refused."""
    token = json.loads(json.dumps(HONEST | claims))
    try:
        read_claims(_raw(token), KEY, EXPECTED, NOW)
    except Refused:
        return
    assert token["iss"] == "https://id.example"
    assert token["nonce"] == "n"
    assert "us" in (token["aud"] if isinstance(token["aud"], list) else [token["aud"]])


def _raw(claims: dict[str, Any]) -> str:
    """With escapes for what JSON can say and UTF-8 cannot."""
    parts = [json.dumps(part).encode() for part in ({"alg": "ES256", "kid": "k1"}, claims)]
    text = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = urlsafe_b64encode(JWSRegistry.algorithms["ES256"].sign(text, KEY)).rstrip(b"=")
    return (text + b"." + signature).decode()


@untimed
@given(st.text() | st.from_regex(r"[A-Za-z0-9_=-]{0,40}(\.[A-Za-z0-9_=-]{0,40}){0,4}", fullmatch=True))
def test_no_text_makes_us_stumble(text: str) -> None:
    with contextlib.suppress(Refused):
        key_id(text)
    with pytest.raises(Refused):
        read_claims(text, KEY, EXPECTED, NOW)


@untimed
@given(JSON, JSON)
def test_address_counts_only_where_it_is_one_and_was_verified(email: object, verified: object) -> None:
    assert verified_email(email, verified) is None or verified is True
    assert verified_email("ada@example.com", verified) == ("ada@example.com" if verified is True else None)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("Ada@Example.com", "ada@example.COM ", True),
        ("strasse@example.com", "straße@example.com", False),
        ("kim@example.com", "\u212aim@example.com", False),
        ("é@example.com", "e\u0301@example.com", False),
        ("Ä@example.com", "ä@example.com", False),
        ("ada@example.com", "ada@example.org", False),
    ],
)
def test_mailbox_is_the_same_only_where_nobody_else_can_have_it(one: str, two: str, same: bool) -> None:
    assert is_same_mailbox(one, two) is same


@untimed
@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_description_makes_us_stumble(document: bytes) -> None:
    with pytest.raises(ValueError):
        read_metadata(document, "https://id.example")


@pytest.mark.parametrize(
    ("issuer", "endpoint", "taken"),
    [
        ("https://id.example", "https://login.example/token", True),
        ("https://id.example", "http://127.0.0.1/token", False),
        ("https://id.example", "http://id.example/token", False),
        ("http://127.0.0.1:9", "http://127.0.0.1:8/token", True),
        ("http://127.0.0.1:9", "http://id.example/token", False),
    ],
)
def test_endpoint_is_where_nobody_listens_in(issuer: str, endpoint: str, taken: bool) -> None:
    document = {"issuer": issuer, "authorization_endpoint": issuer, "token_endpoint": endpoint, "jwks_uri": issuer}
    if taken:
        assert read_metadata(json.dumps(document).encode(), issuer).token_endpoint == endpoint
    else:
        with pytest.raises(ValueError, match="endpoint"):
            read_metadata(json.dumps(document).encode(), issuer)


@untimed
@given(st.text(min_size=1), st.text(min_size=1))
def test_nonce_and_verifier_are_the_bindings_own_and_not_each_other(one: str, two: str) -> None:
    first, second = _secrets("s", one), _secrets("s", two)
    assert (first == second) is (one == two)
    assert first.nonce != first.verifier
    assert len(first.verifier) == 43


@pytest.mark.parametrize(
    "content", ["", "[]", '{"acme": ""}', '{"Acme": "hush"}', '{"acme": {"secret": "hush"}}', "hush"]
)
def test_secrets_that_cannot_be_read_are_not_told(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"secrets\.json: needs") as caught:
        read_openid_secrets(file)
    assert "hush" not in "".join(format_exception(caught.value))


def test_secrets_are_read_by_program(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text('{"acme": "hush"}')
    assert read_openid_secrets(file) == {"acme": "hush"}
    assert read_openid_secrets(None) == {}
