"""The composition root of notify."""

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.privacy.retention import Retention
from libs.common.privacy.tombstones import Tombstones
from libs.common.service import Parts, Platform, Service, Subscription
from services.notify import privacy
from services.notify.announcements.api import AnnouncementsApi
from services.notify.announcements.mailing import Mailing
from services.notify.announcements.publishing import Publishing
from services.notify.announcements.store import AnnouncementStore
from services.notify.api import NotifyApi
from services.notify.chains import ChainsApi
from services.notify.checks import Checks, Together
from services.notify.consumers import NotifyEvents
from services.notify.dkim import DkimSigner, read_keys
from services.notify.domain.pacing import Pacing, read_rates
from services.notify.editions import store as editions_store
from services.notify.editions.api import TemplatesApi
from services.notify.editions.checking import Checker
from services.notify.editions.shelf import Shelf, Worded
from services.notify.editions.store import EditionStore
from services.notify.feedback import migration as feedback_migration
from services.notify.feedback.parts import Feedback
from services.notify.figures import MailFigures
from services.notify.hooks import store as hook_store
from services.notify.hooks.parts import HookParts
from services.notify.privacy import Forgetting
from services.notify.reminders import migration as reminders_migration
from services.notify.reminders.check import ReminderCheck
from services.notify.reminders.gathered import Gathered
from services.notify.reminders.standings import Standings
from services.notify.reminders.taking import Taking
from services.notify.reminders.writing import Writing
from services.notify.rendering import Renderer
from services.notify.sender import Sender
from services.notify.sent_before import SentBefore
from services.notify.settings import NotifySettings
from services.notify.settling import Settler
from services.notify.smtp import Connection, MailServer
from services.notify.store import MIGRATIONS, NotifyStore
from services.notify.suppressed import Suppressed
from services.notify.unsubscribing.api import UnsubscribingApi
from services.notify.unsubscribing.links import UnsubscribeLinks
from services.notify.unsubscribing.unsubscribing import Unsubscribing
from services.notify.wishes import WishStore
from services.notify.words import Words


def build(platform: Platform, settings: NotifySettings) -> Parts:
    store = NotifyStore(platform.database)
    if platform.said_before is not None:
        store.settle_first = SentBefore(platform.said_before).settle
    links = UnsubscribeLinks(settings.erasure_key.get_secret_value(), settings.public_url)
    signer = DkimSigner(read_keys(settings.dkim_keys_dir))
    database = platform.database
    editions = EditionStore(database)
    shelf = Shelf(editions)
    renderer = Renderer(
        platform.programs,
        settings.public_url,
        signer=signer,
        links=links,
        editions=shelf,
        return_path=settings.return_path,
    )
    feedback = Feedback(database, store, renderer, platform.unit_of_work)
    wishes, words = WishStore(database), Words(database)
    programs, clock = platform.programs, platform.clock
    gathered, standings, announcements = Gathered(database), Standings(database), AnnouncementStore(database)
    writing = Writing(store, gathered, standings, wishes, renderer, programs, platform.unit_of_work)
    mailing = Mailing(announcements, wishes, store, standings, programs, platform.unit_of_work, clock)
    publishing = Publishing(announcements, platform.unit_of_work)
    sender = Sender(
        store,
        Settler(store, platform.unit_of_work, renderer, feedback.returns, owner=platform.owner),
        renderer,
        Connection.many(settings.smtp_connections, MailServer(settings), platform.clock),
        platform.clock,
        check=Checks(
            Together(Suppressed(feedback.suppressions), wishes, words),
            ReminderCheck(store, standings, programs, clock),
            mailing,
            Worded(shelf, store),
        ),
        pacing=Pacing(read_rates(settings.mail_rates or "")),
        owner=platform.owner,
        tracing=platform.tracing,
    )
    taking = Taking(store, gathered, standings, wishes, programs)
    events = NotifyEvents(store, wishes, words, taking, sender, programs)
    api = NotifyApi(store, renderer, shelf)
    forgetting = Forgetting(database, platform.clock)
    tombstones = Tombstones(database, settings.erasure_key)
    keeper = privacy.keeper_of(database, tombstones, platform.unit_of_work, forgetting)
    unsubscribing = Unsubscribing(store, wishes, renderer, platform.unit_of_work)
    retention = Retention(database, privacy.PERIODS, platform.clock)
    hooks = HookParts(platform, settings, tombstones)
    return Parts(
        api=api.api(
            (
                *feedback.routes(api),
                *ChainsApi(store, renderer).routes(),
                *UnsubscribingApi(links, unsubscribing, platform.programs).routes(),
                *AnnouncementsApi(announcements, publishing, store, standings, programs, clock).routes(),
                *TemplatesApi(editions, Checker(renderer), platform.unit_of_work, programs).routes(),
                *hooks.routes(),
            )
        ),
        subscriptions=(
            Subscription(
                topology.events_queue("notify"), decode_events, keeper.around(feedback.returns.around(events.handle))
            ),
            *hooks.subscriptions(),
        ),
        jobs=(
            keeper.job(),
            forgetting.job(),
            retention.job(),
            writing.job(),
            mailing.job(),
            *feedback.jobs(settings.mail_reports_dir),
        ),
        background=(sender.run, MailFigures(store, clock).run, *hooks.background()),
    )


SERVICE = Service(
    name="notify",
    migrations=(
        *MIGRATIONS,
        privacy.MIGRATION,
        editions_store.MIGRATION,
        feedback_migration.MIGRATION,
        reminders_migration.MIGRATION,
        hook_store.MIGRATION,
    ),
    build=build,
    settings=NotifySettings,
)
