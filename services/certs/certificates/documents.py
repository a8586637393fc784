"""What a certificate's code tells whoever checks it."""

from collections.abc import Mapping

from libs.common.programs import Program
from services.certs.certificates.store import CertificateStore
from services.certs.credentials.store import CredentialStore
from services.certs.transcripts.documents import CredentialDocuments, ShownDocument


class CertificateDocuments:
    """Certificates by their ids: how what they certify stands now, and the name that is printed on them.

    Every edition is found by its code. Whoever has the code has the paper, so the name is nothing new to them.
    """

    def __init__(
        self,
        store: CertificateStore,
        credentials: CredentialStore,
        badges: CredentialDocuments,
        programs: Mapping[str, Program],
    ) -> None:
        self._store = store
        self._credentials = credentials
        self._badges = badges
        self._programs = programs

    async def find(self, program: str, subject: str) -> ShownDocument | None:
        certificate, policy = await self._store.get(subject), self._programs.get(program)
        if certificate is None or policy is None:
            return None
        credential = await self._credentials.get(certificate.credential_id)
        if credential is None or credential.erased:
            return None
        return ShownDocument(policy, certificate.name, await self._badges.shown(policy, credential))
