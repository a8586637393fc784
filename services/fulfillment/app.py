"""The composition root of fulfillment."""

from dataclasses import replace

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.mongo.people import People
from libs.common.privacy.retention import Retention
from libs.common.privacy.tombstones import Tombstones
from libs.common.programs.errors import ProgramErrors
from libs.common.secret_files import Secrets
from libs.common.service import Parts, Platform, Service, Subscription
from libs.common.vendor_files.places import reach_with
from services.fulfillment import privacy
from services.fulfillment.addresses.api import AddressesApi
from services.fulfillment.api import FulfillmentApi
from services.fulfillment.consumers import ServiceEvents
from services.fulfillment.exchange.definition import Houses, load_houses
from services.fulfillment.exchange.parts import MIGRATION as EXCHANGE
from services.fulfillment.exchange.parts import Exchanges
from services.fulfillment.exchange.store import PERIODS
from services.fulfillment.offers.claiming import Claims
from services.fulfillment.offers.ending import Ending
from services.fulfillment.offers.telling import Telling
from services.fulfillment.orders.api import OrdersApi
from services.fulfillment.orders.ordering import Ordering
from services.fulfillment.orders.store import MIGRATION as ORDERS
from services.fulfillment.orders.store import OrderStore
from services.fulfillment.payments.parts import payment_routes
from services.fulfillment.payments.store import MIGRATION as PAYMENTS
from services.fulfillment.payments.unpaid import Unpaid
from services.fulfillment.settings import FulfillmentSettings
from services.fulfillment.store import MIGRATIONS, FulfillmentStore

GATHER_SECONDS = 0.05
"""For a batch. Nobody waits for an offer: the candidate hears of the certification, and finds the offer when
they look."""


def build(platform: Platform, settings: FulfillmentSettings) -> Parts:
    store = FulfillmentStore(platform.database)
    tombstones = Tombstones(platform.database, settings.erasure_key)
    keeper = privacy.keeper_of(platform.database, tombstones, platform.unit_of_work)
    people = People(platform.database)
    orders = OrderStore(platform.database)
    ordering = Ordering(orders)
    telling = Telling(ordering, platform.programs)
    claims = Claims(store, people, ordering, telling, platform.unit_of_work)
    exchanges = Exchanges(platform, _houses(settings), ordering, reach_with(Secrets(settings.vendor_secrets_dir)))
    retention = Retention(platform.database, PERIODS, platform.clock)
    try:
        payments = payment_routes(platform, settings, ordering, claims)
    except ProgramErrors as error:
        raise SystemExit(f"CERTRAIL_PAYMENT_PAGES_DIR: {error}") from None
    api = FulfillmentApi(store, platform.programs, platform.clock).api()
    return Parts(
        api=replace(
            api,
            routes=(
                *api.routes,
                *OrdersApi(orders, store.merges, claims, platform.programs, platform.clock).routes(),
                *exchanges.routes(),
                *AddressesApi(platform.programs).routes(),
                *payments,
            ),
        ),
        subscriptions=(
            Subscription(
                topology.events_queue("fulfillment"),
                decode_events,
                keeper.around(ServiceEvents(store, people, telling, platform.programs).handle),
                gather_seconds=GATHER_SECONDS,
            ),
            exchanges.subscription(),
        ),
        jobs=(
            keeper.job(),
            Ending(store, telling, platform.unit_of_work, platform.clock).job(),
            Unpaid(orders, claims, platform.unit_of_work, platform.clock).job(),
            retention.job(),
            *exchanges.jobs(),
        ),
        background=exchanges.background(),
    )


def _houses(settings: FulfillmentSettings) -> Houses:
    try:
        return load_houses(settings.vendors_dir)
    except ProgramErrors as error:
        raise SystemExit(f"CERTRAIL_VENDORS_DIR: {error}") from None


SERVICE = Service(
    name="fulfillment",
    migrations=(*MIGRATIONS, privacy.MIGRATION, ORDERS, EXCHANGE, PAYMENTS),
    build=build,
    settings=FulfillmentSettings,
)
