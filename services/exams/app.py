"""The composition root of exams."""

from collections.abc import Mapping
from dataclasses import replace

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.bus.ingress import Border
from libs.common.casework.evidence import EvidenceStore
from libs.common.field_keys import FieldKeys
from libs.common.mongo.jobs import Job
from libs.common.mongo.resealing import Resealing
from libs.common.privacy.retention import Retention
from libs.common.privacy.tombstones import Tombstones
from libs.common.programs import ProgramErrors
from libs.common.sealing import SecretBox
from libs.common.secret_files import Secrets
from libs.common.service import Parts, Platform, Service, Subscription
from libs.common.vendor_files.places import reach_with
from services.exams import migration_words, privacy
from services.exams.api import ExamsApi
from services.exams.challenges.candidate_api import CandidateChallengesApi
from services.exams.challenges.casework import Challenges
from services.exams.challenges.rulings import Rulings
from services.exams.challenges.staff_api import StaffChallengesApi
from services.exams.challenges.store import FILES, ChallengeStore
from services.exams.challenges.store import MIGRATION as CHALLENGES
from services.exams.consumers import ServiceEvents, VendorMessages
from services.exams.feeds import store as feeds_store
from services.exams.feeds.parts import Feeds
from services.exams.history.parts import MIGRATION as HISTORY
from services.exams.history.parts import history_routes
from services.exams.history.retake_flags import RetakeWatch
from services.exams.notices.api import NoticesApi
from services.exams.notices.guard import VendorGuard
from services.exams.notices.intake import Notices
from services.exams.notices.joining import Joining
from services.exams.notices.limits import CallLimit
from services.exams.onboarding import migration
from services.exams.onboarding.api import OnboardingApi
from services.exams.onboarding.credentials import Credentials
from services.exams.onboarding.tally import Folding
from services.exams.onboarding.trials import Trials
from services.exams.outgoing.parts import MIGRATION as OUTGOING
from services.exams.outgoing.parts import Outgoing
from services.exams.received.api import ReceivedApi
from services.exams.received.store import MIGRATION as RECEIVED
from services.exams.received.store import ReceivedStore
from services.exams.reconciliation.parts import Reconciliation
from services.exams.scheduling.parts import booking, codes_used
from services.exams.scheduling.store import MIGRATION as SCHEDULING
from services.exams.settings import ExamsSettings
from services.exams.store import MIGRATIONS, ExamsStore
from services.exams.unmatched.api import UnmatchedApi
from services.exams.unmatched.assigning import Assigning
from services.exams.unmatched.long import UnmatchedWatch
from services.exams.vendors.api import VendorNamesApi
from services.exams.vendors.definition import Vendor, load_vendors
from services.exams.watch.api import WatchApi
from services.exams.watch.figures import Figures
from services.exams.watch.late_api import LateApi
from services.exams.watch.looking import ResultsWatch
from services.exams.watch.questions import Questions
from services.exams.watch.store import MIGRATION as RESULTS_WATCH

GATHER_SECONDS = 0.025
"""For a batch of vendors' messages. What shares a batch here shares transactions in all services that follow: at a
steady rate a result is sooner with its candidate than if each went alone."""


