"""Signed links that end news for one candidate: in the headers of a mail for mail programs, at its foot for people.

A link works for ever and needs no login, as RFC 8058 asks. It can do no more than end news, and says whose to nobody
but us.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, NamedTuple

PATH: Final = "unsubscribe"
"""At the gateway, before the token."""
_SIGNATURE_BYTES: Final = 16
_PARTS: Final = 3


class Mailing(NamedTuple):
    """What a link stands for: news for one candidate, and the mail that it was in."""

    program: str
    candidate_id: str
    message_id: str


class UnsubscribeLinks:
    """Makes links and reads them.

    Args:
        secret: known to this service alone; with another one, links in mails sent before are void.
        public_url: how people reach the gateway.
    """

    def __init__(self, secret: str, public_url: str) -> None:
        self._key = hashlib.sha256(f"certrail unsubscribe links\n{secret}".encode()).digest()
        self._root = f"{public_url.rstrip('/')}/{PATH}"

    def url(self, mailing: Mailing) -> str:
        content = "\n".join(mailing).encode()
        return f"{self._root}/{_text(content)}.{_text(self._signature(content))}"

    def read(self, token: str) -> Mailing | None:
        """What a token stands for; None where we did not make it."""
        content, _, signature = token.partition(".")
        try:
            plain, signed = _bytes(content), _bytes(signature)
        except ValueError:
            return None
        if not hmac.compare_digest(signed, self._signature(plain)):
            return None
        parts = plain.decode().split("\n")
        return Mailing(*parts) if len(parts) == _PARTS else None

    def _signature(self, content: bytes) -> bytes:
        return hmac.new(self._key, content, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
