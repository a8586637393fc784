"""The HTTP API of what anybody may read: credentials, status lists, achievements, and the page for people."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

import orjson
from pydantic import StringConstraints

from libs.common.clock import Clock
from libs.common.events.types import Code, ProgramId
from libs.common.http.documents import REVALIDATED, Document, negotiated
from libs.common.http.models import Parameters
from libs.common.http.problems import GONE, NOT_FOUND, Problem
from libs.common.http.routes import PUBLIC, Call, Reply, Route
from libs.common.pages.visitors import PageQuery, speak_to
from libs.common.programs import Program
from services.certs.credentials.credential import Credential
from services.certs.credentials.documents import achievement, find_certification
from services.certs.credentials.files import HTML, JSON_KINDS, JWT, PNG, SUFFIXES, SVG, CredentialFile, Forms
from services.certs.credentials.page import badge_page
from services.certs.credentials.pictures import badge_svg, issuer_png, issuer_svg
from services.certs.credentials.signatures import Credentials
from services.certs.credentials.status_lists import StatusLists
from services.certs.credentials.store import CredentialStore
from services.certs.pages import messages
from services.certs.pages.frame import Page, shown, shown_as
from services.certs.policies import Policies
from services.certs.public.addresses import Addresses
from services.certs.store import CertsStore

ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*"}
"""Verifiers run in browsers, too; what is public is so for their pages."""

_UNTIL_CHANGED: Final = "public, max-age=300"
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class CredentialPath(Parameters):
    name: Annotated[str, StringConstraints(pattern=rf"^{_ID}(?:\.(?:json|jwt|png|svg))?$", max_length=41)]
    """The credential's id; `.json`, `.jwt`, `.png` or `.svg` after it asks for that form."""


class BadgePath(Parameters):
    credential_id: Annotated[str, StringConstraints(pattern=rf"^{_ID}$")]


Number = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}$")]
"""As it is written in an address: one number has one address."""


class StatusPath(Parameters):
    program: ProgramId
    number: Number


class AchievementPath(Parameters):
    program: ProgramId
    certification: Code
    version: Number


class IssuerPath(Parameters):
    program: ProgramId


class StatusFile(Document):
    media_types: ClassVar = (*JSON_KINDS, JWT)


class AchievementFile(Document):
    media_types: ClassVar = ("application/ld+json", "application/json")


class Picture(Document):
    media_types: ClassVar = (SVG,)


class Mark(Document):
    media_types: ClassVar = (PNG,)


class PublicCredentialsApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        store: CredentialStore,
        credentials: Credentials,
        lists: StatusLists,
        ledgers: CertsStore,
        policies: Policies,
        *,
        programs: Mapping[str, Program],
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self._store = store
        self._credentials = credentials
        self._lists = lists
        self._ledgers = ledgers
        self._policies = policies
        self._programs = programs
        self._addresses = addresses
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/public/credentials/{name}",
                handler=self.show_credential,
                summary="A credential: JSON, token, picture or page, by its suffix or by what is accepted",
                parameters=CredentialPath,
                query=PageQuery,
                response=CredentialFile,
                scopes=PUBLIC,
                errors=(NOT_FOUND, GONE),
            ),
            Route(
                method="GET",
                path="/public/status/{program}/{number}",
                handler=self.show_status_list,
                summary="A status list: which credentials are revoked",
                parameters=StatusPath,
                response=StatusFile,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/public/achievements/{program}/{certification}/{version}",
                handler=self.show_achievement,
                summary="What a certification stands for, by a version of its program",
                parameters=AchievementPath,
                response=AchievementFile,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/public/achievements/{program}/{certification}/{version}/image",
                handler=self.show_achievement_image,
                summary="The picture of a certification",
                parameters=AchievementPath,
                response=Picture,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/public/issuers/{program}/image",
                handler=self.show_issuer_image,
                summary="The picture of a program",
                parameters=IssuerPath,
                response=Picture,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/public/issuers/{program}/mark.png",
                handler=self.show_issuer_mark,
                summary="The picture of a program, small and as pixels: what mail programs can show",
                parameters=IssuerPath,
                response=Mark,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/public/b/{credential_id}",
                handler=self.show_badge_page,
                summary="A credential as a page for people",
                parameters=BadgePath,
                query=PageQuery,
                response=Page,
                scopes=PUBLIC,
                errors=(NOT_FOUND, GONE),
            ),
        )

    async def show_credential(self, call: Call[CredentialPath, PageQuery]) -> Reply[CredentialFile]:
        key, _, suffix = call.path.name.partition(".")
        credential = await self._store.get(key)
        if credential is None or credential.program not in self._programs:
            raise Problem(NOT_FOUND)
        if credential.erased:
            raise Problem(GONE)
        # One that names nothing we have gets JSON (RFC 9110, 12.5.1).
        asked = negotiated(call.headers.get("Accept"), (*JSON_KINDS, JWT, PNG, SVG, HTML)) or JSON_KINDS[0]
        media_type = SUFFIXES[suffix] if suffix else asked
        if media_type == HTML:
            return Reply(shown_as(CredentialFile, await self._page(call, credential)))
        signed = await self._credentials.signed(credential)
        forms = Forms(credential, signed, self._programs[credential.program])
        return Reply(forms.file(media_type), ANY_ORIGIN)

    async def show_status_list(self, call: Call[StatusPath]) -> Reply[StatusFile]:
        path = call.path
        found = await self._lists.current(path.program, int(path.number)) if path.program in self._programs else None
        if found is None:
            raise Problem(NOT_FOUND)
        kind = negotiated(call.headers.get("Accept"), (*JSON_KINDS, JWT)) or JSON_KINDS[0]
        content = found.jwt.encode() if kind == JWT else found.document
        # Never older than a question ago: a revocation is to be seen within seconds.
        return Reply(StatusFile(media_type=kind, content=content, cache_control=REVALIDATED), ANY_ORIGIN)

    async def show_achievement(self, call: Call[AchievementPath]) -> Reply[AchievementFile]:
        program, title = await self._defined(call.path)
        kind = negotiated(call.headers.get("Accept"), AchievementFile.media_types) or AchievementFile.media_types[0]
        said = achievement(program, call.path.certification, title, self._addresses)
        return Reply(
            AchievementFile(media_type=kind, content=orjson.dumps(said), cache_control=_UNTIL_CHANGED), ANY_ORIGIN
        )

    async def show_achievement_image(self, call: Call[AchievementPath]) -> Reply[Picture]:
        _, title = await self._defined(call.path)
        svg = badge_svg(self._programs[call.path.program], title)
        return Reply(Picture(media_type=SVG, content=svg.encode(), cache_control=_UNTIL_CHANGED), ANY_ORIGIN)

    async def show_issuer_image(self, call: Call[IssuerPath]) -> Reply[Picture]:
        program = self._programs.get(call.path.program)
        if program is None:
            raise Problem(NOT_FOUND)
        svg = issuer_svg(program)
        return Reply(Picture(media_type=SVG, content=svg.encode(), cache_control=_UNTIL_CHANGED), ANY_ORIGIN)

    async def show_issuer_mark(self, call: Call[IssuerPath]) -> Reply[Mark]:
        program = self._programs.get(call.path.program)
        if program is None:
            raise Problem(NOT_FOUND)
        return Reply(Mark(media_type=PNG, content=issuer_png(program), cache_control=_UNTIL_CHANGED), ANY_ORIGIN)

    async def show_badge_page(self, call: Call[BadgePath, PageQuery]) -> Page:
        credential = await self._store.get(call.path.credential_id)
        if credential is None or credential.program not in self._programs:
            speak_to(call)
            return shown(messages.unknown_badge(), status=NOT_FOUND.status)
        if credential.erased:
            speak_to(call)
            return shown(messages.ended(), status=GONE.status)
        return shown(await self._page(call, credential))

    async def _page(self, call: Call[Any, PageQuery], credential: Credential) -> bytes:
        row = await self._ledgers.certifications(credential.program, credential.candidate_id)
        entries = row["certifications"] if row is not None else ()
        status = next((one["status"] for one in entries if one["certification"] == credential.certification), None)
        program, now = self._programs[credential.program], self._clock.now()
        speak_to(call)
        return badge_page(credential, program, self._addresses, now, suspended=status == "suspended")

    async def _defined(self, path: AchievementPath) -> tuple[Program, str]:
        """The version of the program, and the certification's title in it."""
        if path.program not in self._programs:
            raise Problem(NOT_FOUND)
        try:
            program = await self._policies.version_of(path.program, int(path.version))
        except LookupError:
            raise Problem(NOT_FOUND) from None
        found = find_certification(program, path.certification)
        if found is None:
            raise Problem(NOT_FOUND)
        return program, found.title
