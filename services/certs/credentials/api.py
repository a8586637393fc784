"""The HTTP API of a candidate's own badges: which there are, where they lead, and the files."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from libs.common.clock import Clock
from libs.common.events.types import Code
from libs.common.http.documents import Document
from libs.common.http.models import Parameters, View
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import CERTS_READ
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.api import certification_view
from services.certs.availability import UNAVAILABLE, found, refusal_of
from services.certs.credentials.credential import Credential
from services.certs.credentials.files import PNG, SUFFIXES, SVG, VC, Forms
from services.certs.credentials.issuing import Issuing
from services.certs.credentials.linkedin import add_to_profile
from services.certs.credentials.signatures import Credentials
from services.certs.credentials.store import CredentialStore
from services.certs.domain.standing import Status
from services.certs.policies import Policies
from services.certs.public.addresses import Addresses
from services.certs.public.codes import printed
from services.certs.store import CertsStore
from services.certs.views import CandidatePath

FileKind = Literal["json", "jwt", "png", "svg"]


class CertificationPath(CandidatePath):
    certification: Code


class FormQuery(Parameters):
    form: FileKind = "png"


class CredentialView(View):
    """A credential that was issued."""

    credential_id: str
    state: Literal["valid", "revoked"]
    """What runs out by its own date stays valid: it was true."""
    version: int
    """Grows with each correction."""
    title: str
    earned_on: date
    expires_on: date | None
    issued_at: datetime
    revoked_at: datetime | None
    named: bool
    """Whether the candidate's name is in it, by their own choice."""
    code: str
    """For whoever checks it."""
    url: str
    """Of the signed document; with `.json`, `.jwt`, `.png` or `.svg` after it, of that form."""
    page: str
    """For people; whoever has the address may look."""
    linkedin: str | None
    """Adds it to the candidate's profile there; null where it is not valid."""


class BadgeView(View):
    """A certification and its badges."""

    certification: str
    title: str
    status: Status
    available: bool
    reason: str | None
    """Why it cannot be had, as a sentence; null where it can."""
    current: CredentialView | None
    """The one that lasts longest; null where there is none yet, or no more."""
    earlier: list[CredentialView]


class BadgesView(View):
    """The badges of everything a candidate holds or has held."""

    candidate_id: str
    program: str
    as_of: date
    badges: list[BadgeView]


class BadgeFile(Document):
    """A badge to keep."""

    media_types: ClassVar = (PNG, SVG, VC, "text/plain")


class BadgesApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        ledgers: CertsStore,
        store: CredentialStore,
        credentials: Credentials,
        issuing: Issuing,
        policies: Policies,
        *,
        unit_of_work: UnitOfWork,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self._ledgers = ledgers
        self._store = store
        self._credentials = credentials
        self._issuing = issuing
        self._policies = policies
        self._unit_of_work = unit_of_work
        self._addresses = addresses
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/candidates/{candidate_id}/badges",
                handler=self.list_badges,
                summary="A candidate's badges, with where they lead",
                parameters=CandidatePath,
                response=BadgesView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/candidates/{candidate_id}/badges/{certification}",
                handler=self.show_badge,
                summary="The badge of an active certification, as a file to keep",
                parameters=CertificationPath,
                query=FormQuery,
                response=BadgeFile,
                scopes=CERTS_READ,
                errors=(NOT_FOUND, *UNAVAILABLE),
            ),
        )

    async def list_badges(self, call: Call[CandidatePath]) -> BadgesView:
        path = call.path
        program = await self._policies.entered(call.principal, path.program, path.candidate_id)
        row = await self._ledgers.ledger(program.id, path.candidate_id)
        accounts = await self._ledgers.accounts(program.id, path.candidate_id)
        by_name: dict[str, list[Credential]] = {}
        for one in await self._store.of_accounts(program.id, accounts):
            by_name.setdefault(one.certification, []).append(one)
        today = program.day_of(self._clock.now())
        entries = row["certifications"] if row is not None else ()
        return BadgesView(
            candidate_id=row["_id"] if row is not None else path.candidate_id,
            program=program.id,
            as_of=today,
            badges=[self._badge(entry, by_name.get(entry["certification"], ()), program, today) for entry in entries],
        )

    async def show_badge(self, call: Call[CertificationPath, FormQuery]) -> BadgeFile:
        path = call.path
        program = await self._policies.entered(call.principal, path.program, path.candidate_id)
        row = await self._ledgers.ledger(program.id, path.candidate_id)
        refusal = refusal_of(found(row, path.certification, program.day_of(self._clock.now())))
        if refusal is not None:
            raise refusal
        credential = await self._current(program, path.candidate_id, path.certification)
        signed = await self._credentials.signed(credential)
        kind = SUFFIXES[call.query.form]
        made = Forms(credential, signed, program).file(kind)
        name = f"{program.id}-badge-{credential.credential_id[:8]}.{call.query.form}"
        return BadgeFile(media_type=made.media_type, content=made.content, filename=name)

    async def _current(self, program: Program, candidate_id: str, certification: str) -> Credential:
        """The credential of an active certification, which is issued now where that has not happened."""

        async def work(transaction: Transaction) -> None:
            await self._issuing.bring_up_to_date(transaction, [candidate_id])

        await self._unit_of_work.run(work)
        accounts = await self._ledgers.accounts(program.id, candidate_id)
        current = await self._store.current(program.id, accounts, certification)
        if current is None:  # it has ended in this moment
            raise Problem(NOT_FOUND)
        return current

    def _badge(
        self, entry: Mapping[str, Any], issued: Sequence[Credential], program: Program, today: date
    ) -> BadgeView:
        view = certification_view(dict(entry), today)
        refusal = refusal_of(view)
        valid = [one for one in issued if one.state == "valid"]
        current = max(valid, key=lambda one: (one.expires_on or date.max, one.valid_from), default=None)
        return BadgeView(
            certification=view.certification,
            title=view.title,
            status=view.status,
            available=refusal is None,
            reason=refusal.detail if refusal is not None else None,
            current=self._view(current, program) if current is not None else None,
            earlier=[self._view(one, program) for one in issued if one is not current],
        )

    def _view(self, one: Credential, program: Program) -> CredentialView:
        page = self._addresses.badge_page(one.credential_id)
        valid = one.state == "valid"
        return CredentialView(
            credential_id=one.credential_id,
            state=one.state,
            version=one.version,
            title=one.title,
            earned_on=one.earned_on,
            expires_on=one.expires_on,
            issued_at=one.issued_at,
            revoked_at=one.revoked_at,
            named=one.recipient_name is not None,
            code=printed(one.code),
            url=self._addresses.credential(one.credential_id),
            page=page,
            linkedin=add_to_profile(one, organisation=program.name, page=page) if valid else None,
        )
