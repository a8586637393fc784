"""Fulfillment with a house `kits`: its queue or its folders, its words, and staff who look."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import yaml
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey
from pydantic import SecretStr

from libs.common.bus import topology
from libs.common.events import EventData, vendors
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import OPERATOR
from libs.common.http.server import build_app
from libs.common.http.tokens import sign
from libs.common.ids import new_id
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from libs.common.secret_files import Secrets
from libs.common.service import Platform
from libs.common.vendor_files.places import reach_with
from services.fulfillment.app import build
from services.fulfillment.domain.orders import Order, ShipTo
from services.fulfillment.exchange.definition import load_houses
from services.fulfillment.exchange.parts import Exchanges
from services.fulfillment.orders.ordering import Ordering
from services.fulfillment.orders.store import OrderStore
from services.fulfillment.settings import FulfillmentSettings
from tests.service.rig import ERASURE_KEY, Base, kept_answers, said
from tests.service.samples import TAKEN, reported

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
HOUSE = "kits"
LABEL = ShipTo("Zoë Ångström", ("1 Main St", "Austin TX 78701"), "US")
FOREIGN = ShipTo("José Peña", ("Calle Mayor 5", "28013 Madrid"), "ES")


class HouseStation:
    """The service's parts, and a house. Without `orders` it reads its queue."""

    def __init__(
        self,
        base: Base,
        programs: dict[str, Program],
        folder: Path,
        orders: Mapping[str, Any] | None = None,
        beside: Mapping[str, Any] | None = None,
    ) -> None:
        self.base, self.programs = base, programs
        self.inbox, self.outbox = folder / "in", folder / "out"
        for each in (self.inbox, self.outbox, folder / "vendors", folder / "secrets"):
            each.mkdir(exist_ok=True)
        section = {"country": "US"} | dict(orders or {})
        names = {"id": HOUSE, "name": "Kits Ltd", "programs": ["cisco"]}
        definition = names | {"orders": section} | dict(beside or {})
        (folder / "vendors" / "kits.yaml").write_text(yaml.safe_dump(definition))
        settings = FulfillmentSettings.model_construct(
            batch_size=200,
            erasure_key=ERASURE_KEY,
            vendors_dir=folder / "vendors",
            vendor_secrets_dir=folder / "secrets",
            mongo_url=SecretStr(""),
        )
        platform = Platform(base.database, base.unit_of_work, programs, base.clock, base.owner)
        self.parts = build(platform, settings)
        self.ordering = Ordering(OrderStore(base.database))
        secrets = Secrets(settings.vendor_secrets_dir)
        self.exchanges = Exchanges(platform, load_houses(settings.vendors_dir), self.ordering, reach_with(secrets))

    def files(self) -> dict[str, Any]:
        """A section for a house that takes files in the station's folders."""
        where = {"folder": str(self.inbox), "file": "orders-{program}-{number}.txt", "letters": "cp1252"}
        answers = {"folder": str(self.outbox), "file": "orderack-{program}-{number}.txt"}
        return {
            "files": where | {"confirmations": answers},
            "lists": {"folder": str(self.outbox), "file": "all-{program}-{date}.csv"},
            "stock": {"folder": str(self.outbox), "file": "stock-{program}-{date}.csv", "low": {"KIT-WELCOME": 5}},
        }

    async def place(self, order_id: str, *, to: ShipTo = LABEL, candidate_id: str = "C1") -> Order:
        """An order as a claim makes it."""
        order = Order(
            id=order_id,
            program="cisco",
            candidate_id=candidate_id,
            offer_id=f"F-{order_id}",
            benefit="initial_kit",
            certification="CCNA",
            title="Welcome kit: CCNA",
            vendor=HOUSE,
            placed_at=self.base.clock.now(),
            ship_to=to,
        )

        async def work(transaction: Transaction) -> Order:
            return await self.ordering.place(transaction, self.programs["cisco"], order, "candidate")

        return await self.base.unit_of_work.run(work)

    async def readdress(self, order_id: str, to: ShipTo) -> None:
        """Another address while the order waits."""

        async def work(transaction: Transaction) -> None:
            order = await self.ordering.store.get(order_id, transaction.session)
            assert order is not None
            await self.ordering.store.save(transaction.session, replace(order, ship_to=to))

        await self.base.unit_of_work.run(work)

    async def cancel(self, order_id: str) -> None:
        async def work(transaction: Transaction) -> None:
            order = await self.ordering.store.get(order_id, transaction.session)
            assert order is not None
            await self.ordering.cancel(transaction, order, "staff:ada", "Called off")

        await self.base.unit_of_work.run(work)

    async def order(self, order_id: str) -> Order:
        order = await self.ordering.store.get(order_id)
        assert order is not None
        return order

    async def run(self, *jobs: str) -> None:
        for name in jobs:
            await next(each.run for each in self.parts.jobs if each.name == name)()

    async def exchange(self) -> None:
        """Let the house's own loop do whatever it is time for."""
        (one,) = self.exchanges.exchanges
        await one.run()

    def requested(self) -> list[dict[str, Any]]:
        """What was sent to the house's queue, in order."""
        sent = [message for message in self.base.relay.messages if message.exchange == topology.ORDERS]  # type: ignore[union-attr]
        assert {message.routing_key for message in sent} <= {HOUSE}
        assert len({message.id for message in sent}) == len(sent)
        return [orjson.loads(message.body) for message in sent]

    async def hear(self, *data: EventData, house: str = HOUSE, program: str = "cisco") -> None:
        """What a house says over the bus, as one batch."""
        items = [reported(each, vendor=house, program=program) for each in data]
        queue = topology.vendors_queue("fulfillment")
        work = next(each.work for each in self.parts.subscriptions if each.queue == queue)
        await self.base.handle(work, *items)

    def told(self, subject: str = "C1") -> list[str]:
        """The kinds of events about a candidate's orders, in the order told."""
        return [event["type"].split(".")[2] for event in said_events(self.base) if event["subject"] == subject]

    @asynccontextmanager
    async def staff(self, program: str = "cisco") -> AsyncIterator["Staff"]:
        verifier = TokenVerifier(StaticKeys(KEY), "certrail", self.base.clock)
        app = build_app(self.parts.api, verifier, idempotency=kept_answers(self.base.database, self.base.clock))
        async with TestClient(TestServer(app)) as client:
            yield Staff(client, self.base, program)


