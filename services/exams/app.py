"""The composition root of exams."""

from collections.abc import Mapping
from dataclasses import replace

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.bus.ingress import Border
from libs.common.mongo.jobs import Job
from libs.common.privacy.retention import Retention
from libs.common.privacy.tombstones import Tombstones
from libs.common.programs import ProgramErrors
from libs.common.service import Parts, Platform, Service, Subscription
from services.exams import migration_words, privacy
from services.exams.api import ExamsApi
from services.exams.consumers import ServiceEvents, VendorMessages
from services.exams.outgoing.parts import MIGRATION as OUTGOING
from services.exams.outgoing.parts import Outgoing
from services.exams.outgoing.places import reach_with
from services.exams.reconciliation.parts import Reconciliation
from services.exams.settings import ExamsSettings
from services.exams.store import MIGRATIONS, ExamsStore
from services.exams.unmatched import UnmatchedWatch
from services.exams.vendors.definition import Vendor, load_vendors
from services.exams.vendors.secrets import Secrets


def build(platform: Platform, settings: ExamsSettings) -> Parts:
    vendors = _read_vendors(settings)
    store = ExamsStore(platform.database)
    reach = reach_with(Secrets(settings.vendor_secrets_dir))
    outgoing = Outgoing(platform, vendors, reach)
    reconciliation = Reconciliation(platform, store, vendors, reach)
    watch = UnmatchedWatch(store, platform.unit_of_work, platform.clock)
    tombstones = Tombstones(platform.database, settings.erasure_key)
    keeper = privacy.keeper_of(platform.database, tombstones, platform.unit_of_work)
    late = privacy.LateReports(platform.database, tombstones, platform.unit_of_work)
    retention = Retention(platform.database, privacy.PERIODS, platform.clock)
    api = ExamsApi(store, platform.programs).api()
    return Parts(
        api=replace(api, routes=(*api.routes, *outgoing.routes(), *reconciliation.routes())),
        subscriptions=(
            Subscription(
                topology.vendors_queue("exams"),
                Border(platform.programs, platform.clock).decode,
                VendorMessages(store).handle,
                prefetch=2 * settings.batch_size,
            ),
            Subscription(topology.events_queue("exams"), decode_events, keeper.around(ServiceEvents(store).handle)),
        ),
        jobs=(
            Job("unmatched", watch.EVERY, watch.run),
            keeper.job(),
            late.job(),
            retention.job(),
            *outgoing.jobs(),
            *reconciliation.jobs(),
        ),
        background=(*outgoing.background(), *reconciliation.background()),
    )


def _read_vendors(settings: ExamsSettings) -> Mapping[str, Vendor]:
    try:
        return load_vendors(settings.vendors_dir)
    except ProgramErrors as error:
        raise SystemExit(f"CERTRAIL_VENDORS_DIR: {error}") from None


SERVICE = Service(
    name="exams",
    migrations=(*MIGRATIONS, privacy.MIGRATION, migration_words.MIGRATION, OUTGOING),
    build=build,
    settings=ExamsSettings,
)
