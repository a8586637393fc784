"""Certs as it is composed, with a program whose badges a provider keeps as well."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from libs.common.mongo.people import People
from libs.common.programs import Program, load_definition
from libs.common.service import Platform
from services.certs.policies import Policies
from services.certs.provider.exchange import Exchange
from services.certs.provider.parts import BadgeProviders
from services.certs.settings import CertsSettings
from services.certs.store import CertsStore
from tests.service.badge_provider import ORGANIZATION, TOKEN, BadgeProviderUnderTest
from tests.service.certs_station import CertsStation
from tests.service.rig import Base

HOOK = "the-secret-in-the-address"
RETRY = timedelta(minutes=2)
"""After so long a step whose outcome is not known may be asked about."""
CISCO = (Path(__file__).parents[2] / "deploy" / "programs" / "cisco.yaml").read_text(encoding="utf-8")


def with_provider(url: str, **changes: Any) -> Program:
    """The sample program, with a provider."""
    given = {
        "kind": "credly",
        "url": url,
        "organization": ORGANIZATION,
        "secret": "credly-token",
        "webhook_secret": "credly-hook",
        "templates": "{CCNA: template-1, CCNP-Enterprise: template-2}",
        "rate": 6000,
    } | changes
    section = ", ".join(f"{name}: {value}" for name, value in given.items())
    return load_definition(f"{CISCO}\nbadges: {{provider: {{{section}}}}}\n", name="cisco.yaml")


class BadgeStation(CertsStation):
    """The service's handlers, API, comparison of credentials, and exchange with the provider."""

    def __init__(
        self, base: Base, provider: BadgeProviderUnderTest, folder: Path, programs: Mapping[str, Program] | None = None
    ) -> None:
        (folder / "credly-token").write_text(f"{TOKEN}\n", encoding="utf-8")
        (folder / "credly-hook").write_text(HOOK, encoding="utf-8")
        self.provider = provider
        self.own: dict[str, Program] = dict(programs or {"cisco": with_provider(provider.url)})
        super().__init__(base, self.own, provider_secrets_dir=folder)
        platform = Platform(base.database, base.unit_of_work, self.own, base.clock, base.owner)
        store = CertsStore(base.database)
        settings = CertsSettings.model_construct(provider_secrets_dir=folder)
        parts = BadgeProviders(platform, settings, store, Policies(store, self.own, base.clock), People(base.database))
        self.exchange: Exchange = parts.exchanges[0]

    async def compare(self) -> None:
        """Let credentials follow the ledgers; nothing is signed."""
        loop: Any = self.parts.background[0].__self__  # type: ignore[attr-defined]
        while await loop.step():
            pass

    async def round(self) -> None:
        """Let credentials follow the ledgers, and the provider be told."""
        await self.compare()
        await self.exchange.run()

    async def later(self, after: timedelta = RETRY) -> None:
        """Another round after a while."""
        self.base.clock.advance(after)
        await self.round()

    async def credentials(self, **query: Any) -> list[dict[str, Any]]:
        return await self.base.database["credentials"].find(query).sort([("issued_at", 1), ("_id", 1)]).to_list(None)

    async def chain(self) -> dict[str, Any]:
        """The only one."""
        (row,) = await self.base.rows("provider_badges")
        return row
