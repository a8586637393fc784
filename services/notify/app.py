"""The composition root of notify."""

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.privacy.retention import Retention
from libs.common.privacy.tombstones import Tombstones
from libs.common.service import Parts, Platform, Service, Subscription
from services.notify import privacy
from services.notify.api import NotifyApi
from services.notify.checks import Checks
from services.notify.consumers import NotifyEvents
from services.notify.domain.pacing import Pacing, read_rates
from services.notify.editions import store as editions_store
from services.notify.editions.api import TemplatesApi
from services.notify.editions.checking import Checker
from services.notify.editions.shelf import Shelf, Worded
from services.notify.editions.store import EditionStore
from services.notify.feedback import migration as feedback_migration
from services.notify.feedback.suppressions import Suppressions
from services.notify.privacy import Forgetting
from services.notify.rendering import Renderer
from services.notify.sender import Sender
from services.notify.settings import NotifySettings
from services.notify.settling import Settler
from services.notify.smtp import Connection, MailServer
from services.notify.store import MIGRATIONS, NotifyStore
from services.notify.suppressed import Suppressed
from services.notify.wishes import WishStore
from services.notify.words import Words


def build(platform: Platform, settings: NotifySettings) -> Parts:
    store = NotifyStore(platform.database)
    database = platform.database
    editions = EditionStore(database)
    shelf = Shelf(editions)
    renderer = Renderer(platform.programs, settings.public_url, editions=shelf)
    wishes, words = WishStore(database), Words(database)
    sender = Sender(
        store,
        Settler(store, platform.unit_of_work, renderer, owner=platform.owner),
        renderer,
        Connection.many(settings.smtp_connections, MailServer(settings), platform.clock),
        platform.clock,
        check=Checks(Suppressed(Suppressions(database)), wishes, words, Worded(shelf, store)),
        pacing=Pacing(read_rates(settings.mail_rates)),
        owner=platform.owner,
    )
    events = NotifyEvents(store, wishes, words, sender, platform.programs)
    templates = TemplatesApi(editions, Checker(renderer), platform.unit_of_work, platform.programs)
    forgetting = Forgetting(database, platform.clock)
    tombstones = Tombstones(database, settings.erasure_key)
    keeper = privacy.keeper_of(database, tombstones, platform.unit_of_work, forgetting)
    retention = Retention(database, privacy.PERIODS, platform.clock)
    return Parts(
        api=NotifyApi(store, renderer, shelf).api(templates.routes()),
        subscriptions=(Subscription(topology.events_queue("notify"), decode_events, keeper.around(events.handle)),),
        jobs=(keeper.job(), forgetting.job(), retention.job()),
        background=(sender.run,),
    )


SERVICE = Service(
    name="notify",
    migrations=(*MIGRATIONS, privacy.MIGRATION, feedback_migration.MIGRATION, editions_store.MIGRATION),
    build=build,
    settings=NotifySettings,
)
