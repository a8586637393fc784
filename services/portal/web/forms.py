"""What every form carries: proof that it is from a page of ours (CSRF)."""

import hashlib
import hmac
from typing import Final

TOKEN_FIELD: Final = "token"  # noqa: S105 the name of a field


class FormTokens:
    """Tokens that a form must have; each is good only in the browser that it was made for."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(f"certrail portal forms\n{secret}".encode()).digest()

    def token(self, anchor: str) -> str:
        """The token of a browser; `anchor` is a secret that its cookie holds."""
        return hmac.new(self._key, anchor.encode(), "sha256").hexdigest()

    def fits(self, anchor: str | None, token: str | None) -> bool:
        if anchor is None or token is None:
            return False
        return hmac.compare_digest(self.token(anchor).encode(), token.encode())