def build(platform: Platform, settings: ExamsSettings) -> Parts:
    vendors = _read_vendors(settings)
    store = ExamsStore(platform.database, codes_used(platform, settings))
    feeds = Feeds(platform, settings, store, vendors)
    reach = reach_with(Secrets(settings.vendor_secrets_dir))
    outgoing = Outgoing(platform, vendors, reach)
    reconciliation = Reconciliation(platform, store, vendors, reach)
    watch = UnmatchedWatch(store, platform.unit_of_work, platform.clock)
    results_watch = ResultsWatch(store, platform.programs, platform.unit_of_work)
    questions = Questions(platform.database, platform.unit_of_work)
    watch_api = WatchApi(store, platform.programs, vendors, platform.clock)
    late_api = LateApi(store, questions, platform.programs, platform.clock)
    assigning = Assigning(store, platform.unit_of_work)
    unmatched_api = UnmatchedApi(store, assigning, platform.programs, platform.clock)
    api = ExamsApi(store, platform.programs).api()
    tombstones = Tombstones(platform.database, settings.erasure_key)
    fields = FieldKeys(settings.erasure_key, settings.field_keys_dir)
    keeper = privacy.keeper_of(platform.database, tombstones, platform.unit_of_work, fields)
    late = privacy.LateReports(platform.database, tombstones, platform.unit_of_work)
    retention = Retention(platform.database, privacy.PERIODS, platform.clock)
    credentials = Credentials(platform.database, _box(settings), platform.clock)
    notices = NoticesApi(
        Notices(platform.database, store, platform.unit_of_work, platform.programs),
        VendorGuard(credentials, CallLimit(), platform.clock),
    )
    onboarding = OnboardingApi(credentials, store.tallies, platform.unit_of_work, platform.programs, platform.clock)
    retakes = RetakeWatch(platform.database, platform.programs, platform.unit_of_work, platform.clock)
    challenges = Challenges(
        ChallengeStore(platform.database),
        EvidenceStore(platform.database, FILES, fields),
        store,
        Rulings(store, platform.unit_of_work),
        unit_of_work=platform.unit_of_work,
        programs=platform.programs,
        clock=platform.clock,
    )
    booked = booking(platform, settings, store, vendors, tombstones)
    return Parts(
        api=replace(
            api,
            routes=(
                *api.routes,
                *history_routes(platform, vendors),
                *watch_api.routes(),
                *late_api.routes(),
                *VendorNamesApi(vendors).routes(),
                *unmatched_api.routes(),
                *onboarding.routes(),
                *ReceivedApi(ReceivedStore(platform.database), platform.programs).routes(),
                *notices.routes(),
                *CandidateChallengesApi(challenges).routes(),
                *StaffChallengesApi(challenges).routes(),
                *booked.routes,
                *feeds.routes(),
                *outgoing.routes(),
                *reconciliation.routes(),
            ),
        ),
        subscriptions=(
            Subscription(
                topology.vendors_queue("exams"),
                Border(platform.programs, platform.clock).decode,
                Trials(VendorMessages(store), store, platform.unit_of_work).handle,
                prefetch=2 * settings.batch_size,
                gather_seconds=GATHER_SECONDS,
            ),
            Subscription(topology.events_queue("exams"), decode_events, keeper.around(ServiceEvents(store).handle)),
        ),
        jobs=(
            Job("unmatched", watch.EVERY, watch.run),
            results_watch.job(),
            keeper.job(),
            Resealing(platform.database, fields, (f"{FILES}.content",), platform.clock).job(),
            late.job(),
            retention.job(),
            Folding(store.tallies, platform.unit_of_work).job(),
            Joining(store, platform.unit_of_work).job(),
            retakes.job(),
            booked.job,
            *outgoing.jobs(),
            *reconciliation.jobs(),
        ),
        background=(
            Figures(store, platform.programs, platform.clock).run,
            *feeds.background(),
            *outgoing.background(),
            *reconciliation.background(),
        ),
    )


def _box(settings: ExamsSettings) -> SecretBox | None:
    secret = settings.credentials_secret
    return None if secret is None else SecretBox(secret.get_secret_value(), purpose="vendors' signing secrets")


def _read_vendors(settings: ExamsSettings) -> Mapping[str, Vendor]:
    try:
        return load_vendors(settings.vendors_dir)
    except ProgramErrors as error:
        raise SystemExit(f"CERTRAIL_VENDORS_DIR: {error}") from None


SERVICE = Service(
    name="exams",
    migrations=(
        *MIGRATIONS,
        privacy.MIGRATION,
        migration_words.MIGRATION,
        migration.MIGRATION,
        RESULTS_WATCH,
        HISTORY,
        CHALLENGES,
        SCHEDULING,
        feeds_store.MIGRATION,
        OUTGOING,
        RECEIVED,
    ),
    build=build,
    settings=ExamsSettings,
)
