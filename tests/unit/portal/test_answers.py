"""Where browsers are sent on to, and files that they show."""

import pytest
from aiohttp import web

from services.portal.backend.client import Fetched
from services.portal.web.answers import as_picture, from_the_top


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


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"\x89PNG\r\n\x1a\n...", "image/png"), (b"\xff\xd8\xff...", "image/jpeg")],
    ids=["PNG", "JPEG"],
)
def test_a_picture_is_what_its_bytes_say_whatever_it_is_called(content: bytes, kind: str) -> None:
    answer = as_picture(Fetched(content, "text/html", 'attachment; filename="x.html"'))
    assert (answer.content_type, answer.headers["X-Content-Type-Options"]) == (kind, "nosniff")
    assert answer.headers["Content-Disposition"] == "inline"


@pytest.mark.parametrize("content", [b"<svg><script>1</script></svg>", b"%PDF-1.7", b""], ids=["SVG", "PDF", "empty"])
def test_nothing_else_is_shown_as_one(content: bytes) -> None:
    with pytest.raises(web.HTTPNotFound):
        as_picture(Fetched(content, "image/png", None))
