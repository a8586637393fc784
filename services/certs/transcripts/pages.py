"""Writes what a verifier is shown. The words are those of `verdict`; nothing is kept but bytes."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final

from markupsafe import Markup

from libs.common.languages import READER
from libs.common.pages.visitors import VISITOR
from libs.common.programs import Program
from services.certs.languages import mark
from services.certs.pages.frame import page
from services.certs.public.addresses import Addresses
from services.certs.public.codes import printed
from services.certs.transcripts.links import qr_svg
from services.certs.transcripts.receipts import Receipt
from services.certs.transcripts.shown import Shown
from services.certs.transcripts.store import Transcript
from services.certs.transcripts.verdict import verdict
from services.certs.transcripts.views import VerificationView, issued_sentence, items_of

SEALS: Final = {"genuine": "ok", "expired": "warn", "suspended": "bad", "partly_revoked": "bad", "revoked": "bad"}
CHIPS: Final = {
    "active": ("ok", mark("Active")),
    "expired": ("bad", mark("Expired")),
    "emeritus": ("off", mark("Emeritus")),
    "inactive": ("off", mark("Inactive")),
    "suspended": ("wait", mark("Suspended")),
    "waiting": ("off", mark("Not active yet")),
    "revoked": ("bad", mark("Revoked")),
    "passed": ("ok", mark("Passed")),
    "withdrawn": ("bad", mark("No longer counts")),
}

_MOST_PAGES: Final = 512


def verification(
    program: Program,
    name: str | None,
    shown: Shown,
    *,
    kind: str,
    code: str,
    checked_at: datetime,
    transcript: Transcript | None = None,
) -> VerificationView:
    """What a verifier is shown of any document with a code."""
    frozen_on = transcript.frozen_on if transcript is not None else None
    found = verdict(shown, frozen_on=frozen_on)
    return VerificationView.model_validate(
        {
            "verdict": found.kind,
            "heading": found.heading,
            "summary": found.sentence,
            "text": issued_sentence(program.name, name, found),
            "program": program.id,
            "program_name": program.name,
            "name": name,
            "kind": kind,
            "as_of": frozen_on,
            "checked_at": checked_at,
            "open_until": transcript.valid_through if transcript is not None else None,
            "code": code,
            "remarks": transcript.remarks if transcript is not None else None,
            **items_of(shown),
        }
    )


class VerificationPages:
    """Writes pages, and keeps the last few hundred as they were written.

    What is kept is found by everything that is shown, which has just been read from the database. So a page that says
    something else than the database does now is never found, and nothing has to be thrown away in time.
    """

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._kept: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()

    def page(self, program: Program, seen: VerificationView, base: str, *, record: bool) -> bytes:
        """The page.

        Args:
            program: whose look it has.
            seen: what it says.
            base: address of the page itself; what belongs to it lies below.
            record: whether it is there as a signed record too.
        """
        # The frame around what is said is by the reader's language, and has the address that it was asked for at.
        reader = READER.get().code, VISITOR.get()
        key = f"{program.version} {base} {record} {reader}", seen.__pydantic_serializer__.to_json(seen)
        return self._once(key, lambda: self._written("verification.html", program, seen, base=base, record=record))

    def receipt(self, program: Program, seen: VerificationView, receipt: Receipt) -> bytes:
        """A receipt to be printed: the same as the page, and the signed text."""
        return self._written("receipt.html", program, seen, base="", record=False, receipt=receipt)

    def _once(self, key: tuple[str, bytes], write: Callable[[], bytes]) -> bytes:
        content = self._kept.pop(key, None)
        if content is None:
            content = write()
        self._kept[key] = content
        if len(self._kept) > _MOST_PAGES:
            self._kept.popitem(last=False)
        return content

    def _written(self, template: str, program: Program, seen: VerificationView, **values: object) -> bytes:
        address = self._addresses.check(printed(seen.code))
        return page(
            f"transcripts/templates/{template}",
            heading=seen.heading.rstrip("."),
            program=program,
            seen=seen,
            seal_kind=SEALS[seen.verdict],
            chips=CHIPS,
            code=printed(seen.code),
            address=address,
            qr=_qr(address),
            **values,
        )


@lru_cache(maxsize=4096)
def _qr(address: str) -> Markup:
    """Drawn once: it takes longer than the rest of the page."""
    return Markup(qr_svg(address))  # noqa: S704 made of squares, by us
