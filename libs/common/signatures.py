"""Signatures of messages over HTTPS: the symmetric form of Standard Webhooks 1.0.0 (HMAC-SHA256, `v1`)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX = "whsec_"
"""Marks a secret as what it is; the rest is base64."""

TOLERANCE = timedelta(minutes=5)
"""How far a timestamp may lie from now, either way."""

_VERSION = "v1,"
_MOST_SIGNATURES = 10
_MOST_DIGITS = 12


def written(secret: bytes) -> str:
    """A secret as partners get it."""
    return PREFIX + base64.b64encode(secret).decode()


def read(text: str) -> bytes:
    """A secret as partners got it. Raises `ValueError`."""
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret is not base64") from error


def sign(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a body under one secret; `timestamp` in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return _VERSION + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a request claims to be signed."""
    return SIGNATURE in headers


def is_right(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether one of the signatures was made with one of the secrets, just now.

    The header may hold several, parted by spaces, while a secret is being changed.
    """
    message_id, given = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not message_id or not (given.isascii() and given.isdigit()) or len(given) > _MOST_DIGITS:
        return False
    timestamp = int(given)
    signatures = [part.encode() for part in headers.get(SIGNATURE, "").split(" ")[:_MOST_SIGNATURES]]
    right = [sign(secret, message_id, timestamp, body).encode() for secret in secrets]
    # All are compared, in a time that does not depend on how much of them is right.
    found = sum(hmac.compare_digest(one, other) for one in signatures for other in right)
    return bool(found) and abs(now.timestamp() - timestamp) <= TOLERANCE.total_seconds()
