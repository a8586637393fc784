"""Lets vendors in to notify: by a bearer token, or by a signature over the body."""

from collections.abc import Mapping
from typing import Any

from libs.common import signatures
from libs.common.clock import Clock
from libs.common.http.auth import bearer_token
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import UNAUTHENTICATED, Problem
from services.exams.notices.limits import CallLimit
from services.exams.onboarding.credentials import Credentials

_BEARER = {"type": "http", "scheme": "bearer", "description": "A token of the vendor named in the path."}
_SIGNED = {
    "type": "apiKey",
    "in": "header",
    "name": signatures.SIGNATURE,
    "description": f"Standard Webhooks: `v1,` and the base64 of the HMAC-SHA256 over `{signatures.ID}`, a dot, "
    f"`{signatures.TIMESTAMP}`, a dot and the body as it is sent. The headers `{signatures.ID}` and "
    f"`{signatures.TIMESTAMP}` (seconds since 1970, at most five minutes from now) go with it.",
}


class VendorGuard:
    """Guards routes below `/vendors/{vendor}`.

    Args:
        limit: how often a vendor may come in; who is not one takes nothing of a vendor's share.
    """

    def __init__(self, credentials: Credentials, limit: CallLimit, clock: Clock) -> None:
        self._credentials = credentials
        self._limit = limit
        self._clock = clock

    @property
    def schemes(self) -> Mapping[str, Mapping[str, Any]]:
        return {"vendorToken": _BEARER, "vendorSignature": _SIGNED}

    async def admit(self, path: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Principal:
        """The vendor that the path names. A vendor that is not known answers like a wrong token.

        Raises the problems `unauthenticated` and `too-many-requests`.
        """
        vendor = path["vendor"]
        signed = signatures.is_signed(headers)
        token = "" if signed else bearer_token(headers.get("Authorization"))
        row = await self._credentials.find(vendor)
        if signed:
            secrets = self._credentials.signing_secrets(row)
            right = signatures.is_right(secrets, headers, body, self._clock.now())
        else:
            right = self._credentials.knows_token(row, token)
        if not right or row is None:
            challenge = {"WWW-Authenticate": 'Bearer realm="certrail vendors"'}
            raise Problem(UNAUTHENTICATED, "the token or the signature is not right", headers=challenge)
        self._limit.take(vendor)
        return Principal(f"vendor:{vendor}", Kind.SYSTEM, programs=frozenset(row["programs"]))
