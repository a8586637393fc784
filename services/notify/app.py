"""The composition root of notify."""

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.service import Parts, Platform, Service, Subscription
from services.notify.api import NotifyApi
from services.notify.consumers import NotifyEvents
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
    return Parts(
        api=NotifyApi(store, renderer).api(),
        subscriptions=(Subscription(topology.events_queue("notify"), decode_events, events.handle),),
        background=(sender.run,),
    )


SERVICE = Service(name="notify", migrations=MIGRATIONS, build=build, settings=NotifySettings)
