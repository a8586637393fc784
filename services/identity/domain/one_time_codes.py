"""One-time codes: HOTP (RFC 4226) over time steps of thirty seconds, which is TOTP (RFC 6238)."""

import hmac
from base64 import b32encode
from urllib.parse import quote

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
"""As long as the output of the hash (RFC 4226, 4, R6)."""

DRIFT_STEPS = 1
"""Steps that a phone's clock may be off, either way (RFC 6238, 5.2)."""


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a time step (RFC 4226, 5.3, with SHA-1, which is what authenticator apps know)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"


def step_of(secret: bytes, code: str, seconds: float) -> int | None:
    """The time step that a code belongs to; None where it is wrong.

    The caller keeps the last step that was used and takes none that is not later: no code works twice (RFC 6238, 5.2).

    Args:
        secret: the shared secret.
        code: as it was typed, without spaces.
        seconds: the present moment, since 1970.
    """
    now = int(seconds) // STEP_SECONDS
    steps = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
    found = [step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), code.encode())]
    return found[-1] if found else None


def enrolment_uri(secret: bytes, issuer: str, account: str) -> str:
    """The URI that an authenticator app reads from a QR code (`otpauth`, as Google's app defined it)."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    encoded = b32encode(secret).decode().rstrip("=")
    return (
        f"otpauth://totp/{label}?secret={encoded}&issuer={quote(issuer, safe='')}&digits={DIGITS}&period={STEP_SECONDS}"
    )
