"""A receipt for a verifier: what was seen, and when, signed. It can be checked offline with the published keys.

It says what was true at its moment and goes on being true, so it is no proof of anything later; it says so itself.
"""

import asyncio
import json
from functools import lru_cache
from typing import Any, Final, NamedTuple

from joserfc import jws
from joserfc.jwk import RSAKey

from libs.common.ids import new_id
from services.certs.public.addresses import Addresses
from services.certs.public.codes import printed
from services.certs.signing.keys import IssuerKeys
from services.certs.transcripts.views import VerificationView

ALGORITHM: Final = "RS256"
"""As of the credentials' tokens: one published key serves for both."""

TYPE: Final = "receipt+jwt"
"""Another than that of credentials, so that neither passes for the other (RFC 8725, 3.11)."""

NOTE: Final = "This is what was shown at this moment. For the state of today open the address in `sub`."


class Receipt(NamedTuple):
    """A signed receipt."""

    receipt_id: str
    token: str
    """JWS in compact form (RFC 7515, 7.1)."""
    key: str
    """Where the key that verifies it is to be had."""


class Receipts:
    """Signs receipts with the keys that sign a program's credentials."""

    def __init__(self, keys: IssuerKeys, addresses: Addresses) -> None:
        self._keys = keys
        self._addresses = addresses

    async def of(self, seen: VerificationView) -> Receipt:
        """A receipt of what a verifier is shown. Raises `Unavailable` where the keys cannot be read."""
        signing = await self._keys.signing(seen.program)
        receipt_id = new_id()
        claims = {
            "iss": self._addresses.issuer_did(seen.program),
            "jti": f"urn:uuid:{receipt_id}",
            "iat": int(seen.checked_at.timestamp()),
            "sub": self._addresses.check(printed(seen.code)),
            "note": NOTE,
            "seen": seen.model_dump(mode="json"),
        }
        token = await asyncio.to_thread(_signed, claims, signing.address, signing.pair.rsa)
        return Receipt(receipt_id, token, signing.address)


def read_receipt(token: str, key: RSAKey) -> dict[str, Any]:
    """What a receipt says, where this key has signed it. Raises `joserfc.errors.JoseError` or `ValueError`."""
    signed = jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
    if signed.headers().get("typ") != TYPE:
        raise ValueError("not a receipt")
    return dict(json.loads(signed.payload))


def _signed(claims: dict[str, Any], kid: str, private: bytes) -> str:
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": kid}
    return jws.serialize_compact(header, json.dumps(claims), _key(private), algorithms=[ALGORITHM])


@lru_cache(maxsize=16)
def _key(private: bytes) -> RSAKey:
    return RSAKey.import_key(json.loads(private))
