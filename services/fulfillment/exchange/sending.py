"""Hands orders over to their houses: to the house's queue, or as lines of a file. Each step is one transaction.

An order is `ordered` from the moment in which it is written for its house, so its address is fixed from then on. The
house knows it by its number: the same number again, after a crash or without an answer, is the same order.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import ClassVar

from prometheus_client import Counter

from libs.common.bus.messages import Outgoing
from libs.common.events.orders import OrderWithdrawn
from libs.common.mongo.client import Document
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.vendor_files.exchange import Section
from libs.common.vendor_files.making import Entry as Line
from libs.common.vendor_files.making import Making
from services.fulfillment.domain.orders import Order
from services.fulfillment.exchange.definition import House, Houses
from services.fulfillment.exchange.orders import Orders, label_of
from services.fulfillment.exchange.printing import (
    Parcel,
    line_of,
    message,
    request_of,
    why_unsendable,
    withdrawal_line,
)
from services.fulfillment.exchange.standing import Standing, State, again, sent, stopped, withdrawn
from services.fulfillment.exchange.store import ExchangeStore, standing_of, write_standing

KIND = "orders"
"""Of files."""
SENT = Counter("certrail_orders_sent_total", "Orders sent to fulfilment houses, and taken back", ["house", "what"])


class Sending:
    """Finds orders that are to be sent, and sends them."""

    EVERY: ClassVar = timedelta(seconds=5)
    SLICE: ClassVar = 100
    ENLISTED: ClassVar = 1000

    def __init__(self, store: ExchangeStore, orders: Orders, houses: Houses, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._orders = orders
        self._houses = houses
        self._unit_of_work = unit_of_work
        self._making = Making(store, unit_of_work)

    def job(self) -> Job:
        return Job("orders", self.EVERY, self.run)

    async def run(self) -> None:
        """Note what is to be sent, and send what goes by queue; files are made by each house's own loop."""
        waiting = await self._orders.to_hand_over(self.ENLISTED)
        if waiting:
            await self._unit_of_work.run(partial(self._enlist, waiting=waiting))
        for program, name in await self._store.waiting_houses():
            house = self._houses[name]
            if house.files is not None and program in house.programs:
                continue
            work = partial(self._send_slice if house.files is None else self._stop_slice, program=program, house=house)
            while await self._unit_of_work.run(work) == self.SLICE:
                pass

    async def _enlist(self, transaction: Transaction, *, waiting: Sequence[Order]) -> None:
        """Note orders that wait; one that could not be written is tried again once it has another address."""
        known = await self._store.dispatches(transaction.session, (order.id for order in waiting))
        changed: list[Document] = []
        for order in waiting:
            row = known.get(order.id)
            if row is None:
                item = self._orders.item_of(order)
                await self._store.add_dispatch(transaction.session, _new(order, item, transaction))
            elif row["state"] == State.REFUSED and row["sendings"] == 0 and row["label"] != label_of(order):
                _write(row, again(standing_of(row)), transaction)
                changed.append(row | {"label": label_of(order)})
        await self._store.save_dispatches(transaction.session, changed)

    def recall_job(self) -> Job:
        return Job("orders-recalled", timedelta(minutes=1), self.recall)

    async def recall(self) -> None:
        """Have houses told of orders that were called off after they were sent."""
        after: str | None = None
        while rows := await self._store.with_houses(after=after, limit=self.ENLISTED):
            after = rows[-1]["_id"]
            found = await self._orders.several(None, (row["_id"] for row in rows))
            gone = [key for key, order in found.items() if order.state == "cancelled"]
            if gone:
                await self._unit_of_work.run(partial(self._recall, orders=gone))

    async def _recall(self, transaction: Transaction, *, orders: Sequence[str]) -> None:
        rows = await self._store.dispatches(transaction.session, orders)
        for row in rows.values():
            _write(row, withdrawn(standing_of(row)), transaction)
            row["due_at"] = transaction.now
        await self._store.save_dispatches(transaction.session, rows.values())

    async def _send_slice(self, transaction: Transaction, *, program: str, house: House) -> int:
        rows = await self._store.due(transaction.session, program, house.id, transaction.now, self.SLICE)
        for row, parcel in await self._parcels(transaction, rows):
            for each in _messages(row, parcel, house, transaction):
                transaction.send(each)
            await self._note(transaction, row, house)
        await self._store.save_dispatches(transaction.session, rows)
        return len(rows)

    async def _stop_slice(self, transaction: Transaction, *, program: str, house: House) -> int:
        """Show orders that no loop would ever make files of, rather than let them wait."""
        rows = await self._store.due(transaction.session, program, house.id, transaction.now, self.SLICE)
        for row in rows:
            _write(row, stopped(standing_of(row), "the house's definition does not name the program"), transaction)
        await self._store.save_dispatches(transaction.session, rows)
        return len(rows)

    async def make_due(self, program: str, *, house: House, section: Section) -> None:
        """Make the files of a house for which it is time."""
        if house.files is None:
            raise ValueError(f"{house.id} takes no files")
        gather = partial(self._gather, program=program, house=house)
        await self._making.make_due(program, house, section, house.files.columns, gather)

    async def _gather(self, transaction: Transaction, file_id: str, *, program: str, house: House) -> Sequence[Line]:
        shape = house.files
        if shape is None:
            raise ValueError(f"{house.id} takes no files")
        rows = await self._store.due(transaction.session, program, house.id, transaction.now, shape.lines)
        lines: list[Line] = []
        for row, parcel in await self._parcels(transaction, rows):
            if row["todo"] == "withdraw":
                kind, values = "Cancel", withdrawal_line(row["_id"])
            elif parcel is None:
                continue
            else:
                kind, values = "Add", line_of(parcel, house, row["sendings"] + 1)
                fault = why_unsendable(values, shape)
                if fault is not None:
                    _write(row, stopped(standing_of(row), fault), transaction)
                    continue
            await self._note(transaction, row, house)
            row["file_id"] = file_id
            lines.append(Line(row["_id"], row["candidate_id"], kind, row["sendings"], values))
        await self._store.save_dispatches(transaction.session, rows)
        return lines

    async def _parcels(
        self, transaction: Transaction, rows: Sequence[Document]
    ) -> list[tuple[Document, Parcel | None]]:
        """What is in each; those of which nothing is to be sent any more are ended here and left out."""
        parcels = await self._orders.parcels(transaction.session, [row["_id"] for row in rows])
        found: list[tuple[Document, Parcel | None]] = []
        for row in rows:
            parcel = parcels.get(row["_id"])
            if parcel is None and row["todo"] == "request":
                _write(row, withdrawn(standing_of(row)), transaction)
            if row["todo"] is not None:
                found.append((row, parcel))
        return found

    async def _note(self, transaction: Transaction, row: Document, house: House) -> None:
        what = "withdrawn" if row["todo"] == "withdraw" else "sent" if row["sendings"] == 0 else "sent_again"
        _write(row, sent(standing_of(row)), transaction)
        row |= {"sent_at": transaction.now, "first_sent_at": row["first_sent_at"] or transaction.now}
        if what == "sent":
            await self._orders.ordered(transaction, row["_id"])
        transaction.on_commit(lambda: SENT.labels(house.id, what).inc())


def _messages(row: Document, parcel: Parcel | None, house: House, transaction: Transaction) -> Iterator[Outgoing]:
    sending = row["sendings"] + 1
    about = {"program": row["program"], "house": house.id, "sending": sending, "now": transaction.now}
    if row["todo"] == "withdraw":
        yield message(OrderWithdrawn(order_id=row["_id"]), **about)
    elif parcel is not None:
        yield message(request_of(parcel, house, sending), **about)


def _new(order: Order, item: str | None, transaction: Transaction) -> Document:
    row: Document = {
        "_id": order.id,
        "program": order.program,
        "house": order.vendor,
        "candidate_id": order.candidate_id,
        "label": label_of(order),
        "item": item,
        "shipped": False,
        "due_at": transaction.now,
        "sent_at": None,
        "first_sent_at": None,
        "answered_at": None,
        "file_id": None,
        "changed_at": transaction.now,
    }
    write_standing(row, Standing())
    return row


def _write(row: Document, now: Standing, transaction: Transaction) -> None:
    write_standing(row, now)
    row["changed_at"] = transaction.now
