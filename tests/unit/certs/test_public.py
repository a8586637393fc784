"""Addresses and codes of what anybody may read."""

from hypothesis import given
from hypothesis import strategies as st

from services.certs.public.addresses import Addresses
from services.certs.public.codes import ALPHABET, LENGTH, new_code, printed, read_code


def test_an_issuer_is_a_folder_of_the_gateways_host() -> None:
    assert Addresses("https://certs.example").issuer_did("cisco") == "did:web:certs.example:issuers:cisco"
    assert Addresses("http://127.0.0.1:8080").issuer_did("cisco") == "did:web:127.0.0.1%3A8080:issuers:cisco"


@given(st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH), st.sampled_from(["-", " ", "", " - ", "\u2013"]))
def test_a_code_is_read_however_it_is_typed(code: str, between: str) -> None:
    typed = between.join([code[:4], code[4:8], code[8:]]).lower()
    assert read_code(typed) == read_code(printed(code)) == code


def test_what_cannot_be_a_code_is_none() -> None:
    assert [read_code(text) for text in ("", "7K2M-9QXT-4HP", "7K2M-9QXT-4HP0", "7K2M-9QXT-4HPÄ")] == [None] * 4


def test_codes_differ() -> None:
    assert len({new_code() for _ in range(1_000)}) == 1_000
