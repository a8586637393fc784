"""Signatures of messages over HTTPS, against the vector and the library of Standard Webhooks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from libs.common import signatures
from libs.common.signatures import ID, SIGNATURE, TIMESTAMP, is_right, read, sign, written

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
VECTOR = {
    ID: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    TIMESTAMP: "1614265330",
    SIGNATURE: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
"""Published with the libraries of Standard Webhooks, and in docs/vendors.md."""
THEN = datetime.fromtimestamp(1_614_265_330, UTC)


def headers(secret: bytes, body: bytes, at: datetime, message_id: str = "m1") -> dict[str, str]:
    timestamp = int(at.timestamp())
    return {ID: message_id, TIMESTAMP: str(timestamp), SIGNATURE: sign(secret, message_id, timestamp, body)}


def test_published_vector_is_right() -> None:
    assert is_right([read(SECRET)], VECTOR, BODY, THEN)
    assert written(read(SECRET)) == SECRET
    assert sign(read(SECRET), VECTOR[ID], 1_614_265_330, BODY) == VECTOR[SIGNATURE]


@given(st.binary(min_size=24, max_size=64), st.text(max_size=200), st.integers(0, 4_000_000_000))
def test_their_library_signs_as_we_do(secret: bytes, text: str, moment: int) -> None:
    at = datetime.fromtimestamp(moment, UTC)
    theirs = Webhook(written(secret)).sign("m1", at, text)
    assert is_right([secret], {ID: "m1", TIMESTAMP: str(moment), SIGNATURE: theirs}, text.encode(), at)


def test_their_library_takes_ours() -> None:
    secret, now = b"s" * 32, datetime.now(UTC)
    assert Webhook(written(secret)).verify(BODY, headers(secret, BODY, now)) == {"test": 2432232314}


@pytest.mark.parametrize("seconds", [-301, -300, 0, 300, 301])
def test_signature_is_good_for_five_minutes_either_way(seconds: int) -> None:
    at = THEN + timedelta(seconds=seconds)
    assert is_right([read(SECRET)], VECTOR, BODY, at) == (abs(seconds) <= 300)


@pytest.mark.parametrize(
    "changed",
    [
        {ID: "msg_other"},
        {ID: ""},
        {TIMESTAMP: "1614265331"},
        {TIMESTAMP: "+1614265330"},
        {TIMESTAMP: "1614265330.0"},
        {TIMESTAMP: "9" * 400},
        {TIMESTAMP: ""},
        {SIGNATURE: ""},
        {SIGNATURE: "v1,"},
        {SIGNATURE: VECTOR[SIGNATURE].removeprefix("v1,")},
        {SIGNATURE: VECTOR[SIGNATURE].replace("v1,", "v1a,")},
        {SIGNATURE: "v1,ümläut"},
    ],
    ids=str,
)
def test_anything_else_is_wrong(changed: dict[str, str]) -> None:
    assert not is_right([read(SECRET)], VECTOR | changed, BODY, THEN)


def test_body_is_signed() -> None:
    assert not is_right([read(SECRET)], VECTOR, BODY + b" ", THEN)


def test_several_signatures_and_several_secrets_go_while_one_is_changed() -> None:
    old, new = b"o" * 32, b"n" * 32
    both = headers(old, BODY, THEN)
    both[SIGNATURE] += " v1a,unknown " + headers(new, BODY, THEN)[SIGNATURE]
    for secrets in ([old], [new], [old, new]):
        assert is_right(secrets, both, BODY, THEN)
    assert is_right([old, new], headers(old, BODY, THEN), BODY, THEN)
    assert not is_right([new], headers(old, BODY, THEN), BODY, THEN)
    assert not is_right([], both, BODY, THEN)


def test_not_without_end_many_signatures_are_tried() -> None:
    many = VECTOR | {SIGNATURE: " ".join([*["v1,x"] * 1000, VECTOR[SIGNATURE]])}
    assert not is_right([read(SECRET)], many, BODY, THEN)


def test_secret_that_is_no_base64_is_refused() -> None:
    with pytest.raises(ValueError, match="base64"):
        signatures.read("whsec_***")
