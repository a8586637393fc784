"""One-time codes by the vectors of their standards."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.one_time_codes import DRIFT_STEPS, STEP_SECONDS, code_at, enrolment_uri, step_of

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(SECRET, seconds // STEP_SECONDS, digits=8) == code


def test_vectors_of_rfc_4226() -> None:
    expected = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
    assert [code_at(SECRET, counter) for counter in range(10)] == expected


@given(st.integers(10, 10**9), st.integers(-3, 3))
def test_code_is_taken_within_the_drift_and_no_further(step: int, off: int) -> None:
    code = code_at(SECRET, step + off)
    found = step_of(SECRET, code, step * STEP_SECONDS + 7.5)
    near = [each for each in range(step - DRIFT_STEPS, step + DRIFT_STEPS + 1) if code_at(SECRET, each) == code]
    assert found == (near[-1] if near else None)
    assert (abs(off) <= DRIFT_STEPS) <= (found is not None)


@pytest.mark.parametrize("code", ["", "12345", "٣٣٣٣٣٣", "0" * 40])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert step_of(SECRET, code, 59) is None


def test_uri_names_program_and_account() -> None:
    uri = urlsplit(enrolment_uri(SECRET, "Cisco & Co: x", "CSCO00000013"))
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Cisco%20%26%20Co%3A%20x:CSCO00000013")
    query = parse_qs(uri.query)
    assert query["secret"] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]
    assert query["issuer"] == ["Cisco & Co: x"]
