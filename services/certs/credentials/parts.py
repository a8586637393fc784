"""The composition of everything about credentials."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from libs.common.http.routes import Route
from libs.common.mongo.jobs import Job
from libs.common.service import Background, Platform
from services.certs.credentials.api import BadgesApi
from services.certs.credentials.issuing import Beside, Contacts, Follower, Issuing, IssuingLoop
from services.certs.credentials.public_api import PublicCredentialsApi
from services.certs.credentials.signatures import Credentials, SigningLoop
from services.certs.credentials.signing import Keys, Signer
from services.certs.credentials.status_lists import StatusLists
from services.certs.credentials.store import CredentialStore
from services.certs.policies import Policies
from services.certs.public.addresses import Addresses
from services.certs.public.codes import Codes
from services.certs.store import CertsStore


class CredentialParts:
    """Credentials: issued, signed, shown.

    Args:
        platform: what the service stands on.
        addresses: of everything public.
        ledgers: what candidates hold; its notes say whose credentials may have to change.
        policies: every version of every program.
        signer: signs for the issuers.
        keys: knows which of their keys are compromised.
        contacts: what may be said of candidates.
        followers: told of every change, in its transaction.
        beside: what else follows from ledgers.
    """

    LOST_KEYS: ClassVar = timedelta(seconds=15)

    def __init__(
        self,
        platform: Platform,
        addresses: Addresses,
        ledgers: CertsStore,
        policies: Policies,
        *,
        signer: Signer,
        keys: Keys,
        contacts: Contacts,
        followers: Sequence[Follower] = (),
        beside: Sequence[Beside] = (),
    ) -> None:
        self._platform = platform
        self._addresses = addresses
        self._ledgers = ledgers
        self._policies = policies
        database, clock = platform.database, platform.clock
        self.store = CredentialStore(database)
        self.lists = StatusLists(
            database, platform.unit_of_work, signer=signer, keys=keys, addresses=addresses, clock=clock
        )
        self.credentials = Credentials(self.store, signer, policies, addresses)
        self.issuing = Issuing(
            ledgers,
            self.store,
            self.lists,
            Codes(database),
            contacts=contacts,
            programs=platform.programs,
            followers=followers,
        )
        self.signing = SigningLoop(
            self.store,
            self.credentials,
            self.lists,
            keys=keys,
            programs=platform.programs,
            clock=clock,
            owner=platform.owner,
        )
        self.loop = IssuingLoop(
            ledgers.credentials_due,
            self.issuing,
            platform.unit_of_work,
            clock,
            owner=platform.owner,
            signing=self.signing.wake,
            beside=beside,
        )

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        platform = self._platform
        shown = PublicCredentialsApi(
            self.store,
            self.credentials,
            self.lists,
            self._ledgers,
            self._policies,
            programs=platform.programs,
            addresses=self._addresses,
            clock=platform.clock,
        )
        own = BadgesApi(
            self._ledgers,
            self.store,
            self.credentials,
            self.issuing,
            self._policies,
            unit_of_work=platform.unit_of_work,
            addresses=self._addresses,
            clock=platform.clock,
        )
        return (*own.routes(), *shown.routes())

    def background(self) -> Sequence[Background]:
        """Loops of the worker."""
        return (self.loop.run, self.signing.run)

    def job(self) -> Job:
        """Signs anew what a compromised key has signed."""
        return Job("lost-keys", self.LOST_KEYS, self.signing.look_for_lost_keys)
