"""Which certificate stands for a certification now: the last edition, or a new one where something on it has changed.

A change of the name alone makes none by itself: the candidate may have shown the old one to others, and asks for the
new one. An edition is drawn first and then stored whole, with its code, in one transaction: a process that dies while
drawing leaves nothing behind, and of two that draw at once one gives way.
"""

from typing import NamedTuple

import structlog

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, ProblemType
from libs.common.ids import new_id
from libs.common.mongo.client import Session
from libs.common.mongo.people import People
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.api import CertificationView
from services.certs.certificates.content import Content
from services.certs.certificates.pool import DrawingPool
from services.certs.certificates.rendering import CannotDraw, Unprintable, render
from services.certs.certificates.store import Certificate, CertificateStore
from services.certs.credentials.credential import Credential
from services.certs.credentials.issuing import Issuing
from services.certs.credentials.signatures import Credentials
from services.certs.credentials.store import CredentialStore
from services.certs.drawing import artwork
from services.certs.people.sharing import SharingSettings
from services.certs.public.addresses import Addresses
from services.certs.public.codes import Codes, new_code, printed

PENDING = ProblemType("credential-pending", "The credential is being issued", 409)
NOT_PRINTABLE = ProblemType("name-not-printable", "The name has a sign that cannot be printed", 409)

log = structlog.get_logger(__name__)


class Bearer(NamedTuple):
    """Whose certificate it is, by the names that stand on it."""

    program: str
    candidate_id: str
    name: str
    native_name: str | None
    """In its own script, where that is another, and the candidate wants it on certificates."""
    country: str


