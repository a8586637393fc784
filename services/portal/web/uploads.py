"""Files that people send."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from services.portal.languages import say
from services.portal.web.forms import Unfit

MOST_BYTES: Final = 5 * 1024 * 1024
"""As much as the services take for evidence."""
_BEGINS: Final = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class File:
    """A file as a service takes it; its kind is told by its content, whatever its name says."""

    name: str
    media_type: str
    content: bytes


async def uploaded(request: web.Request, field: str) -> File | None:
    """The PDF, PNG or JPEG in a form's field; None where no file was chosen. Raises `Unfit`."""
    found = (await request.post()).get(field)
    if not isinstance(found, web.FileField) or not found.filename:
        return None
    content = found.file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Unfit({field: say("This file is too large. Files can have up to 5 MB: PDF, PNG or JPEG")})
    media_type = next((kind for begin, kind in _BEGINS.items() if content.startswith(begin)), None)
    if media_type is None:
        raise Unfit({field: say("Choose a PDF, PNG or JPEG; this file is none")})
    return File(found.filename[:200], media_type, content)
