"""The parts of notify that have to do with web hooks, joined."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from libs.common.bus import topology
from libs.common.http.routes import Route
from libs.common.http.senders import read_networks
from libs.common.privacy.tombstones import Tombstones
from libs.common.sealing import SecretBox
from libs.common.service import Background, Platform, Subscription
from services.notify.hooks.api import HooksApi
from services.notify.hooks.intake import Intake
from services.notify.hooks.known import KnownHooks
from services.notify.hooks.registry import Registry
from services.notify.hooks.sending import Sending
from services.notify.hooks.store import HookStore
from services.notify.hooks.targets import Targets
from services.notify.settings import NotifySettings


class HookParts:
    """Everything about web hooks."""

    def __init__(self, platform: Platform, settings: NotifySettings, tombstones: Tombstones) -> None:
        store = HookStore(platform.database)
        known, targets = KnownHooks(store), Targets(read_networks(settings.hooks_private_networks or ""))
        secret = settings.hooks_secret
        box = SecretBox(secret.get_secret_value(), purpose="hooks") if secret is not None else None
        self._sending = Sending(
            store,
            known,
            targets,
            box,
            platform.clock,
            platform.owner,
            off_after=timedelta(days=settings.hooks_off_days),
        )
        self._intake = Intake(store, known, tombstones, self._sending.wake)
        self._api = HooksApi(Registry(store, known, targets, box, platform.clock))

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return self._api.routes()

    def subscriptions(self) -> Sequence[Subscription]:
        return (Subscription(topology.HOOKS, self._intake.decode, self._intake.handle),)

    def background(self) -> Sequence[Background]:
        return (self._sending.run,)
