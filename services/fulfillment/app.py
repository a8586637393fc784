"""The composition root of fulfillment."""

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.privacy.tombstones import Tombstones
from libs.common.service import Parts, Platform, Service, Subscription
from libs.common.settings import ServiceSettings
from services.fulfillment import privacy
from services.fulfillment.api import FulfillmentApi
from services.fulfillment.consumers import ServiceEvents
from services.fulfillment.orders.store import MIGRATION as ORDERS
from services.fulfillment.store import MIGRATIONS, FulfillmentStore

LINGER_SECONDS = 0.05
"""Nobody waits for an offer: the candidate hears of the certification, and finds the offer when they look."""


def build(platform: Platform, settings: ServiceSettings) -> Parts:
    store = FulfillmentStore(platform.database)
    tombstones = Tombstones(platform.database, settings.erasure_key)
    keeper = privacy.keeper_of(platform.database, tombstones, platform.unit_of_work)
    return Parts(
        api=FulfillmentApi(store).api(),
        subscriptions=(
            Subscription(
                topology.events_queue("fulfillment"),
                decode_events,
                keeper.around(ServiceEvents(store, platform.programs).handle),
                linger_seconds=LINGER_SECONDS,
            ),
        ),
        jobs=(keeper.job(),),
    )


SERVICE = Service(name="fulfillment", migrations=(*MIGRATIONS, privacy.MIGRATION, ORDERS), build=build)
