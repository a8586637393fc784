"""The HTTP API of certificates: whether there is one, the file, and a new one after a change of name."""

import re
from datetime import date
from typing import Any, ClassVar

from libs.common.clock import Clock
from libs.common.events.types import Identifier
from libs.common.http.files import Download
from libs.common.http.models import View
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import CERTS_CLAIM, CERTS_READ
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.certs.api import CertificationView
from services.certs.availability import UNAVAILABLE, found, refusal_of
from services.certs.certificates.editions import NOT_PRINTABLE, PENDING, Bearer, Editions, renamed
from services.certs.certificates.store import Certificate, CertificateStore
from services.certs.credentials.credential import Credential
from services.certs.policies import Policies
from services.certs.public.codes import printed
from services.certs.store import CertsStore
from services.certs.views import CandidatePath


class CertificationPath(CandidatePath):
    certification: Identifier


class NameView(View):
    name: str
    native_name: str | None
    """In its own script, where that is another."""


class IssuedView(NameView):
    """The certificate as it was last given out."""

    code: str
    """Verification code, as it is printed: `7K2M-9QXT-4HPW`."""
    edition: int
    issued_on: date


class CertificateView(View):
    certification: str
    available: bool
    reason: str | None
    """Why not, as a sentence."""
    issued: IssuedView | None
    """Null where it was never asked for."""
    reissue: NameView | None
    """The present name, where it is another than the certificate says; a POST makes a new one."""


class CertificateFile(Download):
    media_types: ClassVar = ("application/pdf",)


class CertificatesApi:
    """Handlers of the routes below."""

    _PATH: ClassVar = "/programs/{program}/candidates/{candidate_id}/certifications/{certification}/certificate"

    def __init__(
        self, ledgers: CertsStore, store: CertificateStore, editions: Editions, policies: Policies, clock: Clock
    ) -> None:
        self._ledgers = ledgers
        self._store = store
        self._editions = editions
        self._policies = policies
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path=self._PATH,
                handler=self.show_certificate,
                summary="Whether there is a certificate of a certification, and with which name",
                parameters=CertificationPath,
                response=CertificateView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{self._PATH}.pdf",
                handler=self.download_certificate,
                summary="The certificate: a tagged PDF with the signed credential attached",
                parameters=CertificationPath,
                response=CertificateFile,
                scopes=CERTS_READ,
                errors=(NOT_FOUND, *UNAVAILABLE, PENDING, NOT_PRINTABLE),
            ),
            Route(
                method="POST",
                path=self._PATH,
                handler=self.reissue_certificate,
                summary="Make a new certificate with the present name",
                parameters=CertificationPath,
                response=CertificateView,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND, CONFLICT, *UNAVAILABLE, PENDING, NOT_PRINTABLE),
                idempotent=True,
            ),
        )

    async def show_certificate(self, call: Call[CertificationPath]) -> CertificateView:
        program, row, held = await self._held(call)
        if refusal := refusal_of(held):
            return CertificateView(
                certification=held.certification, available=False, reason=refusal.detail, issued=None, reissue=None
            )
        accounts = await self._ledgers.accounts(program.id, row["_id"])
        credential = await self._editions.credential(program.id, accounts, held)
        last = await self._editions.offered(credential) if credential else None
        return _view(held, last, await self._editions.bearer(program.id, row["_id"]))

    async def download_certificate(self, call: Call[CertificationPath]) -> CertificateFile:
        program, row, held = await self._held(call)
        bearer, credential = await self._entitled(program, row, held)
        certificate = await self._editions.current(program, bearer, credential)
        content = await self._store.file(certificate.certificate_id)
        if content is None:  # erased in this very moment
            raise Problem(NOT_FOUND)
        return CertificateFile("application/pdf", _filename(certificate), content)

    async def reissue_certificate(self, call: Call[CertificationPath]) -> CertificateView:
        program, row, held = await self._held(call)
        bearer, credential = await self._entitled(program, row, held)
        return _view(held, await self._editions.reissued(program, bearer, credential), bearer)

    async def _held(self, call: Call[CertificationPath]) -> tuple[Program, Document, CertificationView]:
        """The policy in force, the ledger of who stands for the candidate, and the certification in it."""
        path = call.path
        program = await self._policies.entered(call.principal, path.program, path.candidate_id)
        row = await self._ledgers.certifications(program.id, path.candidate_id)
        if row is None:
            raise Problem(NOT_FOUND)
        return program, row, found(row, path.certification, program.day_of(self._clock.now()))

    async def _entitled(self, program: Program, row: Document, held: CertificationView) -> tuple[Bearer, Credential]:
        """Whose name stands on the certificate, and the credential behind it. Raises the problem that says why not."""
        if refusal := refusal_of(held):
            raise refusal
        accounts = await self._ledgers.accounts(program.id, row["_id"])
        bearer = await self._editions.bearer(program.id, row["_id"])
        if bearer is None:
            raise Problem(PENDING, "Not available yet: the name has not arrived here. Ask again in a moment.")
        return bearer, await self._editions.issued_credential(program.id, accounts, held)


def _view(held: CertificationView, last: Certificate | None, bearer: Bearer | None) -> CertificateView:
    issued = (
        IssuedView(
            name=last.name,
            native_name=last.native_name,
            code=printed(last.code),
            edition=last.edition,
            issued_on=last.issued_on,
        )
        if last
        else None
    )
    offered = last is not None and bearer is not None and renamed(last, bearer)
    return CertificateView(
        certification=held.certification,
        available=True,
        reason=None,
        issued=issued,
        reissue=NameView(name=bearer.name, native_name=bearer.native_name) if bearer and offered else None,
    )


def _filename(certificate: Certificate) -> str:
    name = re.sub("[^A-Za-z0-9._-]+", "-", certificate.certification)
    return f"certificate-{certificate.program}-{name}-{printed(certificate.code)}.pdf"
