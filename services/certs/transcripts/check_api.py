"""The public page of verification codes: typed in from a certificate, a badge or a transcript."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final, NamedTuple, TypeVar

from pydantic import Field

from libs.common.clock import Clock
from libs.common.http.documents import Document
from libs.common.http.models import Parameters
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import PUBLIC, Call, Reply, Route
from libs.common.pages.visitors import PageQuery, speak_to
from services.certs.pages import messages
from services.certs.pages.frame import HTML, shown_as
from services.certs.public.codes import Codes, Kind, printed, read_code
from services.certs.transcripts.answers import JSON, Answers, Opened, ReceiptFile, Verification, wanted
from services.certs.transcripts.documents import Documents, ShownDocument
from services.certs.transcripts.door import Door
from services.certs.transcripts.pages import verification
from services.certs.transcripts.public_api import RECEIPT_COST, REFUSALS
from services.certs.transcripts.store import TranscriptStore
from services.certs.transcripts.views import VerificationView

_LONGEST_TYPED: Final = 100
"""As much of what was typed as its field takes."""

D = TypeVar("D", bound=Document)


class CodePath(Parameters):
    code: Annotated[str, Field(max_length=100)]


class CodeQuery(PageQuery):
    code: Annotated[str | None, Field(max_length=100, description="As it was typed in")] = None


class Found(NamedTuple):
    """What a code stands for."""

    kind: Kind
    code: str
    opened: Opened | ShownDocument


class CheckApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        codes: Codes,
        store: TranscriptStore,
        answers: Answers,
        documents: Mapping[Kind, Documents],
        door: Door,
        *,
        clock: Clock,
    ) -> None:
        self._codes = codes
        self._store = store
        self._answers = answers
        self._documents = documents
        self._door = door
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/public/check",
                handler=self.enter_code,
                summary="A form for a verification code, and what a code that was typed in stands for",
                query=CodeQuery,
                response=Verification,
                scopes=PUBLIC,
                errors=REFUSALS,
            ),
            Route(
                method="GET",
                path="/public/check/{code}",
                handler=self.check_code,
                summary="What a verification code stands for, as of now: as a page or as JSON",
                parameters=CodePath,
                query=PageQuery,
                response=Verification,
                scopes=PUBLIC,
                errors=REFUSALS,
            ),
            Route(
                method="GET",
                path="/public/check/{code}/receipt",
                handler=self.print_code_receipt,
                summary="A signed receipt of what a code stands for now, to be printed",
                parameters=CodePath,
                query=PageQuery,
                response=ReceiptFile,
                scopes=PUBLIC,
                errors=REFUSALS,
            ),
            Route(
                method="GET",
                path="/public/check/{code}/receipt.jwt",
                handler=self.download_code_receipt,
                summary="A signed receipt of what a code stands for now, checkable offline",
                parameters=CodePath,
                query=PageQuery,
                response=ReceiptFile,
                scopes=PUBLIC,
                errors=REFUSALS,
            ),
        )

    async def enter_code(self, call: Call[Any, CodeQuery]) -> Verification | Reply[Verification]:
        code = call.query.code
        if code is None or not code.strip():
            speak_to(call)
            return shown_as(Verification, messages.code_form())
        return await self._answered(call, code, Verification, lambda found: self._shown(call, found))

    async def check_code(self, call: Call[CodePath, PageQuery]) -> Verification | Reply[Verification]:
        return await self._answered(call, call.path.code, Verification, lambda found: self._shown(call, found))

    async def print_code_receipt(self, call: Call[CodePath, PageQuery]) -> ReceiptFile | Reply[ReceiptFile]:
        return await self._answered(
            call, call.path.code, ReceiptFile, lambda found: self._printed(call, found), cost=RECEIPT_COST
        )

    async def download_code_receipt(self, call: Call[CodePath, PageQuery]) -> ReceiptFile | Reply[ReceiptFile]:
        return await self._answered(call, call.path.code, ReceiptFile, self._receipt, cost=RECEIPT_COST)

    async def _answered(
        self,
        call: Call[Any, Any, Any],
        text: str,
        into: type[D],
        answer: Callable[[Found], Awaitable[D]],
        *,
        cost: int = 1,
    ) -> D | Reply[D]:
        async def work() -> D:
            return await answer(await self._find(text))

        return await self._door.answer(
            call, into, work, unknown=partial(messages.unknown_code, text[:_LONGEST_TYPED]), cost=cost
        )

    async def _find(self, text: str) -> Found:
        """What a code stands for. Raises the problems `not-found` and `gone`, after as much work as for any other."""
        code = read_code(text)
        row = await self._codes.find(code or "")
        if code is None or row is None:
            await self._answers.opened(await self._store.get(""))
            raise Problem(NOT_FOUND)
        kind: Kind = row["kind"]
        if kind == "transcript":
            return Found(kind, code, await self._answers.opened(await self._store.get(row["subject"])))
        found = await self._documents[kind].find(row["program"], row["subject"])
        if found is None:
            raise Problem(NOT_FOUND)
        return Found(kind, code, found)

    async def _shown(self, call: Call[Any, Any, Any], found: Found) -> Verification:
        base = f"/check/{printed(found.code)}"
        if isinstance(found.opened, Opened):
            return await self._answers.shown(call, found.opened, base)
        media_type = wanted(call, (HTML, JSON))
        see = partial(self._seen, found, found.opened, self._now().replace(second=0))
        return self._answers.written(call, found.opened.program, see, base, media_type, record=False)

    async def _receipt(self, found: Found) -> ReceiptFile:
        if isinstance(found.opened, Opened):
            return await self._answers.receipt(found.opened)
        return await self._answers.receipt_of(self._seen(found, found.opened, self._now()))

    async def _printed(self, call: Call[Any, Any, Any], found: Found) -> ReceiptFile:
        if isinstance(found.opened, Opened):
            return await self._answers.printed_receipt(call, found.opened)
        see = partial(self._seen, found, found.opened, self._now())
        return await self._answers.printed_receipt_of(call, found.opened.program, see)

    def _now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)

    def _seen(self, found: Found, document: ShownDocument, now: datetime) -> VerificationView:
        return verification(
            document.program, document.name, document.shown, kind=found.kind, code=found.code, checked_at=now
        )
