"""What answers a request as itself: a page, a picture, a signed file. Subclasses say which kinds a route gives."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from aiohttp import hdrs, web

from libs.common.http.files import plain_name
from libs.common.http.responses import SECURITY_HEADERS

PRIVATE: Final = "no-store"
REVALIDATED: Final = "no-cache"
"""May be kept, and is asked about before every use (RFC 9111, 5.2.2.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One representation of something that has several; it is shown where the reader can, unless `filename` is set."""

    media_types: ClassVar[tuple[str, ...]]
    """The kinds given; the first answers whoever does not mind."""

    media_type: str
    content: bytes
    cache_control: str = PRIVATE
    filename: str | None = None
    """Offered for saving under this name: ASCII letters, digits, and `.`, `_`, `-`."""
    policy: str | None = None
    """Content-Security-Policy, where a page needs more than nothing."""
    shared: bool = False
    """Whether pages of every origin may read it (CORS): verifiers and wallets run in browsers, too."""
    language: str | None = None
    """Of a page that speaks the reader's (BCP 47): others get others at the same address."""
    status: int | None = None
    """In place of the route's own: a page can tell a refusal, too."""

    def __post_init__(self) -> None:
        if self.filename is not None and not plain_name(self.filename):
            raise ValueError(f"not a plain file name: {self.filename!r}")

    @property
    def etag(self) -> str:
        """The same for the same bytes (RFC 9110, 8.8.3)."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


def document_response(
    document: Document, request: web.BaseRequest, status: int, more: Mapping[str, str]
) -> web.Response:
    """The response that carries a document, with `more` headers; 304 without it where the caller has these bytes."""
    headers = {
        **SECURITY_HEADERS,
        hdrs.CACHE_CONTROL: document.cache_control,
        hdrs.CONTENT_TYPE: document.media_type,
        hdrs.VARY: hdrs.ACCEPT,
        # Who has the address may look; a search engine that finds it may not show it to everybody.
        "X-Robots-Tag": "noindex, nofollow",
        **more,
    }
    if document.language is not None:
        headers[hdrs.CONTENT_LANGUAGE] = document.language
        headers[hdrs.VARY] = f"{hdrs.ACCEPT}, {hdrs.ACCEPT_LANGUAGE}"
    if document.policy is not None:
        headers["Content-Security-Policy"] = document.policy
    if document.shared:
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
    if headers.get(hdrs.ACCESS_CONTROL_ALLOW_ORIGIN) == "*":
        # Mails and pages of others show them.
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if document.filename is not None:
        headers[hdrs.CONTENT_DISPOSITION] = f'attachment; filename="{document.filename}"'
    if document.cache_control != PRIVATE and document.status is None:
        headers[hdrs.ETAG] = document.etag
        if document.etag in {one.strip() for one in request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")}:
            return web.Response(status=304, headers=headers)
    return web.Response(status=document.status or status, headers=headers, body=document.content)


def negotiated(accept: str | None, offers: Sequence[str]) -> str | None:
    """The offered media type that suits an `Accept` header best (RFC 9110, 12.5.1); None where none does.

    Of offers that suit alike the earlier one is taken.
    """
    if not accept or not accept.strip():
        return offers[0]
    ranges = [_range(one) for one in accept.split(",")]
    weighed = [(_weight(offer, ranges), offer) for offer in offers]
    best, offer = max(weighed, key=lambda one: one[0])
    return offer if best > 0 else None


def _range(text: str) -> tuple[str, float]:
    kind, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = min(max(float(value), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return kind, quality


def _weight(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality of the most specific range that takes in the offer."""
    kind = offer.partition(";")[0]
    for wanted in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if found := [quality for each, quality in ranges if each == wanted]:
            return max(found)
    return 0.0
