"""Writes a mail as bytes: two forms of one text, and headers in any script (RFC 5322, 2045, 2047).

The standard library's generator takes up to a millisecond for what is a few joins here, and a mail server is fed a
thousand mails a second. Tests read everything back with the standard library's parser.
"""

import re
from base64 import b64encode, encodebytes
from binascii import b2a_qp
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

_LINE_BREAKS = re.compile(r"\r\n?")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_PLAIN = re.compile(r"[ -~]*")
_WORDS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
"""A display name that needs no quotes (RFC 5322, 3.2.3 `atext`)."""

_SEVEN_BIT = b"\t\r\n" + bytes(range(0x20, 0x7F))
"""Octets that need no encoding (RFC 2045, 2.7)."""
_LONGEST_LINE = 999
"""998 octets and the CR (RFC 5322, 2.1.1)."""

_PLAIN_LIMIT = 60
"""Characters of a header value that stand as they are; a longer one is written in parts that may be folded."""
_CHUNK_BYTES = 42
"""Bytes in one encoded word: 56 characters of base64 and 12 around them stay below the limit of 75."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside a mail's text; its name and type are ours, and plain ASCII."""

    media_type: str
    """With its parameters."""
    filename: str
    content: bytes


def alternative(
    headers: Iterable[tuple[str, str]],
    *,
    text: str,
    html: str,
    boundary: str,
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """A mail whose reader shows `html`, or `text` where it cannot.

    Args:
        headers: names and values, the values as `unstructured` and the like below return them.
        text: the plain form.
        html: the rich form.
        boundary: letters and digits; with `=_` before it, it can never stand in a body.
        attachments: files for the reader to keep.
    """
    lines = [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join(lines).encode() + b"\r\nMIME-Version: 1.0"
    mark = f"=_{boundary}".encode()
    forms = _forms(text, html, mark)
    return head + (_mixed(forms, attachments, b"=_m" + boundary.encode()) if attachments else forms)


def _forms(text: str, html: str, mark: bytes) -> bytes:
    return b"".join(
        (
            b'\r\nContent-Type: multipart/alternative; boundary="',
            mark,
            b'"\r\n\r\n--',
            mark,
            _part(b"plain", text),
            b"\r\n--",
            mark,
            _part(b"html", html),
            b"\r\n--",
            mark,
            b"--\r\n",
        )
    )


def _mixed(forms: bytes, attachments: Sequence[Attachment], mark: bytes) -> bytes:
    parts = [forms, *map(_attached, attachments)]
    inner = b"".join(b"\r\n--" + mark + part for part in parts)
    return b'\r\nContent-Type: multipart/mixed; boundary="' + mark + b'"\r\n' + inner + b"\r\n--" + mark + b"--\r\n"


def _attached(attachment: Attachment) -> bytes:
    # In base64, which carries every line end as it is; a calendar's lines end in CRLF wherever it is saved.
    head = (
        f"\r\nContent-Type: {attachment.media_type}\r\n"
        f'Content-Disposition: attachment; filename="{attachment.filename}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + encodebytes(attachment.content).rstrip(b"\n").replace(b"\n", b"\r\n")


def _part(subtype: bytes, body: str) -> bytes:
    encoding, content = _transfer(body)
    return _PART % (subtype, encoding, content)


_PART = b"\r\nContent-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n%b"


def unstructured(value: str) -> str:
    """A header's free text. What would end the header or is no character becomes a space."""
    clean = _CONTROLS.sub(" ", value).strip()
    if len(clean) <= _PLAIN_LIMIT and _PLAIN.fullmatch(clean) and "=?" not in clean:
        return clean
    return _encoded_words(clean)


@lru_cache(maxsize=64)
def own_mailbox(name: str, address: str) -> str:
    """`mailbox` for the few senders there are."""
    return mailbox(name, address)


def mailbox(name: str, address: str) -> str:
    """A person's or sender's name with their address.

    Raises:
        ValueError: the address could not stand in a header.
    """
    if not _is_safe(address):
        raise ValueError("the address holds a space, a control character or an angle bracket")
    clean = _CONTROLS.sub(" ", name).strip()
    if len(clean) > _PLAIN_LIMIT or not _PLAIN.fullmatch(clean) or "=?" in clean:
        return f"{_encoded_words(clean)}\r\n <{address}>"
    if not _WORDS.fullmatch(clean):
        escaped = clean.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{clean} <{address}>" if clean else f"<{address}>"


def date(moment: datetime) -> str:
    return _date_of_second(moment.replace(microsecond=0))


@lru_cache(maxsize=64)
def _date_of_second(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC))


_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f-\x9f<>\ud800-\udfff]")


def _is_safe(address: str) -> bool:
    return bool(address) and not _UNSAFE.search(address)


def _encoded_words(value: str) -> str:
    """Base64 words of whole characters, one a line (RFC 2047, section 5, rule 3: no character is split)."""
    chunks: list[bytes] = []
    chunk = b""
    for character in value:
        encoded = character.encode()
        if len(chunk) + len(encoded) > _CHUNK_BYTES:
            chunks.append(chunk)
            chunk = b""
        chunk += encoded
    chunks.append(chunk)
    return "\r\n ".join(f"=?utf-8?b?{b64encode(chunk).decode()}?=" for chunk in chunks)


def _transfer(body: str) -> tuple[bytes, bytes]:
    """A body's transfer encoding and its bytes: as it is where every server on the way takes it so."""
    canonical = _canonical(body)
    if _fits_seven_bit(canonical):
        return b"7bit", canonical
    encoded = b2a_qp(canonical, quotetabs=False, istext=True)
    # The encoder breaks long lines in the way of the first line end it sees, and a single line shows it none.
    return b"quoted-printable", encoded if b"\r\n" in canonical else encoded.replace(b"=\n", b"=\r\n")


def _fits_seven_bit(body: bytes) -> bool:
    plain = not body.translate(None, _SEVEN_BIT) and b"=_" not in body
    return plain and max(map(len, body.split(b"\n"))) <= _LONGEST_LINE


def _canonical(body: str) -> bytes:
    lines = _LINE_BREAKS.sub("\n", body) if "\r" in body else body
    return lines.replace("\n", "\r\n").encode("utf-8", "replace")
