"""The HTTP API of transcripts for the candidates whose they are."""

from typing import Any, ClassVar

from libs.common.clock import Clock
from libs.common.events.types import Identifier
from libs.common.http.documents import Document
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.principal import Kind
from libs.common.http.problems import CONFLICT, FORBIDDEN, INVALID, NOT_FOUND, Problem
from libs.common.http.routes import Call, Reply, Route
from libs.common.http.scopes import CERTS_CLAIM, CERTS_READ
from libs.common.programs import Program
from services.certs.availability import UNAVAILABLE
from services.certs.policies import Policies
from services.certs.public.addresses import Addresses
from services.certs.public.codes import printed
from services.certs.store import CertsStore
from services.certs.transcripts.links import LinkKeys, Share, linkedin_profile, qr_png, qr_svg, shares
from services.certs.transcripts.publishing import Publishing
from services.certs.transcripts.reading import TranscriptReader
from services.certs.transcripts.store import Transcript, TranscriptStore
from services.certs.transcripts.views import (
    ItemsView,
    ShareView,
    TranscriptBody,
    TranscriptDetailView,
    TranscriptEdit,
    TranscriptView,
    ViewsView,
    items_of,
    visits_view,
)
from services.certs.views import CandidatePath

_TRANSCRIPTS = Cursor("transcripts", str)
_VIEWS = Cursor("transcript-views", str)


class TranscriptPath(CandidatePath):
    transcript_id: Identifier


class QrCode(Document):
    """A link as a QR code."""

    media_types: ClassVar = ("image/svg+xml", "image/png")


class TranscriptsApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        certs: CertsStore,
        store: TranscriptStore,
        reader: TranscriptReader,
        publishing: Publishing,
        *,
        links: LinkKeys,
        addresses: Addresses,
        policies: Policies,
        clock: Clock,
    ) -> None:
        self._certs = certs
        self._store = store
        self._reader = reader
        self._publishing = publishing
        self._links = links
        self._addresses = addresses
        self._policies = policies
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        candidate = "/programs/{program}/candidates/{candidate_id}"
        one = f"{candidate}/transcripts/{{transcript_id}}"
        return (
            Route(
                method="GET",
                path=f"{candidate}/transcript-choices",
                handler=self.list_choices,
                summary="What the candidate may put on a transcript, each with its state",
                parameters=CandidatePath,
                response=ItemsView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{candidate}/transcripts",
                handler=self.publish_transcript,
                summary="Make a link that shows what the candidate chooses",
                parameters=CandidatePath,
                body=TranscriptBody,
                response=TranscriptDetailView,
                status=201,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND, FORBIDDEN, INVALID, CONFLICT, *UNAVAILABLE),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=f"{candidate}/transcripts",
                handler=self.list_transcripts,
                summary="The candidate's transcripts, newest first",
                parameters=CandidatePath,
                query=PageQuery,
                response=Page[TranscriptView],
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=one,
                handler=self.show_transcript,
                summary="A transcript as its owner sees it, with the ways to share it",
                parameters=TranscriptPath,
                response=TranscriptDetailView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path=one,
                handler=self.edit_transcript,
                summary="Replace what a transcript says; a frozen one keeps its items",
                parameters=TranscriptPath,
                body=TranscriptEdit,
                response=TranscriptDetailView,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND, FORBIDDEN, INVALID, CONFLICT, *UNAVAILABLE),
            ),
            Route(
                method="DELETE",
                path=one,
                handler=self.withdraw_transcript,
                summary="Close a transcript's link for good",
                parameters=TranscriptPath,
                response=None,
                status=204,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{one}/views",
                handler=self.list_views,
                summary="Who has opened a transcript: day, country, kind of visitor, and never more",
                parameters=TranscriptPath,
                query=PageQuery,
                response=Page[ViewsView],
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            *(
                Route(
                    method="GET",
                    path=f"{one}/qr.{suffix}",
                    handler=handler,
                    summary=f"A transcript's link as a QR code, {suffix.upper()}",
                    parameters=TranscriptPath,
                    response=QrCode,
                    scopes=CERTS_CLAIM,
                    errors=(NOT_FOUND, FORBIDDEN),
                )
                for suffix, handler in (("svg", self.draw_transcript_qr), ("png", self.draw_transcript_qr_png))
            ),
        )

    async def list_choices(self, call: Call[CandidatePath]) -> ItemsView:
        program = await self._program(call)
        return ItemsView.model_validate(items_of(await self._reader.choices(program, call.path.candidate_id)))

    async def publish_transcript(self, call: Call[CandidatePath, Any, TranscriptBody]) -> Reply[TranscriptDetailView]:
        program = await self._program(call)
        _check_owner(call, "only the candidate shares what they hold")
        made = await self._publishing.publish(program, call.path.candidate_id, call.operation_id, call.body)
        place = f"/api/certs/v1/programs/{made.program}/candidates/{made.candidate_id}/transcripts/{made.transcript_id}"
        return Reply(await self._detail(call, program, made), {"Location": place})

    async def list_transcripts(self, call: Call[CandidatePath, PageQuery]) -> Page[TranscriptView]:
        program, query = await self._program(call), call.query
        before = _TRANSCRIPTS.decode(query.cursor)
        accounts = await self._certs.accounts(program.id, call.path.candidate_id)
        rows = await self._store.of_accounts(program.id, accounts, before=before, limit=query.limit + 1)
        views = await self._store.views_of(row.transcript_id for row in rows)
        return _TRANSCRIPTS.page(
            Page[TranscriptView],
            rows,
            query.limit,
            key=lambda row: row.transcript_id,
            show=lambda row: TranscriptView.model_validate(self._fields(call, row, views.get(row.transcript_id, 0))),
        )

    async def show_transcript(self, call: Call[TranscriptPath]) -> TranscriptDetailView:
        program, transcript = await self._mine(call)
        return await self._detail(call, program, transcript)

    async def edit_transcript(self, call: Call[TranscriptPath, Any, TranscriptEdit]) -> TranscriptDetailView:
        program, transcript = await self._mine(call)
        _check_owner(call, "only the candidate changes what they share")
        changed = await self._publishing.edit(program, transcript, call.body)
        return await self._detail(call, program, changed)

    async def withdraw_transcript(self, call: Call[TranscriptPath]) -> None:
        program, transcript = await self._mine(call)
        await self._publishing.withdraw(program, transcript)

    async def list_views(self, call: Call[TranscriptPath, PageQuery]) -> Page[ViewsView]:
        _, transcript = await self._mine(call)
        before = _VIEWS.decode(call.query.cursor)
        rows = await self._store.views(transcript.transcript_id, before=before, limit=call.query.limit + 1)
        return _VIEWS.page(
            Page[ViewsView], rows, call.query.limit, key=lambda row: row[0], show=lambda row: visits_view(row[1])
        )

    async def draw_transcript_qr(self, call: Call[TranscriptPath]) -> QrCode:
        return QrCode(media_type="image/svg+xml", content=qr_svg(await self._own_link(call)).encode())

    async def draw_transcript_qr_png(self, call: Call[TranscriptPath]) -> QrCode:
        return QrCode(media_type="image/png", content=qr_png(await self._own_link(call)))

    async def _own_link(self, call: Call[TranscriptPath]) -> str:
        _, transcript = await self._mine(call)
        _check_owner(call, "only the candidate has the link")
        return self._address(transcript)

    async def _program(self, call: Call[Any, Any, Any]) -> Program:
        return await self._policies.entered(call.principal, call.path.program, call.path.candidate_id)

    async def _mine(self, call: Call[TranscriptPath, Any, Any]) -> tuple[Program, Transcript]:
        program = await self._program(call)
        transcript = await self._store.get(call.path.transcript_id)
        if transcript is None or transcript.program != program.id:
            raise Problem(NOT_FOUND)
        if transcript.candidate_id not in await self._certs.accounts(program.id, call.path.candidate_id):
            raise Problem(NOT_FOUND)
        return program, transcript

    async def _detail(
        self, call: Call[Any, Any, Any], program: Program, transcript: Transcript
    ) -> TranscriptDetailView:
        views = await self._store.views_of([transcript.transcript_id])
        fields = self._fields(call, transcript, views.get(transcript.transcript_id, 0))
        share = self._shares(program, transcript) if fields["link"] and fields["state"] == "open" else []
        return TranscriptDetailView.model_validate({**fields, "share": [ShareView(**one._asdict()) for one in share]})

    def _shares(self, program: Program, transcript: Transcript) -> list[Share]:
        link, held = self._address(transcript), transcript.chosen.certifications
        active = [one for one in held if one.state == "active"]
        return [*shares(link, program.name), *linkedin_profile(active, link, printed(transcript.code), program.name)]

    def _fields(self, call: Call[Any, Any, Any], transcript: Transcript, views: int) -> dict[str, Any]:
        own = call.principal.kind is Kind.CANDIDATE
        return {
            "transcript_id": transcript.transcript_id,
            "candidate_id": transcript.candidate_id,
            "label": transcript.label,
            "remarks": transcript.remarks,
            "kind": transcript.kind,
            "state": transcript.state(self._clock.now()),
            "frozen_on": transcript.frozen_on,
            "valid_through": transcript.valid_through,
            "created_at": transcript.created_at,
            "withdrawn_at": transcript.withdrawn_at,
            "code": printed(transcript.code) if own else None,
            "link": self._address(transcript) if own else None,
            "views": views,
            **items_of(transcript.chosen),
        }

    def _address(self, transcript: Transcript) -> str:
        return self._addresses.transcript(self._links.opened(transcript.sealed))


def _check_owner(call: Call[Any, Any, Any], why: str) -> None:
    if call.principal.kind is not Kind.CANDIDATE:
        raise Problem(FORBIDDEN, why)