class Editions:
    """Finds and makes certificates."""

    def __init__(
        self,
        store: CertificateStore,
        *,
        people: People,
        sharing: SharingSettings,
        credentials: CredentialStore,
        issuing: Issuing,
        signatures: Credentials,
        codes: Codes,
        addresses: Addresses,
        pool: DrawingPool,
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._store = store
        self._people = people
        self._sharing = sharing
        self._credentials = credentials
        self._issuing = issuing
        self._signatures = signatures
        self._codes = codes
        self._addresses = addresses
        self._pool = pool
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def credential(self, program: str, accounts: list[str], held: CertificationView) -> Credential | None:
        """The credential that says what the ledger says; None where it has not been issued yet."""
        found = await self._credentials.current(program, accounts, held.certification)
        in_step = found is not None and (found.earned_on, found.expires_on) == (held.earned_on, held.expires_on)
        return found if in_step else None

    async def issued_credential(self, program: str, accounts: list[str], held: CertificationView) -> Credential:
        """As `credential`, issued now where that has not happened. Raises the problem `credential-pending`."""
        found = await self.credential(program, accounts, held)
        if found is None:

            async def work(transaction: Transaction) -> None:
                await self._issuing.bring_up_to_date(transaction, accounts[:1])

            await self._unit_of_work.run(work)
            found = await self.credential(program, accounts, held)
        if found is None:  # the ledger has changed in this moment
            raise Problem(PENDING, "Not available yet: its credential is being issued. Ask again in a moment.")
        return found

    async def bearer(self, program: str, candidate_id: str, session: Session | None = None) -> Bearer | None:
        """Who the candidate is now; None where identity has not told of them yet, or they were erased."""
        person = await self._people.get(program, candidate_id, session)
        if person is None:
            return None
        chosen = await self._sharing.get(program, candidate_id, session)
        native = person.native_name if chosen.native_name and person.native_name != person.name else None
        return Bearer(program, candidate_id, person.name, native, person.country)

    async def given_out(self, credential: Credential) -> Certificate | None:
        """The last edition for a credential; None where it was never asked for."""
        return await self._store.latest(credential.credential_id)

    async def offered(self, credential: Credential) -> Certificate | None:
        """As `given_out`, for whoever may ask for the file next: where it has to be drawn, that will not start cold."""
        last = await self.given_out(credential)
        if last is None:
            self._pool.warm()
        return last

    async def current(self, program: Program, bearer: Bearer, credential: Credential) -> Certificate:
        """The edition that says what the credential says, made where there is none. The name stays as it was.

        Raises:
            Problem: `name-not-printable`.
            Unavailable: nothing can be drawn here.
        """
        last = await self.given_out(credential)
        signed = await self._signatures.signed(credential)
        if last is not None and _says(last) == (
            credential.title,
            credential.earned_on,
            credential.expires_on,
            signed.kid,
        ):
            return last
        return await self._made(program, bearer, credential, last)

    async def reissued(self, program: Program, bearer: Bearer, credential: Credential) -> Certificate:
        """A new edition with the present name.

        Raises:
            Problem: `conflict` where the last one bears it; `name-not-printable`.
            Unavailable: nothing can be drawn here.
        """
        last = await self.given_out(credential)
        if last is not None and not renamed(last, bearer):
            raise Problem(CONFLICT, "the certificate bears the present name")
        return await self._made(program, bearer, credential, last)

    async def _made(
        self, program: Program, bearer: Bearer, credential: Credential, last: Certificate | None
    ) -> Certificate:
        signed = await self._signatures.signed(credential)
        texts, branding = program.certificate, program.branding
        certificate = Certificate(
            certificate_id=new_id(),
            program=program.id,
            candidate_id=credential.candidate_id,
            certification=credential.certification,
            credential_id=credential.credential_id,
            edition=last.edition + 1 if last else 1,
            name=bearer.name,
            native_name=bearer.native_name,
            title=credential.title,
            earned_on=credential.earned_on,
            expires_on=credential.expires_on,
            issued_on=program.day_of(self._clock.now()),
            code=new_code(),
            kid=signed.kid,
        )
        content = Content(
            program=program.name,
            colour=branding.colour,
            artwork=artwork(program),
            name=certificate.name,
            native_name=certificate.native_name,
            country=bearer.country,
            statement=texts.statement,
            title=certificate.title,
            earned_on=certificate.earned_on,
            expires_on=certificate.expires_on,
            issued_on=certificate.issued_on,
            signatory=texts.signatory,
            signatory_title=texts.signatory_title,
            code=printed(certificate.code),
            address=self._addresses.check(certificate.code),
            credential=signed.document,
        )
        file = await self._drawn(content)

        async def work(transaction: Transaction) -> Certificate:
            # Another may have made it meanwhile; then its code is the one that counts.
            other = await self._store.latest(certificate.credential_id, transaction.session)
            if other is not None and other.edition >= certificate.edition:
                return other
            if await self.bearer(bearer.program, bearer.candidate_id, transaction.session) is None:
                raise Problem(NOT_FOUND)  # erased meanwhile
            await self._codes.add(
                transaction.session,
                certificate.code,
                program=certificate.program,
                kind="certificate",
                subject=certificate.certificate_id,
            )
            await self._store.add(transaction.session, certificate, file, transaction.now)
            return certificate

        return await self._unit_of_work.run(work)

    async def _drawn(self, content: Content) -> bytes:
        try:
            return await self._pool.run(render, content)
        except Unprintable as error:
            raise Problem(
                NOT_PRINTABLE, f"Not available: no font here has {error}. Ask for a change of name."
            ) from error
        except CannotDraw as error:
            log.error("certificate_not_drawn", detail=str(error))  # noqa: TRY400 the text says what to install
            raise Unavailable(str(error)) from error


def renamed(certificate: Certificate, bearer: Bearer) -> bool:
    """Whether its bearer has other names now than it says."""
    return (certificate.name, certificate.native_name) != (bearer.name, bearer.native_name)


def _says(certificate: Certificate) -> tuple[object, ...]:
    return certificate.title, certificate.earned_on, certificate.expires_on, certificate.kid
