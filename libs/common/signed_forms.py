"""The signed form: which bytes a digest stands over, and the keys it is made with. docs/vendors.md tells partners.

No vendor publishes the bytes of its own form, and forms that join values by a mark of their own can be read in two
ways. So the bytes are netstrings: the length of a text says where it ends, whatever is in it.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HAND_OVER = "certrail.hand-over.1"
"""What a form is signed as. The way back has its own word, so that neither passes for the other."""
RETURN = "certrail.return.1"
PAYMENT = "certrail.payment.1"
"""The way to a payment page."""

DIGEST, KEY_ID = "digest", "key_id"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_KEY = re.compile(r"([A-Za-z0-9._-]{1,40})[ \t]+([\x21-\x7e]{32,512})")


class Unsigned(Exception):
    """Fields that nobody who has the key has signed; the text says why, and repeats no value."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that two sides share: the first one signs, all of them verify."""

    by_id: Mapping[str, bytes]

    @property
    def signing(self) -> tuple[str, bytes]:
        return next(iter(self.by_id.items()))


def read_keys(text: str) -> Keys:
    """The keys of a secret: a line for each, its id and at least 32 printable characters.

    Raises `ValueError` for anything else; its text names a line and shows nothing of it.
    """
    found: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _KEY.fullmatch(line.strip())
        if match is None or match[1] in found:
            raise ValueError(f"line {number} needs an id that no other key has, and a key of at least 32 characters")
        found[match[1]] = match[2].encode()
    if not found:
        raise ValueError("holds no key")
    return Keys(found)


def canonical(what: str, fields: Mapping[str, str]) -> bytes:
    """The bytes that a digest stands over: `what`, then each name with its value in order of the names.

    Each of them is a netstring: the number of its bytes in UTF-8, a colon, the bytes, a comma. So no two different
    sets of fields have the same bytes. Raises `ValueError` for a name of other than small letters, digits and `_`.
    """
    return b"".join(_netstring(part) for part in _parts(what, fields))


def _parts(what: str, fields: Mapping[str, str]) -> Iterator[str]:
    yield what
    for name in sorted(fields):
        if not _NAME.fullmatch(name):
            raise ValueError("a field has a name of other than small letters, digits and _")
        yield name
        yield fields[name]


def _netstring(text: str) -> bytes:
    content = text.encode()
    return b"%d:%b," % (len(content), content)


def signed(what: str, fields: Mapping[str, str], keys: Keys) -> dict[str, str]:
    """The fields with the id of the key and the digest beside them: HMAC-SHA-256 (RFC 2104) in hexadecimal digits."""
    key_id, key = keys.signing
    named = {**fields, KEY_ID: key_id}
    return {**named, DIGEST: _digest(what, named, key)}


def verify(what: str, fields: Mapping[str, str], keys: Keys) -> None:
    """Check that fields were signed as `what`, all of them and no others. Raises `Unsigned`."""
    given, key = fields.get(DIGEST), keys.by_id.get(fields.get(KEY_ID, ""))
    if given is None or key is None:
        raise Unsigned("there is no digest by a key that is known")
    named = {name: value for name, value in fields.items() if name != DIGEST}
    if not hmac.compare_digest(_digest(what, named, key).encode(), given.encode()):
        raise Unsigned("the digest is of other fields")


def _digest(what: str, fields: Mapping[str, str], key: bytes) -> str:
    return hmac.new(key, canonical(what, fields), hashlib.sha256).hexdigest()
