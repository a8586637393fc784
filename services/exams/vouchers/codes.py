"""Codes are worth money: what the database holds of one is its ciphertext, and a keyed hash to find it by."""

import hashlib
import hmac

from libs.common.sealing import SecretBox

_SHOWN = 4
_LONG_ENOUGH = 8
"""Of a shorter code the last characters would say too much."""


class Codes:
    """Encrypts codes, and names them.

    Args:
        secret: long, random and never changed, so that a plain hash makes keys of it.
    """

    def __init__(self, secret: str) -> None:
        self._box = SecretBox(secret, purpose="voucher codes")
        self._naming = hashlib.sha256(b"certrail voucher names\n" + secret.encode()).digest()

    def voucher_id(self, program: str, vendor: str, code: str) -> str:
        """The name of a code: the same for the same code, whatever the case of its letters."""
        said = f"{program}\n{vendor}\n{code.upper()}"
        return hmac.new(self._naming, said.encode(), hashlib.sha256).hexdigest()[:32]

    def seal(self, code: str) -> str:
        return self._box.seal(code.encode())

    def open(self, sealed: str) -> str:
        """The code. Raises `ValueError` where it was sealed with another secret."""
        return self._box.open(sealed).decode()


def end_of(code: str) -> str:
    """What is told of a code that is not shown: its last characters, or nothing of a short one."""
    return code[-_SHOWN:] if len(code) >= _LONG_ENOUGH else ""


def masked(end: str) -> str:
    return f"••••{end}"
