"""Everything that proves a certification, of some candidates, beside what their ledgers say."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from libs.common.bus import topology
from libs.common.events import service_event
from services.certs.credentials import bits
from services.fulfillment.store import FulfillmentStore
from tests.service.badge_provider import badge_provider
from tests.service.badge_station import BadgeStation
from tests.service.certs_station import Callers
from tests.service.conftest import OpenBase
from tests.service.fulfillment_station import FulfillmentStation
from tests.service.outgoing_station import person
from tests.service.rig import Base, said
from tests.service.samples import passed, received
from tests.service.transcript_desk import Sharer, path_of

SHARED = {"directory": True, "name_in_badges": True, "native_name": False}
TEMPLATES = {"CCNA": "template-1", "CCNP-Enterprise": "template-2"}
ISSUED = {"active", "suspended"}
"""A suspended certification keeps its credential: the page says that it is set aside."""


class Proofs:
    """Certs with a badge provider, and fulfillment, with the bus between them in the test's hand."""

    def __init__(self, station: BadgeStation, fulfillment: Base, callers: Callers) -> None:
        self.station = station
        self.callers = callers
        self.base = station.base
        self.offers = FulfillmentStore(fulfillment.database)
        self._fulfilled = FulfillmentStation(fulfillment, station.programs)
        self._heard = 0
        self._links: dict[str, Any] = {}

    async def take(self, *items: Any) -> None:
        """What exams and identity say; fulfillment is told of merges too."""
        await self.station.take(*items)
        families = [item for item in items if type(item.data) in _HEARD and item.data.publisher == "identity"]
        if families:
            await self._fulfilled.take(*families)

    async def welcome(self, who: str = "C1", **names: str) -> None:
        """A candidate who has passed an exam, lets everything be seen, and shares a link."""
        now = self.base.clock.now()
        await self.take(received(person(who, **names)), received(passed(who, f"R-{who}", known_at=now)))
        status, _ = await self.callers.candidate("PUT", f"/cisco/candidates/{who}/sharing", who=who, **SHARED)
        assert status == 200
        self._links[who] = path_of(await Sharer(self.callers, who).publish("CCNA"))
        await self.settle()

    async def decide(self, kind: str, who: str = "C1", certification: str = "CCNA") -> int:
        """Staff decide. Returns the status of the answer."""
        body = {"kind": kind, "certification": certification, "reason": "as found"}
        status, _ = await self.callers.staff("POST", f"/cisco/candidates/{who}/decisions", **body)
        return int(status)

    async def settle(self, *, shuffled: Any = None) -> None:
        """Let everything follow: credentials and their lists, the provider, and fulfillment by what certs has said."""
        await self.station.settle()
        await self.station.exchange.run()
        events = said(self.base)[self._heard :]
        self._heard += len(events)
        items = [_received(event) for event in events]
        items = [item for item in items if type(item.data) in _HEARD]
        if shuffled is not None:
            shuffled.shuffle(items)
        for item in items:
            await self._fulfilled.take(item)

    def told(self, who: str, name: str) -> list[dict[str, Any]]:
        """What certs has said of a candidate, of one kind."""
        return [event["data"] for event in said(self.base) if event["subject"] == who and f".{name}." in event["type"]]

    # What anybody can see

    async def held(self, who: str = "C1") -> dict[str, str]:
        """Certifications and their states, as the ledger has them today."""
        _, found = await self.callers.candidate("GET", f"/cisco/candidates/{who}/certifications", who=who)
        return {one["certification"]: one["status"] for one in found["certifications"]}

    async def bits(self) -> dict[str, bool]:
        """Whether each credential is revoked, by its id, as the signed status lists say."""
        rows = await self.base.rows("credentials")
        lists = {
            number: json.loads(await (await self.callers.fetch(f"/status/cisco/{number}")).read())
            for number in {row["status_list"] for row in rows}
        }
        return {
            row["_id"]: bits.is_set(
                bits.decoded(lists[row["status_list"]]["credentialSubject"]["encodedList"]), row["status_index"]
            )
            for row in rows
        }

    async def listed(self) -> dict[str, set[str]]:
        """The directory: certifications by name."""
        _, found = await self.callers.anybody("/public/directory/cisco", limit="100")
        assert found["next"] is None
        return {one["name"]: {held["certification"] for held in one["certifications"]} for one in found["items"]}

    async def transcript(self, who: str = "C1") -> dict[str, str]:
        """The states of what a candidate's link shows."""
        response = await self.callers.fetch(self._links[who], accept="application/json")
        return {one["certification"]: one["state"] for one in (await response.json())["certifications"]}

    async def claimable(self, who: str = "C1") -> set[str]:
        found = await self.offers.offers("cisco", who, self.base.clock.now(), after=None, limit=100)
        return {one.offer.certification for one, _ in found}

    # Whether it is so

    async def check(self, accounts: Sequence[Sequence[str]], names: dict[str, str]) -> None:
        """Everything that is published is what the ledgers say.

        Args:
            accounts: of each person, the one that goes on first.
            names: of the accounts.
        """
        rows = await self.base.database["credentials"].find({}, _FACTS).to_list(None)
        shown = await self.bits()
        assert shown == {row["_id"]: row["state"] == "revoked" for row in rows}
        directory: dict[str, set[str]] = {}
        badges = [str(one["issuer_earner_id"]).rpartition(".")[0] for one in self.station.provider.standing()]
        assert sorted(badges) == sorted(set(badges)), "one badge a credential"
        valid = {row["_id"]: row for row in rows if row["state"] == "valid"}
        assert set(badges) <= valid.keys()
        today = self.station.programs["cisco"].day_of(self.base.clock.now()).isoformat()
        for mine in accounts:
            held = await self.held(mine[0])
            (ledger,) = await self.base.rows("candidates", _id=mine[0])
            active = {name for name, status in held.items() if status == "active"}
            entries = {one["certification"]: one for one in ledger["certifications"]}
            current: dict[str, list[Any]] = {}
            for row in valid.values():
                if row["candidate_id"] in mine:
                    entry = entries.get(row["certification"])
                    assert entry is not None, f"{row} is valid, and not held"
                    if row["expires_on"] is None or row["expires_on"] >= today:
                        current.setdefault(row["certification"], []).append(row)
            for name in active:
                lasts = [row["expires_on"] for row in current.get(name, ())]
                assert max(lasts, default="none") == entries[name]["expires_on"], (name, lasts)
                assert lasts.count(max(lasts)) <= len(mine), "each account may have brought one"
            assert {name for name, status in held.items() if status in ISSUED} >= current.keys()
            if active:
                directory[names[mine[0]]] = active
            for account in mine:
                if account in self._links:
                    seen = (await self.transcript(account)).get("CCNA")
                    assert seen == _STATES.get(held.get("CCNA", "revoked"), held.get("CCNA", "revoked"))
            for name in active & TEMPLATES.keys():
                last = entries[name]["expires_on"]
                assert {row["_id"] for row in current[name] if row["expires_on"] == last} <= set(badges), name
            kits = await self.claimable(mine[0])
            program = self.station.programs["cisco"]
            assert kits >= {name for name in active if program.certifications[name].entitlements}
            assert kits <= {name for name, status in held.items() if status != "revoked"}
        assert await self.listed() == directory


_FACTS = dict.fromkeys(("candidate_id", "certification", "state", "expires_on"), 1)
_STATES = {"lifetime_emeritus": "emeritus", "pending_agreement": "waiting"}
_HEARD = set(topology.EVENT_BINDINGS["fulfillment"])


def _received(event: dict[str, Any]) -> Any:
    """What certs said, as it reaches another service."""
    model = service_event(event["type"])
    assert model is not None
    item = received(model.model_validate_json(json.dumps(event["data"])))
    return replace(item, event=item.event.model_copy(update={"subjectversion": event["subjectversion"]}))


@asynccontextmanager
async def proofs(base_of: OpenBase, folder: Path) -> AsyncIterator[Proofs]:
    async with (
        badge_provider() as provider,
        base_of("certs") as certs,
        base_of("fulfillment") as fulfillment,
    ):
        station = BadgeStation(certs, provider, folder)
        async with station.api() as callers:
            yield Proofs(station, fulfillment, callers)
