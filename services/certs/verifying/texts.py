"""A credential as text: JSON, or a token. What two readers could take for different things is refused."""

import binascii
import json
import re
from base64 import urlsafe_b64decode
from typing import Any, Final

from services.certs.verifying.found import MOST_TEXT_BYTES, Found, UnreadableError

MOST_DEPTH: Final = 24
"""Of objects in objects; a transcript has eight."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,8192}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def read_text(text: str) -> Found:
    """The credential in a text, of form `json` or `jwt`. Raises `UnreadableError`."""
    text = text.removeprefix("\ufeff").strip()
    if len(text) > MOST_TEXT_BYTES:
        raise UnreadableError("too_large")
    if text.startswith("{"):
        return Found("json", read_json(text))
    if _TOKEN.fullmatch(text):
        header, payload, _signature = text.split(".")
        return Found("jwt", _decoded(payload), token=text, header=_decoded(header))
    raise UnreadableError("format_unknown")


def read_json(text: str) -> str:
    """The same object, as every reader takes it: each name once, numbers that are numbers, nothing too deep.

    Raises `UnreadableError`.
    """
    try:
        document = json.loads(text, object_pairs_hook=_each_once)
        if not isinstance(document, dict) or _deeper(document, MOST_DEPTH):
            raise UnreadableError("damaged")
        written = json.dumps(document, allow_nan=False, ensure_ascii=False)
        written.encode()
    except (ValueError, RecursionError) as error:
        raise UnreadableError("damaged") from error
    return written


def _decoded(part: str) -> str:
    """The JSON in a part of a token (RFC 7515, 2: base64url without padding)."""
    try:
        return read_json(urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode())
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UnreadableError("damaged") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnreadableError("damaged")
    return found


def _deeper(value: Any, most: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return most == 0 or any(_deeper(each, most - 1) for each in inner)
