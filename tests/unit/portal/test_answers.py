"""Where browsers are sent on to."""

import pytest

from services.portal.web.answers import from_the_top


@pytest.mark.parametrize(
    ("to", "sent"),
    [
        ("/", "/#top"),
        ("/cases?kind=name", "/cases?kind=name#top"),
        ("/plan#goals", "/plan#goals"),
        ("https://provider.example/authorize?state=1", "https://provider.example/authorize?state=1"),
    ],
)
def test_whoever_has_sent_a_form_sees_the_next_page_from_its_top(to: str, sent: str) -> None:
    assert from_the_top(to) == sent
