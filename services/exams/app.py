"""The composition root of exams."""

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.bus.ingress import Border
from libs.common.mongo.jobs import Job
from libs.common.privacy.retention import Retention
from libs.common.privacy.tombstones import Tombstones
from libs.common.service import Parts, Platform, Service, Subscription
from libs.common.settings import ServiceSettings
from services.exams import privacy
from services.exams.api import ExamsApi
from services.exams.consumers import ServiceEvents, VendorMessages
from services.exams.store import MIGRATIONS, ExamsStore
from services.exams.unmatched import UnmatchedWatch


def build(platform: Platform, settings: ServiceSettings) -> Parts:
    store = ExamsStore(platform.database)
    watch = UnmatchedWatch(store, platform.unit_of_work, platform.clock)
    tombstones = Tombstones(platform.database, settings.erasure_key)
    keeper = privacy.keeper_of(platform.database, tombstones, platform.unit_of_work)
    late = privacy.LateReports(platform.database, tombstones, platform.unit_of_work)
    retention = Retention(platform.database, privacy.PERIODS, platform.clock)
    return Parts(
        api=ExamsApi(store, platform.programs).api(),
        subscriptions=(
            Subscription(
                topology.vendors_queue("exams"),
                Border(platform.programs, platform.clock).decode,
                VendorMessages(store).handle,
                prefetch=2 * settings.batch_size,
            ),
            Subscription(topology.events_queue("exams"), decode_events, keeper.around(ServiceEvents(store).handle)),
        ),
        jobs=(Job("unmatched", watch.EVERY, watch.run), keeper.job(), late.job(), retention.job()),
    )


SERVICE = Service(name="exams", migrations=(*MIGRATIONS, privacy.MIGRATION), build=build)
