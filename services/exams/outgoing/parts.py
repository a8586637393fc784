"""The parts of exams that have to do with files to vendors, joined."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from libs.common.http.routes import Route
from libs.common.mongo.jobs import Job, Scheduler
from libs.common.mongo.merges import Merges
from libs.common.mongo.migrations import Migration, declare
from libs.common.service import Background, Platform
from libs.common.vendor_files.confirmations import Confirmations
from libs.common.vendor_files.exchange import Exchange
from libs.common.vendor_files.places import Reach
from services.exams.outgoing.answers import Answers
from services.exams.outgoing.authorizations import Authorizations
from services.exams.outgoing.authorizations_api import AuthorizationsApi
from services.exams.outgoing.claiming import Claiming, sections_of, takers
from services.exams.outgoing.files_api import FilesApi
from services.exams.outgoing.people import People
from services.exams.outgoing.profiles import Profiles
from services.exams.outgoing.store import COLLECTIONS, OutgoingStore
from services.exams.reconciliation import store as reconciliation
from services.exams.reconciliation.store import REGISTRATIONS
from services.exams.vendors.definition import Vendor

MIGRATION = Migration(
    8, "files to vendors, lists from them", declare({**COLLECTIONS, **reconciliation.COLLECTIONS, **REGISTRATIONS})
)


class Outgoing:
    """Everything about files to vendors."""

    def __init__(self, platform: Platform, vendors: Mapping[str, Vendor], reach: Reach) -> None:
        database, clock, unit_of_work = platform.database, platform.clock, platform.unit_of_work
        merges = Merges(database)
        self.store = OutgoingStore(database)
        self.people = People(self.store)
        self._platform = platform
        self._profiles = Profiles(self.store, merges, unit_of_work, vendors)
        self._authorizations = Authorizations(self.store, merges, unit_of_work, vendors, platform.programs, clock)
        claiming = Claiming(self.store, unit_of_work)
        confirmations = Confirmations(self.store, unit_of_work, Answers(self.store).settle)
        self.exchanges = [
            Exchange(
                vendor,
                sections_of(vendor),
                self.store,
                partial(claiming.make_due, vendor=vendor),
                confirmations,
                reach,
                clock,
            )
            for vendor in takers(vendors)
        ]
        self._authorizations_api = AuthorizationsApi(self._authorizations, self.store, merges)
        self._files_api = FilesApi(self.store, self._profiles, merges)

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (*self._authorizations_api.routes(), *self._files_api.routes())

    def jobs(self) -> Sequence[Job]:
        return (self._profiles.job(), self._authorizations.job())

    def background(self) -> Sequence[Background]:
        """A loop for each vendor, so that one whose server hangs holds up nobody else's work."""
        database, owner, clock = self._platform.database, self._platform.owner, self._platform.clock
        return [Scheduler(database, [exchange.job()], owner=owner, clock=clock).run for exchange in self.exchanges]
