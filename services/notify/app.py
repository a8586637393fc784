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
from services.notify.dkim import DkimSigner, read_keys
from services.notify.domain.pacing import Pacing, read_rates
from services.notify.feedback import migration as feedback_migration
from services.notify.feedback.parts import Feedback
from services.notify.privacy import Forgetting
from services.notify.rendering import Renderer
from services.notify.sender import Sender
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
    links = UnsubscribeLinks(settings.erasure_key.get_secret_value(), settings.public_url)
    signer = DkimSigner(read_keys(settings.dkim_keys_dir))
    renderer = Renderer(
        platform.programs, settings.public_url, signer=signer, links=links, return_path=settings.return_path
    )
    database = platform.database
    feedback = Feedback(database, store, renderer, platform.unit_of_work)
    wishes, words = WishStore(database), Words(database)
    sender = Sender(
        store,
        Settler(store, platform.unit_of_work, renderer, feedback.returns, owner=platform.owner),
        renderer,
        Connection.many(settings.smtp_connections, MailServer(settings), platform.clock),
        platform.clock,
        check=Checks(Suppressed(feedback.suppressions), wishes, words),
        pacing=Pacing(read_rates(settings.mail_rates or "")),
        owner=platform.owner,
    )
    events = NotifyEvents(store, wishes, words, sender, platform.programs)
    api = NotifyApi(store, renderer)
    forgetting = Forgetting(database, platform.clock)
    tombstones = Tombstones(database, settings.erasure_key)
    keeper = privacy.keeper_of(database, tombstones, platform.unit_of_work, forgetting)
    unsubscribing = Unsubscribing(store, wishes, renderer, platform.unit_of_work)
    retention = Retention(database, privacy.PERIODS, platform.clock)
    return Parts(
        api=api.api((*feedback.routes(api), *UnsubscribingApi(links, unsubscribing, platform.programs).routes())),
        subscriptions=(
            Subscription(
                topology.events_queue("notify"), decode_events, keeper.around(feedback.returns.around(events.handle))
            ),
        ),
        jobs=(keeper.job(), forgetting.job(), retention.job(), *feedback.jobs(settings.mail_reports_dir)),
        background=(sender.run,),
    )


SERVICE = Service(
    name="notify",
    migrations=(*MIGRATIONS, privacy.MIGRATION, feedback_migration.MIGRATION),
    build=build,
    settings=NotifySettings,
)
