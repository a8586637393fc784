"""Takes in what houses say: of parcels, of orders that they cannot make, of what they have in stock.

- Only the house that an order went to speaks of it. What it says of an order that it was never sent is kept, shown to
  staff, and applied by itself should the order turn up.
- The same word twice is one. The order of words does not matter: an order's state follows from all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias

from prometheus_client import Counter

from libs.common.bus.failures import vendor_of
from libs.common.bus.messages import Cause, Received
from libs.common.clock import as_stored
from libs.common.events import vendors
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy.pseudonyms import is_pseudonym
from libs.common.vendor_files.tables import Answer
from services.fulfillment.domain.orders import Entry, Order
from services.fulfillment.domain.orders import State as OrderState
from services.fulfillment.exchange.holdings import NAMELESS
from services.fulfillment.exchange.orders import Orders
from services.fulfillment.exchange.standing import acknowledged, over, refused
from services.fulfillment.exchange.store import ExchangeStore, house_key, standing_of, write_standing

REPORTS = Counter("certrail_shipment_reports_total", "Words of fulfilment houses about orders", ["house", "status"])

Status = Literal["accepted", "refused", "in_production", "dispatched", "delivered", "returned"]
Report: TypeAlias = (
    Received[vendors.ShipmentReported] | Received[vendors.OrderRefused] | Received[vendors.StockReported]
)
"""What houses say over the bus."""

STATES: dict[str, OrderState] = {
    "accepted": "ordered",
    "in_production": "in_production",
    "dispatched": "shipped",
    "delivered": "delivered",
    "returned": "returned",
}


@dataclass(frozen=True, slots=True)
class Word:
    """What a house says of an order.

    Attributes:
        sending: the sending that is refused; None where only the moment tells.
        cause: the event that said it; None of a file.
    """

    program: str
    house: str
    order_id: str
    status: Status
    at: datetime
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    reason: str | None = None
    sending: int | None = None
    cause: Cause | None = None

    @property
    def key(self) -> str:
        """The same for the same word."""
        said = (self.carrier, self.tracking_number, self.tracking_url, self.reason, self.sending)
        about = (self.program, self.house, self.order_id, self.status, self.at.isoformat())
        return derived_id("report", *about, *(str(one) for one in said))

    def entry(self) -> Entry | None:
        """What an order's history keeps of it; a refusal is between the house and staff."""
        if self.status == "refused":
            return None
        return Entry(
            state=STATES[self.status],
            at=self.at,
            by=f"vendor:{self.house}",
            note=self.reason,
            carrier=self.carrier,
            tracking_number=self.tracking_number,
            tracking_url=self.tracking_url,
        )


