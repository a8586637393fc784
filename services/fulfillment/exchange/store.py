"""What is kept of the exchange with fulfilment houses. Methods with a session are part of its transaction.

- `dispatches`: for each order that goes to a house, what is to be said, what was said, what came back.
- `shipment_reports`: every word of a house about an order, those about orders that we do not know too.
- `houses`: for a program and a house, when it was last heard and since when it has been silent.
- `house_stock`: what a house has of an item, by its latest word.
- `order_lists`, `order_findings`: lists of a house that were compared, and what the two sides do not say alike.
- the files themselves, as `FileStore` has them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, ReplaceOne

from libs.common.mongo.client import Database, Document, Session
from libs.common.privacy.retention import Period
from libs.common.vendor_files import store as file_store
from libs.common.vendor_files.store import FileStore
from services.fulfillment.exchange.standing import Standing, State

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    "dispatches": [
        IndexModel([("candidate_id", ASCENDING)], name="candidate"),
        IndexModel([("program", ASCENDING), ("_id", ASCENDING)], name="program"),
        IndexModel(
            [("program", ASCENDING), ("house", ASCENDING), ("state", ASCENDING), ("_id", ASCENDING)], name="state"
        ),
        IndexModel(
            [("program", ASCENDING), ("house", ASCENDING), ("due_at", ASCENDING)],
            name="todo",
            partialFilterExpression={"todo": {"$type": "string"}},
        ),
        IndexModel([("state", ASCENDING), ("sent_at", ASCENDING)], name="sent"),
    ],
    "shipment_reports": [
        IndexModel([("order_id", ASCENDING), ("received_at", ASCENDING)], name="order"),
        IndexModel([("program", ASCENDING), ("received_at", DESCENDING), ("_id", DESCENDING)], name="latest"),
        IndexModel([("candidate_id", ASCENDING)], name="candidate"),
        IndexModel(
            [("program", ASCENDING), ("received_at", ASCENDING)],
            name="unknown",
            partialFilterExpression={"known": False},
        ),
    ],
    "houses": [],
    "house_stock": [IndexModel([("program", ASCENDING), ("_id", ASCENDING)], name="program")],
    "order_lists": [IndexModel([("program", ASCENDING), ("made_at", DESCENDING), ("_id", DESCENDING)], name="latest")],
    "order_findings": [
        IndexModel([("list_id", ASCENDING), ("key", ASCENDING)], name="list", unique=True),
        IndexModel([("candidate_id", ASCENDING)], name="candidate"),
    ],
    **file_store.COLLECTIONS,
}

PERIODS = (
    Period("shipment_reports", "received_at", timedelta(days=730), {"known": True}),
    Period("confirmations", "read_at", timedelta(days=90)),
    Period("order_findings", "found_at", timedelta(days=730)),
)
"""What a house said of an order is in the order's history too; what it said of no order of ours stays."""


def house_key(program: str, house: str) -> str:
    return f"{program}:{house}"


def standing_of(row: Document) -> Standing:
    """Where an order stands between us and its house."""
    return Standing(State(row["state"]), row["todo"], row["sendings"], row["reason"])


def write_standing(row: Document, now: Standing) -> None:
    row |= {"state": now.state.value, "todo": now.todo, "sendings": now.sendings, "reason": now.reason}


