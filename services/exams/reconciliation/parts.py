"""The parts of exams that compare vendors' lists of registrations with ours, joined."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.common.http.routes import Route
from libs.common.mongo.jobs import Job, Scheduler
from libs.common.service import Background, Platform
from libs.common.vendor_files.places import Reach
from services.exams.reconciliation.actions import Actions
from services.exams.reconciliation.api import ReconciliationApi
from services.exams.reconciliation.lists import Lists
from services.exams.reconciliation.runs import Runs
from services.exams.reconciliation.store import ReconciliationStore
from services.exams.store import ExamsStore
from services.exams.vendors.definition import Vendor


class Reconciliation:
    """Everything about comparisons."""

    def __init__(self, platform: Platform, exams: ExamsStore, vendors: Mapping[str, Vendor], reach: Reach) -> None:
        self._platform = platform
        store = ReconciliationStore(platform.database)
        self._runs = Runs(store, exams.merges, platform.unit_of_work, vendors, platform.clock)
        actions = Actions(store, exams, platform.unit_of_work)
        self._api = ReconciliationApi(self._runs, store, actions, vendors)
        self.lists = [
            Lists(vendor, vendor.registrations, self._runs, store, reach)
            for vendor in vendors.values()
            if vendor.registrations is not None
        ]

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return self._api.routes()

    def jobs(self) -> Sequence[Job]:
        return (self._runs.job(),)

    def background(self) -> Sequence[Background]:
        """A loop for each vendor that puts lists into a folder."""
        database, owner, clock = self._platform.database, self._platform.owner, self._platform.clock
        return [Scheduler(database, [one.job()], owner=owner, clock=clock).run for one in self.lists]
