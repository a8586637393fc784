"""Representations: which one a caller gets, and that unchanged ones are not sent again."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from libs.common.http.documents import REVALIDATED, Document, document_response, negotiated

OFFERS = ("text/html", "application/json", "image/png")


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        (None, "text/html"),
        ("", "text/html"),
        ("*/*", "text/html"),
        ("application/json", "application/json"),
        ("image/*", "image/png"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("text/html;q=0, */*;q=0.1", "application/json"),
        ("APPLICATION/JSON ; Q=0.3", "application/json"),
        ("text/plain", None),
        ("text/html;q=nonsense", None),
    ],
)
def test_the_best_offer_is_taken(accept: str | None, given: str | None) -> None:
    assert negotiated(accept, OFFERS) == given


class Picture(Document):
    media_types = ("image/png",)


def response(document: Document, **headers: str) -> web.Response:
    return document_response(document, make_mocked_request("GET", "/", headers=headers), 200, {})


def test_the_same_bytes_are_not_sent_twice() -> None:
    picture = Picture(media_type="image/png", content=b"png", cache_control=REVALIDATED)
    first = response(picture)
    assert (first.status, first.body) == (200, b"png")
    again = response(picture, **{"If-None-Match": f'"other", {first.headers["ETag"]}'})
    assert (again.status, again.body) == (304, None)
    changed = Picture(media_type="image/png", content=b"another", cache_control=REVALIDATED)
    assert response(changed, **{"If-None-Match": first.headers["ETag"]}).status == 200


def test_what_may_not_be_kept_has_no_tag() -> None:
    plain = response(Picture(media_type="image/png", content=b"png"))
    assert "ETag" not in plain.headers
    assert plain.headers["Cache-Control"] == "no-store"
    assert plain.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert plain.headers["Vary"] == "Accept"


def test_a_page_says_its_language_and_that_others_get_others() -> None:
    page = response(Picture(media_type="image/png", content=b"png", language="ar"))
    assert (page.headers["Content-Language"], page.headers["Vary"]) == ("ar", "Accept, Accept-Language")


def test_a_page_may_tell_a_refusal() -> None:
    assert response(Picture(media_type="image/png", content=b"", status=410)).status == 410


def test_a_file_name_needs_no_quoting() -> None:
    with pytest.raises(ValueError, match="plain file name"):
        Picture(media_type="image/png", content=b"", filename='a"b')
