"""What codes stand for beside transcripts: badges and certificates, as a verifier is shown them."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from libs.common.clock import Clock
from libs.common.programs import Program
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
        return ShownDocument(policy, credential.recipient_name, await self.shown(policy, credential))

    async def shown(self, program: Program, credential: Credential) -> Shown:
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
