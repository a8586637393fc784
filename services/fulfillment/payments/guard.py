"""Lets payment pages in to notify, and keeps card data out."""

from collections.abc import Mapping
from typing import Any

from libs.common import signatures
from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import UNAUTHENTICATED, UNAVAILABLE, Problem, invalid
from services.fulfillment.domain.cards import holds_card_number
from services.fulfillment.payments.desk import PaymentDesk
from services.fulfillment.payments.pages import PaymentPage

_SIGNED = {
    "type": "apiKey",
    "in": "header",
    "name": signatures.SIGNATURE,
    "description": f"Standard Webhooks: `v1,` and the base64 of the HMAC-SHA256 over `{signatures.ID}`, a dot, "
    f"`{signatures.TIMESTAMP}`, a dot and the body as it is sent, with a key that both sides have. The headers "
    f"`{signatures.ID}` and `{signatures.TIMESTAMP}` (seconds since 1970, at most five minutes from now) go with it.",
}


class PageGuard:
    """Guards the routes of payment pages."""

    def __init__(self, pages: Mapping[str, PaymentPage], desk: PaymentDesk, clock: Clock) -> None:
        self._pages = pages
        self._desk = desk
        self._clock = clock

    @property
    def schemes(self) -> Mapping[str, Mapping[str, Any]]:
        return {"paymentPageSignature": _SIGNED}

    async def admit(self, path: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Principal:
        """The page that the path names. A page that is not known answers like a wrong signature.

        A body with what looks like the number of a card is refused before anything reads it: it reaches no log, and no
        answer repeats it.

        Raises the problems `unauthenticated`, `invalid-request` and `unavailable`.
        """
        page = self._pages.get(path["page"])
        if page is None:
            raise Problem(UNAUTHENTICATED, "the signature is not right")
        try:
            keys = list(self._desk.keys(page).by_id.values())
        except Unavailable as error:
            raise Problem(UNAVAILABLE) from error
        if not signatures.is_right(keys, headers, body, self._clock.now()):
            raise Problem(UNAUTHENTICATED, "the signature is not right")
        if holds_card_number(body.decode("utf-8", "replace")):
            raise invalid("body", "card_number", "holds what looks like the number of a card; send none, ever")
        return Principal(f"payments:{page.id}", Kind.SYSTEM, programs=frozenset(page.programs))
