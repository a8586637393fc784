"""Signs mails so that their receivers can tell they are the program's (DKIM: RFC 6376, with Ed25519 by RFC 8463).

A folder holds the private keys. Each file is named as its public part is in the DNS, `SELECTOR._domainkey.DOMAIN`, and
the keys of a domain sign each of its mails, so that an Ed25519 key can stand beside the RSA key that every receiver
knows. A mail's signature is dated as the mail is: a mail has the same bytes however often it is sent.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LEAST_BITS: Final = 2048
"""Of an RSA key: receivers may take no notice of shorter ones (RFC 8301, 3.2)."""

_NAME = re.compile(r"([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\._domainkey\.([a-z0-9-]+(?:\.[a-z0-9-]+)+)")

_SIGNED: Final = (
    "from",
    "to",
    "cc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "auto-submitted",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-language",
)
"""Each counts once more than it is there, so that nobody can add another (RFC 6376, 8.15)."""

_SPACE = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_LINE = 72


class DkimKeyError(ValueError):
    """A file is no key to sign with; the text names it and says nothing of what is in it."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key, and where its public part is."""

    domain: str
    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        digest = hashlib.sha256(data).digest()
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, PKCS1v15(), Prehashed(SHA256()))
        return self.private.sign(digest)


def read_keys(folder: Path | None) -> list[Key]:
    """All keys of a folder, RSA first. Raises `DkimKeyError`."""
    if folder is None:
        return []
    if not folder.is_dir():
        raise DkimKeyError(f"{folder} is no folder")
    files = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    keys = [_read_key(path) for path in files]
    return sorted(keys, key=lambda key: (key.domain, isinstance(key.private, Ed25519PrivateKey), key.selector))


def _read_key(path: Path) -> Key:
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise DkimKeyError(f"{path.name} must be named SELECTOR._domainkey.DOMAIN")
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise DkimKeyError(f"{path.name} is no private key in PEM without a password") from error
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise DkimKeyError(f"{path.name} is neither an RSA nor an Ed25519 key")
    if isinstance(private, RSAPrivateKey) and private.key_size < LEAST_BITS:
        raise DkimKeyError(f"{path.name} has {private.key_size} bits; an RSA key needs {LEAST_BITS}")
    return Key(named[2], named[1], private)


class DkimSigner:
    """Signs with the keys of the sender's domain, or of the nearest domain above it that has any."""

    def __init__(self, keys: Sequence[Key] = ()) -> None:
        self._keys: dict[str, list[Key]] = {}
        for key in keys:
            self._keys.setdefault(key.domain, []).append(key)

    def signed(self, content: bytes, *, sender: str, at: datetime) -> bytes:
        """A mail with a signature by each key; as it is where there is none.

        Args:
            content: the mail, its lines ended by CR and LF.
            sender: the address in its From header.
            at: the moment that the signatures state.
        """
        keys = self._keys_of(sender.rpartition("@")[2].lower())
        if not keys:
            return content
        head, _, body = content.partition(b"\r\n\r\n")
        fields = _fields(head)
        body_hash = b64encode(hashlib.sha256(_body(body)).digest()).decode()
        return b"".join((*(_signature(key, fields, body_hash, at) for key in keys), content))

    def _keys_of(self, domain: str) -> Sequence[Key]:
        while domain:
            if found := self._keys.get(domain):
                return found
            domain = domain.partition(".")[2]
        return ()


def _signature(key: Key, fields: Mapping[str, Sequence[bytes]], body_hash: str, at: datetime) -> bytes:
    names = [name for name in _SIGNED for _ in range(len(fields.get(name, ())) + 1)]
    # The last of several counts first (5.4.2); one that is not there adds nothing.
    data = b"".join(
        b"%b:%b\r\n" % (name.encode(), value) for name in _SIGNED for value in reversed(fields.get(name, ()))
    )
    head = (
        f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={key.domain}; s={key.selector};\r\n"
        f" t={int(at.timestamp())}; h={_names(names)};\r\n"
        f" bh={body_hash};\r\n"
        " b="
    )
    signed = key.sign(data + b"dkim-signature:" + _relaxed(head.encode()))
    text = b64encode(signed).decode()
    folded = "\r\n ".join(text[start : start + _LINE] for start in range(0, len(text), _LINE))
    return f"DKIM-Signature: {head}{folded}\r\n".encode()


def _names(names: Sequence[str]) -> str:
    """Names divided by colons, on lines that are not too long."""
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) >= _LINE:
            lines.append("")
        lines[-1] += f"{name}:"
    return "\r\n ".join(lines).removesuffix(":")


def _fields(head: bytes) -> dict[str, list[bytes]]:
    """The values of headers in relaxed form (3.4.2), by name."""
    found: dict[str, list[bytes]] = {}
    for line in _FOLD.sub(b"", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        found.setdefault(name.strip().lower().decode("ascii", "replace"), []).append(_relaxed(value))
    return found


def _relaxed(value: bytes) -> bytes:
    return _SPACE.sub(b" ", _FOLD.sub(b"", value)).strip(b" ")


def _body(body: bytes) -> bytes:
    """The body in relaxed form (3.4.4)."""
    relaxed = _SPACE.sub(b" ", body).replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return relaxed + b"\r\n" if relaxed else b""
