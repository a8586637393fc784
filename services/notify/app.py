"""The composition root of notify."""

from dataclasses import replace

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.privacy.retention import Retention
from libs.common.privacy.tombstones import Tombstones
from libs.common.service import Parts, Platform, Service, Subscription
from services.notify import privacy
from services.notify.api import NotifyApi
from services.notify.consumers import NotifyEvents
from services.notify.hooks import store as hook_store
from services.notify.hooks.parts import HookParts
from services.notify.privacy import Forgetting
from services.notify.rendering import Renderer
from services.notify.sender import Sender
from services.notify.settings import NotifySettings
from services.notify.settling import Settler
from services.notify.smtp import Connection, MailServer
from services.notify.store import MIGRATIONS, NotifyStore


def build(platform: Platform, settings: NotifySettings) -> Parts:
    store = NotifyStore(platform.database)
    renderer = Renderer(platform.programs, settings.public_url)
    sender = Sender(
        store,
        Settler(store, platform.unit_of_work, renderer, owner=platform.owner),
        renderer,
        Connection.many(settings.smtp_connections, MailServer(settings), platform.clock),
        platform.clock,
        owner=platform.owner,
    )
    events = NotifyEvents(store, sender, platform.programs)
    database = platform.database
    forgetting = Forgetting(database, platform.clock)
    tombstones = Tombstones(database, settings.erasure_key)
    keeper = privacy.keeper_of(database, tombstones, platform.unit_of_work, forgetting)
    retention = Retention(database, privacy.PERIODS, platform.clock)
    hooks = HookParts(platform, settings, tombstones)
    api = NotifyApi(store, renderer).api()
    return Parts(
        api=replace(api, routes=(*api.routes, *hooks.routes())),
        subscriptions=(
            Subscription(topology.events_queue("notify"), decode_events, keeper.around(events.handle)),
            *hooks.subscriptions(),
        ),
        jobs=(keeper.job(), forgetting.job(), retention.job()),
        background=(sender.run, *hooks.background()),
    )


SERVICE = Service(
    name="notify",
    migrations=(*MIGRATIONS, privacy.MIGRATION, hook_store.MIGRATION),
    build=build,
    settings=NotifySettings,
)
