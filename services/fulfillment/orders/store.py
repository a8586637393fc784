"""All queries about orders. An order is one document; its address goes with its person, the rest stays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.people import COLLECTION as PEOPLE
from services.fulfillment.domain.orders import OPEN, Entry, Order, ShipTo, State

COLLECTION = "orders"
INDEXES = [
    IndexModel([("candidate_id", ASCENDING), ("_id", ASCENDING)], name="candidate"),
    IndexModel([("program", ASCENDING), ("state", ASCENDING), ("placed_at", ASCENDING)], name="state"),
    IndexModel([("vendor", ASCENDING), ("state", ASCENDING), ("placed_at", ASCENDING)], name="vendor"),
    IndexModel([("state", ASCENDING), ("promised_by", ASCENDING)], name="promise"),
]
MIGRATION = Migration(5, "orders", declare({COLLECTION: INDEXES, PEOPLE: []}))


class OrderStore:
    """Orders. What is to be changed is read in the session of its transaction, so that no two change it at once."""

    def __init__(self, database: Database) -> None:
        self._orders = database[COLLECTION]
        self._offers = database["offers"]

    async def get(self, order_id: str, session: Session | None = None) -> Order | None:
        """An order, of whatever program and candidate."""
        row = await self._orders.find_one({"_id": order_id}, session=session)
        return None if row is None else _order(row)

    async def several(self, order_ids: Iterable[str], session: Session | None = None) -> dict[str, Order]:
        """Those of the orders that there are, by their ids."""
        wanted = sorted(set(order_ids))
        if not wanted:
            return {}
        found = self._orders.find({"_id": {"$in": wanted}}, session=session)
        return {row["_id"]: _order(row) async for row in found}

    async def of_accounts(
        self,
        program: str,
        accounts: Sequence[str],
        *,
        before: str | None = None,
        limit: int = 200,
        session: Session | None = None,
    ) -> list[Order]:
        """The orders of these accounts, the newest first: ids are in order of time."""
        query: Document = {"program": program, "candidate_id": {"$in": list(accounts)}}
        if before is not None:
            query["_id"] = {"$lt": before}
        found = self._orders.find(query, session=session).sort("_id", DESCENDING).limit(limit)
        return [_order(row) async for row in found]

    async def in_state(
        self,
        program: str,
        *,
        state: State | None = None,
        vendor: str | None = None,
        late_on: date | None = None,
        after: str | None = None,
        limit: int,
    ) -> list[Order]:
        """A program's orders, the oldest first; with `late_on` those whose promise is over on that day."""
        query: Document = {"program": program}
        if state is not None:
            query["state"] = state
        if vendor is not None:
            query["vendor"] = vendor
        if late_on is not None:
            query |= {"promised_by": {"$lt": _midnight(late_on)}}
            query.setdefault("state", {"$in": sorted(OPEN)})
        if after is not None:
            query["_id"] = {"$gt": after}
        return [_order(row) async for row in self._orders.find(query).sort("_id", ASCENDING).limit(limit)]

    async def to_hand_over(self, vendor: str | None = None, *, limit: int) -> list[Order]:
        """Orders that wait for their fulfilment house to take them, the oldest first; unpaid ones do not."""
        query: Document = {"state": "pending", "awaits_payment": False} | ({"vendor": vendor} if vendor else {})
        return [_order(row) async for row in self._orders.find(query).sort("placed_at", ASCENDING).limit(limit)]

    async def late(self, program: str, today: date, *, limit: int) -> list[Order]:
        """Open orders whose promise is over and of which that was not told yet."""
        query = {
            "program": program,
            "state": {"$in": sorted(OPEN)},
            "promised_by": {"$lt": _midnight(today)},
            "late_at": None,
        }
        return [_order(row) async for row in self._orders.find(query).sort("promised_by", ASCENDING).limit(limit)]

    async def unpaid(self, before: datetime, *, limit: int) -> list[Order]:
        """Orders that have waited to be paid since before a moment."""
        query = {"state": "pending", "promised_by": None, "awaits_payment": True, "placed_at": {"$lt": before}}
        return [_order(row) async for row in self._orders.find(query).limit(limit)]

    async def place(self, session: Session, order: Order) -> None:
        """A new order."""
        await self._orders.insert_one(_row(order), session=session)

    async def save(self, session: Session, order: Order) -> None:
        """An order that was read within the same transaction and has changed."""
        await self._orders.replace_one({"_id": order.id}, _row(order), session=session)

    async def claim_again(self, session: Session, order: Order) -> None:
        """What was called off and sent all the same is claimed, so that it is not ordered twice."""
        free = {"_id": order.offer_id, "order_id": None}
        taken = {"order_id": order.id, "state": "claimed", "token": None}
        await self._offers.update_one(free, {"$set": taken}, session=session)

    async def counts(self, programs: Sequence[str]) -> dict[str, int]:
        """How many orders of these programs are in which state."""
        stages: list[Mapping[str, Any]] = [
            {"$match": {"program": {"$in": list(programs)}}},
            {"$group": {"_id": "$state", "count": {"$sum": 1}}},
        ]
        return {row["_id"]: row["count"] async for row in self._orders.aggregate(stages)}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _row(order: Order) -> Document:
    row = asdict(order)
    row["_id"] = row.pop("id")
    row["promised_by"] = _midnight(order.promised_by) if order.promised_by else None
    return row


def _order(row: Document) -> Order:
    fields = {name: value for name, value in row.items() if name != "_id"}
    to = fields.pop("ship_to")
    promised: datetime | None = fields.pop("promised_by")
    history = tuple(Entry(**entry) for entry in fields.pop("history"))
    return Order(
        **fields,
        id=row["_id"],
        history=history,
        promised_by=promised.date() if promised else None,
        ship_to=None if to is None else ShipTo(**to | {"lines": tuple(to["lines"])}),
    )
