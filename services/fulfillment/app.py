"""The composition root of fulfillment."""

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.service import Parts, Platform, Service, Subscription
from libs.common.settings import ServiceSettings
from services.fulfillment.api import FulfillmentApi
from services.fulfillment.consumers import ServiceEvents
from services.fulfillment.store import MIGRATIONS, FulfillmentStore

LINGER_SECONDS = 0.05
"""Nobody waits for an offer: the candidate hears of the certification, and finds the offer when they look."""


def build(platform: Platform, _settings: ServiceSettings) -> Parts:
    store = FulfillmentStore(platform.database)
    return Parts(
        api=FulfillmentApi(store).api(),
        subscriptions=(
            Subscription(
                topology.events_queue("fulfillment"),
                decode_events,
                ServiceEvents(store, platform.programs).handle,
                linger_seconds=LINGER_SECONDS,
            ),
        ),
    )


SERVICE = Service(name="fulfillment", migrations=MIGRATIONS, build=build)
