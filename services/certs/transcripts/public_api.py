"""The public API of links: a page for people, JSON, the signed record, and receipts."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field

from libs.common.http.documents import Document
from libs.common.http.models import Parameters
from libs.common.http.problems import GONE, NOT_FOUND, TOO_MANY_REQUESTS
from libs.common.http.routes import PUBLIC, Call, Reply, Route
from libs.common.pages.visitors import PageQuery
from services.certs.pages import messages
from services.certs.transcripts.answers import Answers, Opened, ReceiptFile, RecordFile, Verification
from services.certs.transcripts.door import Door
from services.certs.transcripts.problems import NOT_ACCEPTABLE

RECEIPT_COST: Final = 5
"""A receipt is signed for each who asks, so it counts for more than a look."""

REFUSALS: Final = (NOT_FOUND, GONE, NOT_ACCEPTABLE, TOO_MANY_REQUESTS)

D = TypeVar("D", bound=Document)


class TokenPath(Parameters):
    token: Annotated[str, Field(max_length=200)]


class PublicTranscriptsApi:
    """Handlers of the routes below."""

    def __init__(self, answers: Answers, door: Door) -> None:
        self._answers = answers
        self._door = door

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/public/v/{token}",
                handler=self.show_shared_transcript,
                summary="What a transcript shows: as a page, as JSON, or as a signed record",
                parameters=TokenPath,
                query=PageQuery,
                response=Verification,
                scopes=PUBLIC,
                errors=REFUSALS,
            ),
            Route(
                method="GET",
                path="/public/v/{token}/record",
                handler=self.download_shared_record,
                summary="A transcript as a Comprehensive Learner Record: its signed credentials, whole",
                parameters=TokenPath,
                query=PageQuery,
                response=RecordFile,
                scopes=PUBLIC,
                errors=REFUSALS,
            ),
            Route(
                method="GET",
                path="/public/v/{token}/receipt",
                handler=self.print_shared_receipt,
                summary="A signed receipt of what a transcript shows now, to be printed",
                parameters=TokenPath,
                query=PageQuery,
                response=ReceiptFile,
                scopes=PUBLIC,
                errors=REFUSALS,
            ),
            Route(
                method="GET",
                path="/public/v/{token}/receipt.jwt",
                handler=self.download_shared_receipt,
                summary="A signed receipt of what a transcript shows now, checkable offline",
                parameters=TokenPath,
                query=PageQuery,
                response=ReceiptFile,
                scopes=PUBLIC,
                errors=REFUSALS,
            ),
        )

    async def show_shared_transcript(self, call: Call[TokenPath, PageQuery]) -> Verification | Reply[Verification]:
        base = f"/v/{call.path.token}"
        return await self._answered(call, Verification, lambda opened: self._answers.shown(call, opened, base))

    async def download_shared_record(self, call: Call[TokenPath, PageQuery]) -> RecordFile | Reply[RecordFile]:
        return await self._answered(
            call, RecordFile, lambda opened: self._answers.record(call, opened), cost=RECEIPT_COST
        )

    async def print_shared_receipt(self, call: Call[TokenPath, PageQuery]) -> ReceiptFile | Reply[ReceiptFile]:
        return await self._answered(
            call, ReceiptFile, lambda opened: self._answers.printed_receipt(call, opened), cost=RECEIPT_COST
        )

    async def download_shared_receipt(self, call: Call[TokenPath, PageQuery]) -> ReceiptFile | Reply[ReceiptFile]:
        return await self._answered(call, ReceiptFile, self._answers.receipt, cost=RECEIPT_COST)

    async def _answered(
        self,
        call: Call[TokenPath, PageQuery],
        into: type[D],
        answer: Callable[[Opened], Awaitable[D]],
        *,
        cost: int = 1,
    ) -> D | Reply[D]:
        async def work() -> D:
            return await answer(await self._answers.behind(call.path.token))

        return await self._door.answer(call, into, work, unknown=messages.unknown_link, cost=cost)
