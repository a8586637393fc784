"""The composition of everything about transcripts and codes."""

from collections.abc import Mapping
from typing import Any

from libs.common.http.routes import Route
from libs.common.http.senders import read_networks
from libs.common.mongo.people import People
from libs.common.service import Platform
from services.certs.credentials.signatures import Credentials
from services.certs.credentials.store import CredentialStore
from services.certs.ledgers import Ledgers
from services.certs.people.sharing import SharingSettings
from services.certs.policies import Policies
from services.certs.public.addresses import Addresses
from services.certs.public.codes import Codes, Kind
from services.certs.public.rates import AddressRates
from services.certs.settings import CertsSettings
from services.certs.signing.keys import IssuerKeys
from services.certs.signing.signer import Signer
from services.certs.store import CertsStore
from services.certs.transcripts.answers import Answers
from services.certs.transcripts.api import TranscriptsApi
from services.certs.transcripts.check_api import CheckApi
from services.certs.transcripts.clr import Records
from services.certs.transcripts.documents import CredentialDocuments, Documents
from services.certs.transcripts.door import Door
from services.certs.transcripts.links import LinkKeys
from services.certs.transcripts.pages import VerificationPages
from services.certs.transcripts.public_api import PublicTranscriptsApi
from services.certs.transcripts.publishing import Publishing
from services.certs.transcripts.reading import TranscriptReader
from services.certs.transcripts.receipts import Receipts
from services.certs.transcripts.store import TranscriptStore
from services.certs.transcripts.visits import VisitLog


class TranscriptParts:
    """Transcripts: made, shown, checked by code."""

    def __init__(
        self,
        platform: Platform,
        settings: CertsSettings,
        addresses: Addresses,
        certs: CertsStore,
        ledgers: Ledgers,
        *,
        policies: Policies,
        people: People,
        sharing: SharingSettings,
        credentials: CredentialStore,
        signed: Credentials,
        signer: Signer,
        keys: IssuerKeys,
        rates: AddressRates,
        documents: Mapping[Kind, Documents],
    ) -> None:
        database, programs, clock = platform.database, platform.programs, platform.clock
        store, codes = TranscriptStore(database), Codes(database)
        links = LinkKeys(settings.certs_keys_secret.get_secret_value())
        reader = TranscriptReader(certs, people, sharing, programs, clock)
        self.visits = VisitLog(store, read_networks(settings.trusted_proxies), settings.country_header, clock)
        publishing = Publishing(
            certs, store, reader, ledgers, codes=codes, links=links, unit_of_work=platform.unit_of_work, clock=clock
        )
        answers = Answers(
            store,
            reader,
            VerificationPages(addresses),
            Records(certs, store, credentials, signed, signer=signer, addresses=addresses, clock=clock),
            Receipts(keys, addresses),
            links=links,
            visits=self.visits,
            clock=clock,
        )
        door = Door(rates)
        badges = CredentialDocuments(certs, credentials, programs, clock)
        self._apis = (
            TranscriptsApi(
                certs,
                store,
                reader,
                publishing,
                links=links,
                addresses=addresses,
                policies=policies,
                clock=clock,
            ),
            PublicTranscriptsApi(answers, door),
            CheckApi(codes, store, answers, {"credential": badges, **documents}, door, clock=clock),
        )

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return tuple(route for api in self._apis for route in api.routes())
