"""Files as the body of a request or of an answer. Subclasses say which kinds a route takes or gives."""

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import ClassVar

from aiohttp import StreamReader, hdrs, web

from libs.common.http.problems import MALFORMED, MEDIA_TYPE_UNSUPPORTED, TOO_LARGE, Problem
from libs.common.http.responses import SECURITY_HEADERS

SHOWN = web.ResponseKey("shown", str)
"""Whose data a file shows."""

_BLOCK_BYTES = 262_144
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Patience:
    """The time for a request, which begins anew while its body goes on arriving."""

    deadline: asyncio.Timeout
    seconds: float

    def renew(self) -> None:
        self.deadline.reschedule(asyncio.get_running_loop().time() + self.seconds)


PATIENCE = web.RequestKey("patience", Patience)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a request carries as its whole body."""

    media_types: ClassVar[tuple[str, ...]]
    """The kinds taken; the request's `Content-Type` must be one of them."""
    max_bytes: ClassVar[int]

    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class UploadStream:
    """A file that a request carries as its whole body, for a handler to read while it arrives and to say how large.

    It may take as long as it goes on arriving.
    """

    media_types: ClassVar[tuple[str, ...]]
    """The kinds taken; the request's `Content-Type` must be one of them."""

    media_type: str
    blocks: AsyncIterator[bytes]
    """Raises a problem where the body breaks off."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that answers a request; always offered for saving, never shown as a page of ours."""

    media_types: ClassVar[tuple[str, ...]]
    """The kinds given."""

    media_type: str
    filename: str
    """ASCII letters, digits, and `.`, `_`, `-`: what a header needs no quoting for."""
    content: bytes | AsyncIterable[bytes]
    candidate_id: str | None = None
    """Whose data it shows, for the audit log, where the path does not say so."""

    def __post_init__(self) -> None:
        if not plain_name(self.filename):
            raise ValueError(f"not a plain file name: {self.filename!r}")


def plain_name(name: str) -> bool:
    """Whether a header takes a file's name without quoting."""
    return _PLAIN.fullmatch(name) is not None


async def read_upload(request: web.Request, kind: type[Upload]) -> Upload:
    """The file in a request's body. Raises a problem where it is of another kind, or too large."""
    if request.content_type not in kind.media_types:
        raise Problem(MEDIA_TYPE_UNSUPPORTED, f"send one of {', '.join(kind.media_types)}")
    if (request.content_length or 0) > kind.max_bytes:
        raise _too_large(kind)
    try:
        return kind(request.content_type, await _limited(request.content, kind))
    except web.RequestPayloadError as error:
        raise Problem(MALFORMED, "the body does not arrive as its headers say") from error


def open_upload(request: web.Request, kind: type[UploadStream]) -> UploadStream:
    """The file in a request's body, not read yet. Raises a problem where it is of another kind."""
    if request.content_type not in kind.media_types:
        raise Problem(MEDIA_TYPE_UNSUPPORTED, f"send one of {', '.join(kind.media_types)}")
    return kind(request.content_type, _arriving(request))


async def _arriving(request: web.Request) -> AsyncIterator[bytes]:
    patience = request.get(PATIENCE)
    try:
        async for block in request.content.iter_chunked(_BLOCK_BYTES):
            if patience is not None:
                patience.renew()
            yield block
    except web.RequestPayloadError as error:
        raise Problem(MALFORMED, "the body does not arrive as its headers say") from error


async def _limited(body: StreamReader, kind: type[Upload]) -> bytes:
    content = bytearray()
    async for chunk in body.iter_any():
        content += chunk
        if len(content) > kind.max_bytes:
            raise _too_large(kind)
    return bytes(content)


def _too_large(kind: type[Upload]) -> Problem:
    return Problem(TOO_LARGE, f"at most {kind.max_bytes} bytes are taken")


def download_response(file: Download, status: int) -> web.Response:
    """The response that carries a file."""
    headers = {
        **SECURITY_HEADERS,
        hdrs.CONTENT_TYPE: file.media_type,
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="{file.filename}"',
    }
    response = web.Response(status=status, headers=headers, body=file.content)
    if file.candidate_id is not None:
        response[SHOWN] = file.candidate_id
    return response
