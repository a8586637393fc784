"""Identifiers: time-ordered for what we create, derived for what must come out the same every time."""

import hashlib
import secrets

import uuid_utils


def new_id() -> str:
    """A UUIDv7 (RFC 9562, 5.7) as text: unique, and sorted by the time it was made."""
    return str(uuid_utils.uuid7())


def derived_id(*parts: str) -> str:
    """The same 32 hexadecimal digits for the same parts, so that a repeated cause gets the same id."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def new_secret() -> str:
    """256 random bits for links and client secrets, safe in a URL."""
    return secrets.token_urlsafe(32)