class Staff:
    """Asks the API as staff of a program. Answers are a status and what the body holds."""

    def __init__(self, client: Any, base: Base, program: str) -> None:
        self._client, self._base, self._program = client, base, program

    async def __call__(
        self, method: str, path: str, content: bytes | None = None, *, media_type: str = "text/csv"
    ) -> tuple[int, Any]:
        principal = Principal("staff:ada", Kind.STAFF, frozenset({self._program}), OPERATOR)
        now = self._base.clock.now()
        token = sign(principal, KEY, issuer="certrail", token_id="t", now=now, lifetime=timedelta(minutes=5))
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_id()}
        if content is not None:
            headers["Content-Type"] = media_type
        response = await self._client.request(
            method, f"/api/fulfillment/v1/programs/cisco{path}", headers=headers, data=content
        )
        if response.content_type.endswith("json"):
            return response.status, await response.json()
        return response.status, await response.read()

    async def items(self, path: str) -> list[dict[str, Any]]:
        status, body = await self("GET", path)
        assert status == 200, body
        found: list[dict[str, Any]] = body["items"]
        return found


def shipment(order_id: str, status: str, *, hours: int = 0, **more: Any) -> vendors.ShipmentReported:
    fields = {"order_id": order_id, "status": status, "at": TAKEN + timedelta(hours=hours)}
    return vendors.ShipmentReported(**fields | more)


def said_events(base: Base) -> list[dict[str, Any]]:
    """Events of the published exchange; orders to houses are none."""
    assert not hasattr(base.relay, "run")
    kept = base.relay.messages  # type: ignore[union-attr]
    orders = [message for message in kept if message.exchange == topology.ORDERS]
    events = [event for event in said(base) if event["type"].startswith("certrail.fulfillment.")]
    assert len(orders) + len(events) >= len(kept)
    return events
