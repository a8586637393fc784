"""The few headers that the inbox lists, read without parsing the whole mail."""

import hashlib
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser

_parser = BytesHeaderParser()


@dataclass(frozen=True)
class Headers:
    """What identifies a mail and what a list shows of it."""

    message_id: str
    sender: str
    subject: str


def read_headers(raw: bytes) -> Headers:
    """The headers of a mail. One without a Message-ID is known by its content."""
    found = _parser.parsebytes(raw[: _end_of_headers(raw)])
    message_id = str(found.get("Message-ID", "")).strip()
    return Headers(
        message_id=message_id or f"sha256:{hashlib.sha256(raw).hexdigest()}",
        sender=decoded(str(found.get("From", ""))),
        subject=decoded(str(found.get("Subject", ""))),
    )


def decoded(value: str) -> str:
    """A header as people read it (RFC 2047); as it came where its encoding is broken."""
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):
        return value


def _end_of_headers(raw: bytes) -> int:
    end = raw.find(b"\r\n\r\n")
    return len(raw) if end < 0 else end + 4
