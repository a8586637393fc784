"""Any service as it is composed, asked for what it holds about a person and told to erase them."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from libs.common.bus import topology
from libs.common.events import identity
from libs.common.ids import new_id
from libs.common.privacy.sealing import joined, new_key, public_part, unseal
from libs.common.programs import Program
from libs.common.service import Parts, Platform, Service
from services.certs.app import SERVICE as CERTS
from services.exams.app import SERVICE as EXAMS
from services.fulfillment.app import SERVICE as FULFILLMENT
from services.notify.app import SERVICE as NOTIFY
from tests.service.rig import CERTS_KEYS_SECRET, ERASURE_KEY, Base, said
from tests.service.samples import received

SERVICES: Mapping[str, Service] = {one.name: one for one in (EXAMS, CERTS, FULFILLMENT, NOTIFY)}
PSEUDONYM = "erased-1"
_PASSING = {"outbox", "idempotency", "credentials_due"}
"""What the service clears within seconds or a day by itself."""


class PrivacyStation:
    """The service's handlers and jobs on the database of a test."""

    def __init__(self, base: Base, programs: Mapping[str, Program], **settings: Any) -> None:
        self.base = base
        self._programs, self._settings = programs, settings
        given = {"batch_size": 200, "erasure_key": ERASURE_KEY, "certs_keys_secret": CERTS_KEYS_SECRET} | settings
        service = SERVICES[base.service]
        platform = Platform(base.database, base.unit_of_work, programs, base.clock, base.owner)
        self.parts: Parts = service.build(platform, service.settings.model_construct(**given))

    def another(self) -> "PrivacyStation":
        """Another process of the service."""
        return PrivacyStation(self.base, self._programs, **self._settings)

    async def take(self, *items: Any) -> None:
        """What services say, as one batch."""
        await self._handle(topology.events_queue(self.base.service), items)

    async def report(self, *items: Any) -> None:
        """What vendors say, as one batch."""
        await self._handle(topology.vendors_queue(self.base.service), items)

    async def _handle(self, queue: str, items: Any) -> None:
        await self.base.handle(next(each.work for each in self.parts.subscriptions if each.queue == queue), *items)

    async def run(self, job: str) -> None:
        await next(each.run for each in self.parts.jobs if each.name == job)()

    async def erase(self, *accounts: str, at: datetime | None = None, names: Mapping[str, str] | None = None) -> None:
        await self.take(received(self.erased(*accounts, at=at, names=names)))

    def erased(
        self, *accounts: str, at: datetime | None = None, names: Mapping[str, str] | None = None
    ) -> identity.CandidateErased:
        """Of several accounts the first stands for all; pseudonyms are numbered unless given."""
        given = names or {one: f"erased-{number}" for number, one in enumerate(accounts, start=1)}
        return identity.CandidateErased(
            candidate_id=accounts[0],
            accounts=[identity.ErasedAccount(candidate_id=one, pseudonym=given[one]) for one in accounts],
            erased_at=at or self.base.clock.now(),
        )

    async def exported(self, *accounts: str) -> dict[str, Any]:
        """What the service says of a person when two processes answer, unsealed; JSON is read."""
        key, export_id = new_key(), new_id()
        question = identity.PersonalDataRequested(
            export_id=export_id, services=[self.base.service], accounts=list(accounts), public_key=public_part(key)
        )
        await self.take(received(question), received(question))
        await asyncio.gather(self.run("exports"), self.another().run("exports"))
        parts = [event["data"] for event in said(self.base) if event["data"].get("export_id") == export_id]
        *sealed, last = sorted(parts, key=lambda part: int(part["number"]))
        assert last["total"] == len(sealed), "the last part says how many there are, and each is told once"
        files = joined(unseal(part["sealed"], key) for part in sealed)
        return {path: orjson.loads(one) if path.endswith(".json") else one for path, one in files.items()}

    async def stored(self) -> str:
        """All that the database holds for longer: not what waits for a relay or a worker."""
        names = await self.base.database.list_collection_names()
        return str({name: await self.base.rows(name) for name in names if name not in _PASSING})