class Reports:
    """Applies words of houses."""

    EVERY: ClassVar = timedelta(minutes=10)
    SLICE: ClassVar = 200

    def __init__(self, store: ExchangeStore, orders: Orders, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._orders = orders
        self._unit_of_work = unit_of_work

    async def handle(self, transaction: Transaction, items: Sequence[Any]) -> None:
        """Take in a batch from the bus; refused messages and dry runs are answered elsewhere."""
        said = [item for item in items if isinstance(item, Received)]
        words = [word for item in said if (word := _word(item)) is not None]
        await self.apply(transaction, words)
        stock = [
            Stock(item.event.program, _house(item), item.data.item, item.data.on_hand, item.data.at)
            for item in said
            if isinstance(item.data, vendors.StockReported)
        ]
        await self.count(transaction, stock)

    async def apply(self, transaction: Transaction, words: Sequence[Word]) -> None:
        """Keep words and do what they say to their orders, in the order of their moments."""
        said = {word.key: word for word in words}
        known = await self._store.known_reports(transaction.session, said)
        news = sorted((word for key, word in said.items() if key not in known), key=lambda word: word.at)
        for program, house in sorted({(word.program, word.house) for word in words}):
            await self._store.heard(transaction.session, program, house, transaction.now)
        if news:
            await self._take(transaction, news)

    async def count(self, transaction: Transaction, figures: Sequence["Stock"]) -> None:
        """Keep what houses have; the latest figure of an item counts."""
        latest: dict[str, Stock] = {}
        for figure in figures:
            # Of now at the latest, so that none from a clock that runs ahead stays for long.
            one = replace(figure, at=as_stored(min(figure.at, transaction.now)))
            if one.key not in latest or latest[one.key].at < one.at:
                latest[one.key] = one
        known = await self._store.stock(transaction.session, latest)
        later = [one for key, one in latest.items() if key not in known or known[key]["at"] < one.at]
        rows = [
            {
                "_id": one.key,
                "program": one.program,
                "house": one.house,
                "item": one.item,
                "on_hand": one.on_hand,
                "at": one.at,
            }
            for one in later
        ]
        await self._store.save_stock(transaction.session, rows)
        for program, house in sorted({(one.program, one.house) for one in figures}):
            await self._store.heard(transaction.session, program, house, transaction.now)

    async def settle(self, transaction: Transaction, _kind: str, news: Sequence[tuple[Answer, Document]]) -> None:
        """What the lines of a confirmation say of orders."""
        now = as_stored(transaction.now)
        words = [
            Word(
                program=line["program"],
                house=line["vendor"],
                order_id=line["record"],
                status="accepted" if one.accepted else "refused",
                at=now,
                reason=one.text or None,
                sending=line["ordinal"],
            )
            for one, line in news
            if line["type"] == "Add"
        ]
        await self.apply(transaction, words)

    def job(self) -> Job:
        return Job("unknown-shipments", self.EVERY, self.look_again)

    async def look_again(self) -> None:
        """Apply what was said of orders that were not known then, and are now."""
        after: str | None = None
        while True:
            after = await self._unit_of_work.run(partial(self._look_again, after=after))
            if after is None:
                return

    async def _look_again(self, transaction: Transaction, *, after: str | None) -> str | None:
        rows = await self._store.unknown_reports(transaction.session, after, self.SLICE)
        found = await self._store.dispatches(transaction.session, (row["order_id"] for row in rows))
        words = [_kept(row) for row in rows]
        await self._take(transaction, [word for word in words if _speaks_of(word, found.get(word.order_id))])
        return rows[-1]["_id"] if len(rows) == self.SLICE else None

    async def _take(self, transaction: Transaction, words: Sequence[Word]) -> None:
        session = transaction.session
        dispatches = await self._store.dispatches(session, (word.order_id for word in words))
        orders = await self._orders.several(session, dispatches)
        rows: list[Document] = []
        for word in words:
            row = dispatches.get(word.order_id)
            row = row if _speaks_of(word, row) else None
            order = orders.get(word.order_id) if row is not None else None
            rows.append(_report(word, row, transaction.now))
            if row is None or order is None:
                continue
            row |= {"answered_at": transaction.now, "changed_at": transaction.now}
            entry = word.entry()
            if entry is not None:
                orders[order.id] = order = await self._orders.report(transaction, order, entry, word.cause)
            _settle(row, word, order)
        await self._store.save_reports(session, rows)
        await self._store.save_dispatches(session, dispatches.values())
        for word in words:
            transaction.on_commit(REPORTS.labels(word.house, word.status).inc)


@dataclass(frozen=True, slots=True)
class Stock:
    """How much of an item a house has."""

    program: str
    house: str
    item: str
    on_hand: int
    at: datetime

    @property
    def key(self) -> str:
        return f"{house_key(self.program, self.house)}:{self.item}"


def _settle(row: Document, word: Word, order: Order) -> None:
    """Where an order stands with its house after a word of it."""
    standing = standing_of(row)
    if word.status == "refused":
        # Over the bus nothing names the sending: what was said before the last one is about an earlier one.
        last = row["sendings"] if row["sent_at"] is None or word.at >= row["sent_at"] else 0
        after = refused(standing, word.reason or "", last if word.sending is None else word.sending)
    else:
        after = acknowledged(standing)
    if order.state in {"delivered", "returned"}:
        after = over(after)
    write_standing(row, after)
    row["shipped"] = order.state in {"shipped", "delivered", "returned"}


def _speaks_of(word: Word, row: Document | None) -> bool:
    """Whether an order went to this house, of this program."""
    return row is not None and (row["program"], row["house"]) == (word.program, word.house) and row["sendings"] > 0


def _report(word: Word, row: Document | None, now: datetime) -> Document:
    erased = row is not None and is_pseudonym(row["candidate_id"])
    said: Document = {
        "_id": word.key,
        "program": word.program,
        "house": word.house,
        "order_id": word.order_id,
        "candidate_id": row["candidate_id"] if row is not None else None,
        "known": row is not None,
        "status": word.status,
        "at": word.at,
        "carrier": word.carrier,
        "tracking_number": word.tracking_number,
        "tracking_url": word.tracking_url,
        "reason": word.reason,
        "sending": word.sending,
        "received_at": now,
    }
    return said | NAMELESS if erased else said


def _kept(row: Document) -> Word:
    names = ("carrier", "tracking_number", "tracking_url", "reason", "sending")
    said = {name: row[name] for name in names}
    return Word(row["program"], row["house"], row["order_id"], row["status"], row["at"], **said)


def _word(item: Received[Any]) -> Word | None:
    data = item.data
    if not isinstance(data, vendors.ShipmentReported | vendors.OrderRefused):
        return None
    word = Word(
        program=item.event.program,
        house=_house(item),
        order_id=data.order_id,
        status="refused",
        at=as_stored(data.at),
        reason=data.reason,
        cause=item,
    )
    if isinstance(data, vendors.OrderRefused):
        return word
    return replace(
        word,
        status=data.status,
        carrier=data.carrier,
        tracking_number=data.tracking_number,
        tracking_url=data.tracking_url,
    )


def _house(item: Received[Any]) -> str:
    return vendor_of(item.delivery) or ""
