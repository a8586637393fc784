"""The HTTP API of logos: which there are, on which terms, and the files."""

import re
from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints

from libs.common.clock import Clock
from libs.common.http.files import Download
from libs.common.http.models import View
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import CERTS_READ
from libs.common.programs import Program
from services.certs.api import CertificationView
from services.certs.availability import UNAVAILABLE, found, refusal_of
from services.certs.certificates.api import CertificationPath
from services.certs.certificates.pool import DrawingPool
from services.certs.drawing import artwork
from services.certs.logos.logo import SIZES, logo_png, logo_svg
from services.certs.policies import Policies
from services.certs.store import CertsStore

SVG, PNG = "image/svg+xml", "image/png"

_SVG_FILE = "logo.svg"
_PNG_FILES = {f"logo-{size}.png": size for size in SIZES}


class LogoPath(CertificationPath):
    file: Annotated[str, StringConstraints(pattern=r"^(logo\.svg|logo-[0-9]{1,4}\.png)$")]


class LogoFileView(View):
    file: str
    """Last part of its address."""
    media_type: str
    width: int | None
    """In pixels; null where it has no size of its own."""


class LogosView(View):
    certification: str
    available: bool
    reason: str | None
    """Why not, as a sentence."""
    licence: str
    """On which terms it may be shown."""
    files: list[LogoFileView]
    """Empty where it is not available."""


class LogoFile(Download):
    media_types: ClassVar = (SVG, PNG)


class LogosApi:
    """Handlers of the routes below."""

    _PATH: ClassVar = "/programs/{program}/candidates/{candidate_id}/certifications/{certification}/logos"

    def __init__(self, ledgers: CertsStore, policies: Policies, pool: DrawingPool, clock: Clock) -> None:
        self._ledgers = ledgers
        self._policies = policies
        self._pool = pool
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path=self._PATH,
                handler=self.list_logos,
                summary="The logos of a certification, and on which terms they may be shown",
                parameters=CertificationPath,
                response=LogosView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{self._PATH}/{{file}}",
                handler=self.download_logo,
                summary="One logo: an SVG, or a PNG of one of the widths listed",
                parameters=LogoPath,
                response=LogoFile,
                scopes=CERTS_READ,
                errors=(NOT_FOUND, *UNAVAILABLE),
            ),
        )

    async def list_logos(self, call: Call[CertificationPath]) -> LogosView:
        program, held = await self._held(call)
        refusal = refusal_of(held)
        files = [LogoFileView(file=_SVG_FILE, media_type=SVG, width=None)]
        files += [LogoFileView(file=name, media_type=PNG, width=size) for name, size in _PNG_FILES.items()]
        return LogosView(
            certification=held.certification,
            available=refusal is None,
            reason=refusal.detail if refusal else None,
            licence=program.certificate.logo_licence,
            files=[] if refusal else files,
        )

    async def download_logo(self, call: Call[LogoPath]) -> LogoFile:
        program, held = await self._held(call)
        if refusal := refusal_of(held):
            raise refusal
        words = artwork(program), program.name, held.title
        name = f"{re.sub('[^A-Za-z0-9._-]+', '-', held.certification)}-{call.path.file}"
        if call.path.file == _SVG_FILE:
            svg = await self._pool.run(logo_svg, *words)
            return LogoFile(SVG, name, svg.encode())
        size = _PNG_FILES.get(call.path.file)
        if size is None:
            raise Problem(NOT_FOUND)
        return LogoFile(PNG, name, await self._pool.run(logo_png, *words, size))

    async def _held(self, call: Call[Any]) -> tuple[Program, CertificationView]:
        """The policy in force, and the certification as it is today."""
        path = call.path
        program = await self._policies.entered(call.principal, path.program, path.candidate_id)
        row = await self._ledgers.certifications(program.id, path.candidate_id)
        return program, found(row, path.certification, program.day_of(self._clock.now()))
