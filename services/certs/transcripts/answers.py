"""What is answered about a transcript, whether a link or a code leads to it: a page, JSON, a record, a receipt.

An unknown link takes as long as a known one, because the same is asked of the database for both. Nothing is answered
without that: what a withdrawn link showed before is not to be had from here again.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Final, NamedTuple

from aiohttp import hdrs

from libs.common.clock import Clock
from libs.common.http.documents import Document, negotiated
from libs.common.http.problems import GONE, NOT_FOUND, Problem
from libs.common.http.routes import Call
from libs.common.pages.visitors import speak_to
from libs.common.programs import Program
from services.certs.pages.frame import HTML, shown_as
from services.certs.public.codes import printed
from services.certs.transcripts.clr import Records
from services.certs.transcripts.links import LinkKeys
from services.certs.transcripts.pages import VerificationPages, verification
from services.certs.transcripts.problems import NOT_ACCEPTABLE
from services.certs.transcripts.reading import Content, TranscriptReader
from services.certs.transcripts.receipts import Receipts
from services.certs.transcripts.store import Transcript, TranscriptStore
from services.certs.transcripts.views import VerificationView
from services.certs.transcripts.visits import VisitLog

JSON: Final = "application/json"
RECORD: Final = "application/vc"
TOKEN: Final = "application/vc+jwt"  # noqa: S105 a media type
JWT: Final = "application/jwt"
AGAIN: Final = "private, no-cache"
"""May be kept by the one browser that asked, and is shown only after we have said that it is still so."""


class Verification(Document):
    """What a verifier is shown, or the transcript's signed record."""

    media_types: ClassVar = (HTML, JSON, RECORD, "application/vc+ld+json", "application/ld+json", TOKEN)


class RecordFile(Document):
    media_types: ClassVar = (RECORD, TOKEN, HTML)


class ReceiptFile(Document):
    media_types: ClassVar = (HTML, JWT)


class Opened(NamedTuple):
    """A transcript that may be seen, and what it shows now."""

    transcript: Transcript
    content: Content


def wanted(call: Call[Any, Any, Any], offers: tuple[str, ...]) -> str:
    """The kind of answer that the caller wants. Raises the problem `not-acceptable`."""
    found = negotiated(call.headers.get(hdrs.ACCEPT), offers)
    if found is None:
        raise Problem(NOT_ACCEPTABLE, f"there is {', '.join(offers)}")
    return found


class Answers:
    """Finds what links lead to, and writes it."""

    def __init__(
        self,
        store: TranscriptStore,
        reader: TranscriptReader,
        pages: VerificationPages,
        records: Records,
        receipts: Receipts,
        *,
        links: LinkKeys,
        visits: VisitLog,
        clock: Clock,
    ) -> None:
        self._store = store
        self._reader = reader
        self._pages = pages
        self._records = records
        self._receipts = receipts
        self._links = links
        self._visits = visits
        self._clock = clock

    async def opened(self, transcript: Transcript | None) -> Opened:
        """What a transcript shows. Raises the problems `not-found` and `gone`, after as much work as for any other."""
        if transcript is None:
            await self._reader.nothing()
            raise Problem(NOT_FOUND)
        if transcript.state(self._clock.now()) != "open":
            await self._reader.nothing()
            raise Problem(GONE)
        return Opened(transcript, await self._reader.content(transcript))

    async def behind(self, token: str) -> Opened:
        """What a link shows. Raises as `opened` does."""
        return await self.opened(await self._store.by_link(self._links.hashed(token)))

    async def shown(self, call: Call[Any, Any, Any], opened: Opened, base: str) -> Verification:
        """The answer in the kind that the caller wants; `base` is the address of the page itself."""
        media_type = wanted(call, Verification.media_types)
        self._visits.note(opened.transcript, call.remote, call.headers)
        if media_type not in {HTML, JSON}:
            content = await self._record(opened, token=media_type == TOKEN)
            return Verification(media_type=media_type, content=content, cache_control=AGAIN)
        record = any(one.state != "revoked" for one in opened.content.shown.certifications)
        # In whole minutes a page that is asked for again is the same, and need not be sent again.
        now = self._clock.now().replace(second=0, microsecond=0)
        see = partial(self._seen, opened, now)
        return self.written(call, opened.content.program, see, base, media_type, record=record)

    def written(
        self,
        call: Call[Any, Any, Any],
        program: Program,
        see: Callable[[], VerificationView],
        base: str,
        media_type: str,
        *,
        record: bool,
    ) -> Verification:
        """A page in the reader's language, or JSON in English."""
        if media_type == JSON:
            seen = see()
            body = seen.__pydantic_serializer__.to_json(seen)
            return Verification(media_type=JSON, content=body, cache_control=AGAIN)
        speak_to(call)
        page = self._pages.page(program, see(), base, record=record)
        return shown_as(Verification, page, cache_control=AGAIN)

    async def record(self, call: Call[Any, Any, Any], opened: Opened) -> RecordFile:
        """The signed record as a file. Raises the problem `not-acceptable` where no item has a credential."""
        media_type = wanted(call, RecordFile.media_types)
        kind, suffix = (TOKEN, "jwt") if media_type == TOKEN else (RECORD, "json")
        content = await self._record(opened, token=media_type == TOKEN)
        name = f"transcript-{printed(opened.transcript.code)}.{suffix}"
        return RecordFile(media_type=kind, content=content, cache_control=AGAIN, filename=name)

    async def receipt(self, opened: Opened) -> ReceiptFile:
        """A receipt of what is shown at this very moment, as a file."""
        return await self.receipt_of(self._seen(opened, self._now()))

    async def printed_receipt(self, call: Call[Any, Any, Any], opened: Opened) -> ReceiptFile:
        """A receipt of what is shown at this very moment, to be printed."""
        see = partial(self._seen, opened, self._now())
        return await self.printed_receipt_of(call, opened.content.program, see)

    async def receipt_of(self, seen: VerificationView) -> ReceiptFile:
        """A receipt of anything that a verifier was shown, as a file."""
        receipt = await self._receipts.of(seen)
        name = f"receipt-{printed(seen.code)}.jwt"
        return ReceiptFile(media_type=JWT, content=receipt.token.encode(), filename=name)

    async def printed_receipt_of(
        self, call: Call[Any, Any, Any], program: Program, see: Callable[[], VerificationView]
    ) -> ReceiptFile:
        """The same to be printed: signed in English, for whoever checks it, on a page in the reader's language."""
        receipt = await self._receipts.of(see())
        speak_to(call)
        return shown_as(ReceiptFile, self._pages.receipt(program, see(), receipt))

    async def _record(self, opened: Opened, *, token: bool) -> bytes:
        link = self._links.opened(opened.transcript.sealed)
        signed = await self._records.record(opened.transcript, opened.content, link)
        if signed is None:
            raise Problem(NOT_ACCEPTABLE, "none of its items is a signed credential")
        return signed.jwt.encode() if token else signed.document

    def _now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)

    def _seen(self, opened: Opened, now: datetime) -> VerificationView:
        return verification(
            opened.content.program,
            opened.content.name,
            opened.content.shown,
            kind=opened.transcript.kind,
            code=opened.transcript.code,
            checked_at=now,
            transcript=opened.transcript,
        )
