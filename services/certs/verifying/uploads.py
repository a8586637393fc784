"""Files as requests bring them: as the whole body, or as the one field of a form (RFC 7578)."""

import re
from email.message import Message
from typing import ClassVar, Final

from libs.common.http.files import Upload
from libs.common.http.problems import MALFORMED, Problem, invalid
from services.certs.verifying.found import MOST_BYTES

FIELD: Final = "file"

_FRAME_BYTES = 4096
"""Of a form around its file."""

_NAME = re.compile(rb'content-disposition:[^\r\n]*;\s*name="([^"\r\n]*)"', re.IGNORECASE)


class FileUpload(Upload):
    """A file to check; what it is, is found out from its content."""

    media_types: ClassVar = (
        "application/json",
        "application/vc",
        "application/ld+json",
        "application/vc+ld+json",
        "application/vc+jwt",
        "application/jwt",
        "text/plain",
        "image/png",
        "image/svg+xml",
        "application/pdf",
        "application/octet-stream",
    )
    max_bytes: ClassVar = MOST_BYTES


class FormUpload(Upload):
    """The same from a page."""

    media_types: ClassVar = ("multipart/form-data",)
    max_bytes: ClassVar = MOST_BYTES + _FRAME_BYTES


def file_in_form(content: bytes, content_type: str) -> bytes:
    """The file in a form. Raises the problems `malformed-body` and `invalid-request`."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if not boundary:
        raise Problem(MALFORMED, "the form has no boundary")
    _preamble, *parts = (b"\r\n" + content).split(b"\r\n--" + boundary.encode("latin-1", "replace"))
    if not parts or not parts[-1].startswith(b"--"):
        raise Problem(MALFORMED, "the form is not whole")
    files = []
    for part in parts[:-1]:
        headers, blank, body = part.partition(b"\r\n\r\n")
        name = _NAME.search(headers)
        if blank and name and name[1] == FIELD.encode():
            files.append(body)
    if len(files) != 1:
        raise invalid(f"body.{FIELD}", "missing", "choose one file")
    return files[0]
