"""The composition of certificates and logos."""

from typing import Any

from libs.common.http.routes import Route
from libs.common.mongo.people import People
from libs.common.service import Platform
from services.certs.certificates.api import CertificatesApi
from services.certs.certificates.documents import CertificateDocuments
from services.certs.certificates.editions import Editions
from services.certs.certificates.pool import DrawingPool
from services.certs.certificates.store import CertificateStore
from services.certs.credentials.parts import CredentialParts
from services.certs.logos.api import LogosApi
from services.certs.people.sharing import SharingSettings
from services.certs.policies import Policies
from services.certs.public.addresses import Addresses
from services.certs.public.codes import Codes
from services.certs.store import CertsStore
from services.certs.transcripts.documents import CredentialDocuments


class CertificateParts:
    """Certificates and logos: drawn, kept, given out."""

    def __init__(
        self,
        platform: Platform,
        addresses: Addresses,
        ledgers: CertsStore,
        policies: Policies,
        *,
        people: People,
        sharing: SharingSettings,
        credentials: CredentialParts,
        pool: DrawingPool,
    ) -> None:
        self.store = CertificateStore(platform.database)
        self.editions = Editions(
            self.store,
            people=people,
            sharing=sharing,
            credentials=credentials.store,
            issuing=credentials.issuing,
            signatures=credentials.credentials,
            codes=Codes(platform.database),
            addresses=addresses,
            pool=pool,
            unit_of_work=platform.unit_of_work,
            clock=platform.clock,
        )
        badges = CredentialDocuments(ledgers, credentials.store, platform.programs, platform.clock)
        self.documents = CertificateDocuments(self.store, credentials.store, badges, platform.programs)
        self._certificates = CertificatesApi(ledgers, self.store, self.editions, policies, platform.clock)
        self._logos = LogosApi(ledgers, policies, pool, platform.clock)

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (*self._certificates.routes(), *self._logos.routes())