class ExchangeStore(FileStore):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._dispatches = database["dispatches"]
        self._reports = database["shipment_reports"]
        self._houses = database["houses"]
        self._stock = database["house_stock"]
        self._order_lists = database["order_lists"]
        self._findings = database["order_findings"]

    # Dispatches

    async def add_dispatch(self, session: Session, row: Document) -> None:
        """Note that an order goes to a house; noted twice it is one."""
        await self._dispatches.update_one({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True, session=session)

    async def dispatches(self, session: Session | None, orders: Iterable[str]) -> dict[str, Document]:
        wanted = list(set(orders))
        found = self._dispatches.find({"_id": {"$in": wanted}}, session=session)
        return {row["_id"]: row async for row in found} if wanted else {}

    async def save_dispatches(self, session: Session, rows: Iterable[Document]) -> None:
        writes = [ReplaceOne({"_id": row["_id"]}, row) for row in rows]
        if writes:
            await self._dispatches.bulk_write(writes, ordered=False, session=session)

    async def waiting_houses(self) -> list[tuple[str, str]]:
        """Programs and houses for which something is to be said."""
        grouped = self._dispatches.aggregate(
            [
                {"$match": {"todo": {"$type": "string"}}},
                {"$group": {"_id": {"program": "$program", "house": "$house"}}},
            ]
        )
        return sorted([(row["_id"]["program"], row["_id"]["house"]) async for row in grouped])

    async def due(self, session: Session, program: str, house: str, now: datetime, limit: int) -> list[Document]:
        query = {"program": program, "house": house, "todo": {"$type": "string"}, "due_at": {"$lte": now}}
        return await self._dispatches.find(query, session=session).sort("due_at", ASCENDING).limit(limit).to_list(None)

    async def unanswered(
        self, session: Session, program: str, house: str, before: datetime, *, limit: int, most: int
    ) -> list[Document]:
        """Orders sent before that moment and not answered, that were not sent too often yet."""
        query = {
            "program": program,
            "house": house,
            "state": State.SENT,
            "todo": None,
            "sent_at": {"$lt": before},
            "sendings": {"$lt": most},
        }
        return await self._dispatches.find(query, session=session).limit(limit).to_list(None)

    async def houses_of_orders(self) -> list[tuple[str, str]]:
        """Programs and houses that have orders which have not ended."""
        grouped = self._dispatches.aggregate(
            [
                {"$match": {"state": {"$in": _OPEN}}},
                {"$group": {"_id": {"program": "$program", "house": "$house"}}},
            ]
        )
        return sorted([(row["_id"]["program"], row["_id"]["house"]) async for row in grouped])

    async def oldest_sent(self, program: str, house: str) -> datetime | None:
        """When the oldest order that has not ended was first sent."""
        query = {"program": program, "house": house, "state": {"$in": _OPEN}, "first_sent_at": {"$ne": None}}
        row = await self._dispatches.find_one(query, sort=[("first_sent_at", ASCENDING)])
        return row["first_sent_at"] if row else None

    async def open_of(self, program: str, house: str) -> dict[str, Document]:
        """Orders that a house should have."""
        query = {"program": program, "house": house, "state": {"$in": _OPEN}}
        return {row["_id"]: row async for row in self._dispatches.find(query)}

    async def with_houses(self, *, after: str | None, limit: int) -> list[Document]:
        """Orders that houses have, or are to have, and that are not being withdrawn."""
        query = {"state": {"$in": [State.WAITING, *_OPEN]}, "todo": {"$ne": "withdraw"}}
        return await _page(self._dispatches, query, after, limit)

    async def counts(self, program: str) -> dict[str, dict[str, int]]:
        """How many orders stand where, by house."""
        found: dict[str, dict[str, int]] = {}
        async for row in self._dispatches.aggregate(
            [
                {"$match": {"program": program, "state": {"$ne": State.ENDED}}},
                {"$group": {"_id": {"house": "$house", "state": "$state"}, "count": {"$sum": 1}}},
            ]
        ):
            found.setdefault(row["_id"]["house"], {})[row["_id"]["state"]] = row["count"]
        return found

    async def needed(self, program: str) -> dict[tuple[str, str], int]:
        """How many orders of an item a house has not sent yet, by house and item."""
        grouped = self._dispatches.aggregate(
            [
                {"$match": {"program": program, "state": {"$in": [State.WAITING, *_OPEN]}, "item": {"$ne": None}}},
                {"$match": {"shipped": False}},
                {"$group": {"_id": {"house": "$house", "item": "$item"}, "count": {"$sum": 1}}},
            ]
        )
        return {(row["_id"]["house"], row["_id"]["item"]): row["count"] async for row in grouped}

    async def dispatch_page(self, query: Document, *, after: str | None, limit: int) -> list[Document]:
        return await _page(self._dispatches, query, after, limit)

    # Reports

    async def known_reports(self, session: Session, keys: Iterable[str]) -> set[str]:
        found = self._reports.find({"_id": {"$in": list(keys)}}, {"_id": 1}, session=session)
        return {row["_id"] async for row in found}

    async def save_reports(self, session: Session, rows: Iterable[Document]) -> None:
        writes = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows]
        if writes:
            await self._reports.bulk_write(writes, ordered=False, session=session)

    async def unknown_reports(self, session: Session, after: str | None, limit: int) -> list[Document]:
        query: Document = {"known": False} | ({"_id": {"$gt": after}} if after else {})
        return await self._reports.find(query, session=session).sort("_id", ASCENDING).limit(limit).to_list(None)

    async def report_page(self, query: Document, *, before: tuple[datetime, str] | None, limit: int) -> list[Document]:
        """The latest first."""
        return await _latest(self._reports, "received_at", query, before, limit)

    # Houses

    async def heard(self, session: Session, program: str, house: str, now: datetime) -> None:
        """Note that a house has said something."""
        change = {
            "$max": {"last_heard_at": now},
            "$set": {"silent_since": None},
            "$setOnInsert": {"program": program, "house": house},
        }
        await self._houses.update_one({"_id": house_key(program, house)}, change, upsert=True, session=session)

    async def house(self, program: str, house: str) -> Document | None:
        return await self._houses.find_one({"_id": house_key(program, house)})

    async def houses(self, program: str) -> list[Document]:
        return await self._houses.find({"program": program}).sort("_id").to_list(None)

    async def silent(self, program: str, house: str, since: datetime | None) -> bool:
        """Note since when a house has been silent, or that it is not. Returns whether that is news."""
        key = house_key(program, house)
        change = {"$set": {"silent_since": since}, "$setOnInsert": {"program": program, "house": house}}
        before = await self._houses.find_one_and_update({"_id": key}, change, upsert=True)
        known = (before or {}).get("silent_since")
        return (known is None) != (since is None)

    # Stock

    async def stock(self, session: Session | None, keys: Collection[str]) -> dict[str, Document]:
        found = self._stock.find({"_id": {"$in": list(keys)}}, session=session)
        return {row["_id"]: row async for row in found}

    async def save_stock(self, session: Session, rows: Iterable[Document]) -> None:
        writes = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows]
        if writes:
            await self._stock.bulk_write(writes, ordered=False, session=session)

    async def stock_of(self, program: str) -> list[Document]:
        return await self._stock.find({"program": program}).sort("_id").to_list(None)

    # Lists

    async def order_list(self, key: str) -> Document | None:
        return await self._order_lists.find_one({"_id": key})

    async def save_order_list(self, row: Document) -> None:
        await self._order_lists.replace_one({"_id": row["_id"]}, row, upsert=True)

    async def order_list_page(
        self, query: Document, *, before: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        """The latest first."""
        return await _latest(self._order_lists, "made_at", query, before, limit)

    async def save_findings(self, rows: Sequence[Document]) -> None:
        """Keep findings; the same again are the same."""
        if rows:
            await self._findings.bulk_write([ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows])

    async def finding(self, session: Session | None, list_id: str, key: str) -> Document | None:
        return await self._findings.find_one({"_id": key, "list_id": list_id}, session=session)

    async def save_finding(self, session: Session, row: Document) -> None:
        await self._findings.replace_one({"_id": row["_id"]}, row, session=session)

    async def finding_page(self, query: Document, *, after: str | None, limit: int) -> list[Document]:
        """In the order of orders; lines that could not be read come last."""
        found = {**query, "key": {"$gt": after}} if after is not None else query
        return await self._findings.find(found).sort("key", ASCENDING).limit(limit).to_list(None)


_OPEN = [State.SENT.value, State.ACKNOWLEDGED.value, State.REFUSED.value]


async def _page(collection: Any, query: Document, after: str | None, limit: int) -> list[Document]:
    found = {**query, "_id": {"$gt": after}} if after is not None else query
    rows: list[Document] = await collection.find(found).sort("_id", ASCENDING).limit(limit).to_list(None)
    return rows


async def _latest(
    collection: Any, field: str, query: Document, before: tuple[datetime, str] | None, limit: int
) -> list[Document]:
    found: dict[str, Any] = dict(query)
    if before is not None:
        at, key = before
        found["$or"] = [{field: {"$lt": at}}, {field: at, "_id": {"$lt": key}}]
    rows: list[Document] = (
        await collection.find(found).sort([(field, DESCENDING), ("_id", DESCENDING)]).limit(limit).to_list(None)
    )
    return rows
