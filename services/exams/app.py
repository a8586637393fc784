"""The composition root of exams."""

from collections.abc import Mapping
from dataclasses import replace

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.bus.ingress import Border
from libs.common.mongo.jobs import Job
from libs.common.mongo.merges import Merges
from libs.common.privacy.retention import Retention
from libs.common.privacy.tombstones import Tombstones
from libs.common.programs import ProgramErrors
from libs.common.service import Parts, Platform, Service, Subscription
from services.exams import migration_words, privacy
from services.exams.api import ExamsApi
from services.exams.consumers import ServiceEvents, VendorMessages
from services.exams.scheduling.api import SchedulingApi
from services.exams.scheduling.hand_overs import HandOvers
from services.exams.scheduling.store import MIGRATION as SCHEDULING
from services.exams.scheduling.store import HandOverStore
from services.exams.settings import ExamsSettings
from services.exams.store import MIGRATIONS, ExamsStore
from services.exams.unmatched import UnmatchedWatch
from services.exams.vendors.definition import Vendor, load_vendors
from services.exams.vendors.secrets import Secrets
from services.exams.vouchers.api import VouchersApi
from services.exams.vouchers.codes import Codes
from services.exams.vouchers.importing import Importing
from services.exams.vouchers.registry import Vouchers
from services.exams.vouchers.store import VoucherStore
from services.exams.vouchers.uses import VoucherUses, VoucherWatch


def build(platform: Platform, settings: ExamsSettings) -> Parts:
    vendors = _read_vendors(settings)
    codes = Codes(settings.erasure_key.get_secret_value())
    voucher_store = VoucherStore(platform.database)
    uses = VoucherUses(voucher_store, Merges(platform.database), codes, platform.programs)
    store = ExamsStore(platform.database, uses)
    watch = UnmatchedWatch(store, platform.unit_of_work, platform.clock)
    tombstones = Tombstones(platform.database, settings.erasure_key)
    keeper = privacy.keeper_of(platform.database, tombstones, platform.unit_of_work)
    late = privacy.LateReports(platform.database, tombstones, platform.unit_of_work)
    retention = Retention(platform.database, privacy.PERIODS, platform.clock)
    vouchers = Vouchers(voucher_store, store, codes, platform.unit_of_work, platform.clock)
    importing = Importing(voucher_store, uses, codes, vendors, platform.unit_of_work)
    voucher_watch = VoucherWatch(voucher_store, uses, platform.programs, platform.unit_of_work, platform.clock)
    hand_overs = HandOvers(
        HandOverStore(platform.database),
        store,
        vouchers,
        vendors,
        secrets=Secrets(settings.vendor_secrets_dir),
        tombstones=tombstones,
        unit_of_work=platform.unit_of_work,
        public_url=settings.public_url,
        clock=platform.clock,
    )
    api = ExamsApi(store, platform.programs).api()
    routes = (
        *api.routes,
        *SchedulingApi(hand_overs, platform.programs).routes(),
        *VouchersApi(vouchers, importing, platform.programs).routes(),
    )
    return Parts(
        api=replace(api, routes=routes),
        subscriptions=(
            Subscription(
                topology.vendors_queue("exams"),
                Border(platform.programs, platform.clock).decode,
                VendorMessages(store).handle,
                prefetch=2 * settings.batch_size,
            ),
            Subscription(topology.events_queue("exams"), decode_events, keeper.around(ServiceEvents(store).handle)),
        ),
        jobs=(Job("unmatched", watch.EVERY, watch.run), keeper.job(), late.job(), retention.job(), voucher_watch.job()),
    )


def _read_vendors(settings: ExamsSettings) -> Mapping[str, Vendor]:
    try:
        return load_vendors(settings.vendors_dir)
    except ProgramErrors as error:
        raise SystemExit(f"CERTRAIL_VENDORS_DIR: {error}") from None


SERVICE = Service(
    name="exams",
    migrations=(*MIGRATIONS, privacy.MIGRATION, migration_words.MIGRATION, SCHEDULING),
    build=build,
    settings=ExamsSettings,
)
