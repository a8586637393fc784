"""What codes stand for beside transcripts: badges and certificates, as a verifier is shown them."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from libs.common.clock import Clock
from libs.common.programs import Program
from services.certs.certificates.store import CertificateStore
from services.certs.credentials.credential import Credential
from services.certs.credentials.store import CredentialStore
from services.certs.store import CertsStore
from services.certs.transcripts.shown import CertificationState, Shown, ShownCertification, certifications_held


class ShownDocument(NamedTuple):
    """A badge or a certificate, as of now."""

    program: Program
    name: str | None
    """Of the holder; None where they have not agreed that it is shown."""
    shown: Shown


class Documents(Protocol):
    """Finds documents of one kind."""

    async def find(self, program: str, subject: str) -> ShownDocument | None:
        """The document of that id; None where nothing is left of it."""
        ...


class CredentialDocuments:
    """Badges by their credentials' ids."""

    def __init__(
        self, certs: CertsStore, credentials: CredentialStore, programs: Mapping[str, Program], clock: Clock
    ) -> None:
        self._certs = certs
        self._credentials = credentials
        self._programs = programs
        self._clock = clock

    async def find(self, program: str, subject: str) -> ShownDocument | None:
        credential, policy = await self._credentials.get(subject), self._programs.get(program)
        if credential is None or credential.erased or policy is None:
            return None
        return ShownDocument(policy, credential.recipient_name, await self._shown(policy, credential))

    async def _shown(self, program: Program, credential: Credential) -> Shown:
        """A credential as of now; that its certification is set aside stands in the ledger alone."""
        state: CertificationState = "active"
        today = program.day_of(self._clock.now())
        if credential.state == "revoked":
            state = "revoked"
        elif credential.expires_on is not None and credential.expires_on < today:
            state = "expired"
        else:
            row = await self._certs.certifications(program.id, credential.candidate_id)
            held = certifications_held(row["certifications"] if row is not None else (), today)
            entry = held.get(credential.certification)
            if entry is not None and entry.state == "suspended":
                state = "suspended"
        revoked_on = program.day_of(credential.revoked_at) if credential.revoked_at is not None else None
        return Shown(
            (
                ShownCertification(
                    credential.certification,
                    credential.title,
                    state,
                    credential.earned_on,
                    credential.expires_on,
                    revoked_on if state == "revoked" else None,
                ),
            )
        )


class CertificateDocuments:
    """Certificates by the ids of their editions. What holds of one is what holds of its credential.

    The name is that of the edition: whoever has the certificate before them compares it.
    """

    def __init__(self, certificates: CertificateStore, badges: CredentialDocuments) -> None:
        self._certificates = certificates
        self._badges = badges

    async def find(self, program: str, subject: str) -> ShownDocument | None:
        certificate = await self._certificates.get(subject)
        if certificate is None:
            return None
        badge = await self._badges.find(program, certificate.credential_id)
        return badge._replace(name=certificate.name) if badge is not None else None
