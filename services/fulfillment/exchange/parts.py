"""The parts of fulfillment that have to do with fulfilment houses, joined."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from libs.common.bus import topology
from libs.common.bus.ingress import Border
from libs.common.http.routes import Route
from libs.common.mongo.jobs import Job, Scheduler
from libs.common.mongo.migrations import Migration, declare
from libs.common.service import Background, Platform, Subscription
from libs.common.vendor_files.confirmations import Confirmations
from libs.common.vendor_files.exchange import Exchange, Section
from libs.common.vendor_files.places import Reach
from services.fulfillment.exchange.api import ExchangeApi
from services.fulfillment.exchange.definition import House, Houses
from services.fulfillment.exchange.findings_api import OrderFindingsApi
from services.fulfillment.exchange.lists import Lists
from services.fulfillment.exchange.orders import Orders
from services.fulfillment.exchange.reports import Reports
from services.fulfillment.exchange.sending import KIND, Sending
from services.fulfillment.exchange.store import COLLECTIONS, ExchangeStore
from services.fulfillment.exchange.watch import Watch
from services.fulfillment.orders.ordering import Ordering

MIGRATION = Migration(6, "orders to fulfilment houses", declare(COLLECTIONS))


class Exchanges:
    """Everything about fulfilment houses."""

    def __init__(self, platform: Platform, houses: Houses, ordering: Ordering, reach: Reach) -> None:
        unit_of_work, clock = platform.unit_of_work, platform.clock
        self._platform = platform
        self.store = ExchangeStore(platform.database)
        orders = Orders(ordering, platform.programs)
        self.reports = Reports(self.store, orders, unit_of_work)
        self.sending = Sending(self.store, orders, houses, unit_of_work)
        self.watch = Watch(self.store, orders, houses, unit_of_work, platform.programs, clock)
        lists = Lists(self.store, orders, self.reports, unit_of_work, clock)
        self._apis = (
            ExchangeApi(self.store, orders, lists, houses, unit_of_work, clock),
            OrderFindingsApi(self.store, orders, unit_of_work),
        )
        confirmations = Confirmations(self.store, unit_of_work, self.reports.settle)
        self.exchanges = [
            _exchange(house, self.store, self.sending, confirmations, lists, reach, platform)
            for house in houses.defined.values()
            if house.files is not None or house.lists is not None or house.stock is not None
        ]

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return tuple(route for api in self._apis for route in api.routes())

    def subscription(self) -> Subscription:
        """What vendors publish, of which houses' words are taken in."""
        border = Border(self._platform.programs, self._platform.clock)
        return Subscription(topology.vendors_queue("fulfillment"), border.decode, self.reports.handle)

    def jobs(self) -> Sequence[Job]:
        return (self.sending.job(), self.sending.recall_job(), self.reports.job(), self.watch.job())

    def background(self) -> Sequence[Background]:
        """A loop for each house with folders, so that one whose server hangs holds up nobody else's work."""
        database, owner, clock = self._platform.database, self._platform.owner, self._platform.clock
        return [Scheduler(database, [exchange.job()], owner=owner, clock=clock).run for exchange in self.exchanges]


def _exchange(  # noqa: PLR0917 parts
    house: House,
    store: ExchangeStore,
    sending: Sending,
    confirmations: Confirmations,
    lists: Lists,
    reach: Reach,
    platform: Platform,
) -> Exchange:
    section = Section(KIND, house.files, "OrderID") if house.files is not None else None

    async def make_due(program: str) -> None:
        if section is not None:
            await sending.make_due(program, house=house, section=section)

    return Exchange(
        house,
        [section] if section is not None else [],
        store,
        make_due,
        confirmations,
        reach,
        platform.clock,
        partial(lists.read, house=house),
    )
