"""The parts of certs that have to do with badge providers, joined."""

from collections.abc import Sequence
from typing import Any

from libs.common.http.routes import Route
from libs.common.mongo.jobs import Scheduler
from libs.common.secret_files import Secrets
from libs.common.service import Background, Platform
from services.certs.policies import Policies
from services.certs.provider.api import ProviderApi
from services.certs.provider.comparing import Comparing
from services.certs.provider.exchange import Exchange
from services.certs.provider.following import Following, ProviderFollower
from services.certs.provider.hooks_api import HookGuard, HooksApi
from services.certs.provider.observing import Observing
from services.certs.provider.reports import BadgeReports
from services.certs.provider.sending import Persons, Sending
from services.certs.provider.store import ProviderStore
from services.certs.settings import CertsSettings
from services.certs.store import CertsStore


class BadgeProviders:
    """Everything about badges at providers.

    Attributes:
        follower: is told of credentials that change.
        reports: takes in what providers say over the bus.
        exchanges: one for each program, whether it has a provider or not: definitions change while services run.
    """

    def __init__(
        self, platform: Platform, settings: CertsSettings, ledgers: CertsStore, policies: Policies, people: Persons
    ) -> None:
        clock, unit_of_work, programs = platform.clock, platform.unit_of_work, platform.programs
        store = ProviderStore(platform.database)
        secrets = Secrets(settings.provider_secrets_dir, "CERTRAIL_PROVIDER_SECRETS_DIR")
        observing, following = Observing(store, unit_of_work), Following(store, unit_of_work)
        self.follower = ProviderFollower(store, programs)
        self.reports = BadgeReports(observing, programs)
        self.exchanges: list[Exchange] = []
        for program in programs:
            sending = Sending(program, store, people, programs, unit_of_work, clock)
            comparing = Comparing(program, store, following, sending, observing, programs, unit_of_work, clock)
            self.exchanges.append(
                Exchange(program, store, following, sending, observing, comparing, programs, secrets, clock)
            )
        self._platform = platform
        self._apis = (
            ProviderApi(store, ledgers, policies, programs, unit_of_work, clock),
            HooksApi(store, programs, HookGuard(programs, secrets), clock),
        )

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return tuple(route for api in self._apis for route in api.routes())

    def background(self) -> Sequence[Background]:
        """A loop for each program, so that a provider that hangs holds up nobody else's badges."""
        database, owner, clock = self._platform.database, self._platform.owner, self._platform.clock
        return [Scheduler(database, [exchange.job()], owner=owner, clock=clock).run for exchange in self.exchanges]
