"""Links that end news."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.unsubscribing.links import Mailing, UnsubscribeLinks

LINKS = UnsubscribeLinks("s" * 32, "https://certs.example/")
MAILING = Mailing("cisco", "CSCO10000001", "0123456789abcdef" * 2)


def test_link_stands_for_its_mailing_at_an_address_of_its_own() -> None:
    root, _, token = LINKS.url(MAILING).rpartition("/")
    assert root == "https://certs.example/unsubscribe"
    assert LINKS.read(token) == MAILING
    assert UnsubscribeLinks("t" * 32, "").read(token) is None
    assert MAILING.candidate_id not in token


def test_changed_link_stands_for_nothing() -> None:
    token = LINKS.url(MAILING).rpartition("/")[2]
    other = LINKS.url(Mailing("cisco", "CSCO10000002", MAILING.message_id)).rpartition("/")[2]
    content, _, signature = token.partition(".")
    for made_up in (content, f"{content}.", f".{signature}", f"{other.partition('.')[0]}.{signature}", token[:-2]):
        assert LINKS.read(made_up) is None


@pytest.mark.parametrize("token", ["", ".", "é.ü", "a.b.c", "====.====", "%00.%00"])
def test_nonsense_stands_for_nothing(token: str) -> None:
    assert LINKS.read(token) is None


@settings(max_examples=100)
@given(st.text(max_size=80))
def test_any_text_is_read_without_an_error(token: str) -> None:
    assert LINKS.read(token) is None
