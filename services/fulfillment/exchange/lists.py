"""Lists that a house puts into its folder, or that staff give in: orders to be compared, and figures of stock.

Each file is taken once. A comparison is repeated as a whole after a crash: what it finds has the same keys again.
"""

from collections.abc import AsyncIterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial

import structlog
from prometheus_client import Counter

from libs.common.clock import Clock
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.vendor_files.names import NamePattern, is_finished_name
from libs.common.vendor_files.places import Found, Place
from services.fulfillment.exchange.comparing import (
    Finding,
    Kind,
    NoList,
    Ours,
    Theirs,
    Unreadable,
    compare,
    read_orders,
    read_stock,
)
from services.fulfillment.exchange.definition import House, ListShape, StockShape
from services.fulfillment.exchange.orders import Orders
from services.fulfillment.exchange.reports import Reports, Stock
from services.fulfillment.exchange.standing import State
from services.fulfillment.exchange.store import ExchangeStore

FOUND = Counter("certrail_order_findings_total", "What houses and we do not say alike of orders", ["house", "kind"])

log = structlog.get_logger(__name__)

MOST_BYTES = 8 * 1024 * 1024
"""Of one list: fifty thousand orders and more."""
SETTLED = timedelta(seconds=10)
"""A file that has not changed for so long is whole."""
_SLICE = 500
_LAST = "~"
"""Sorts after every order number."""


class Lists:
    """Takes lists in."""

    def __init__(
        self, store: ExchangeStore, orders: Orders, reports: Reports, unit_of_work: UnitOfWork, clock: Clock
    ) -> None:
        self._store = store
        self._orders = orders
        self._reports = reports
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def read(self, place: Place, program: str, *, house: House) -> None:
        """Take each file of a program in the house's folders that was not taken before. Raises `Unavailable`."""
        if house.lists is not None:
            await self._folder(place, program, house, house.lists)
        if house.stock is not None:
            await self._folder(place, program, house, house.stock)

    async def _folder(self, place: Place, program: str, house: House, shape: ListShape) -> None:
        pattern = NamePattern(shape.file)
        for one in await place.files(shape.folder):
            named = pattern.read(one.name)
            if named is None or named["program"] != program or not self._is_whole(one):
                continue
            kind = "stock" if isinstance(shape, StockShape) else "orders"
            key = derived_id(house.id, kind, one.name, str(one.size), one.modified_at.isoformat())
            if await self._store.order_list(key) is None:
                content = await _content(place.read(shape.folder, one.name))
                await self._take(_list(key, program, house.id, kind, one.name, f"vendor:{house.id}"), content, one)

    def _is_whole(self, one: Found) -> bool:
        return is_finished_name(one.name) and self._clock.now() - one.modified_at >= SETTLED

    async def _take(self, row: Document, content: bytes, one: Found) -> None:
        key, program, house = row["_id"], row["program"], row["house"]
        about = {"name": row["name"], "by": row["by"]}
        try:
            if row["kind"] == "orders":
                await self.compare(key, program, house, content, **about)
            else:
                await self.count(key, program, house, content, at=one.modified_at, **about)
        except NoList as error:
            row["made_at"] = self._clock.now()
            await self._store.save_order_list(row | {"state": "refused", "reason": str(error)})
            log.warning("list_refused", vendor=house, file=one.name, cause=str(error))

    async def compare(self, key: str, program: str, house: str, content: bytes, *, name: str, by: str) -> Document:
        """Compare a list of orders with ours. The same key again gives what it gave. Raises `NoList`."""
        known = await self._store.order_list(key)
        if known is not None:
            return known
        theirs: dict[str, Theirs] = {}
        unreadable: list[Unreadable] = []
        for number, line in enumerate(read_orders(content), start=2):
            if isinstance(line, Unreadable):
                unreadable.append(line)
            elif line.order_id in theirs:
                unreadable.append(Unreadable(number, f"order {line.order_id} stood in the list before"))
            else:
                theirs[line.order_id] = line
        ours = await self._ours(program, house, theirs)
        now = self._clock.now()
        row = _list(key, program, house, "orders", name, by) | {"made_at": now}
        findings = [_finding(row, one) for one in compare(theirs, ours)]
        findings += [_unread(row, one) for one in unreadable]
        for start in range(0, len(findings), _SLICE):
            await self._store.save_findings(findings[start : start + _SLICE])
        counts = {kind.value: sum(one["kind"] == kind for one in findings) for kind in Kind}
        row |= {"lines": len(theirs) + len(unreadable), "counts": counts}
        await self._store.save_order_list(row)
        await self._unit_of_work.run(partial(self._heard, program=program, house=house))
        for kind, count in counts.items():
            FOUND.labels(house, kind).inc(count)
        return row

    async def count(
        self, key: str, program: str, house: str, content: bytes, *, at: datetime, name: str, by: str
    ) -> Document:
        """Take figures of stock; those without a moment are of `at`. Raises `NoList`."""
        known = await self._store.order_list(key)
        if known is not None:
            return known
        lines = list(read_stock(content))
        figures = [
            Stock(program, house, line.item, line.on_hand, line.at or at)
            for line in lines
            if not isinstance(line, Unreadable)
        ]
        await self._unit_of_work.run(partial(self._reports.count, figures=figures))
        row = _list(key, program, house, "stock", name, by) | {"made_at": self._clock.now()}
        findings = [_unread(row, line) for line in lines if isinstance(line, Unreadable)]
        await self._store.save_findings(findings)
        row |= {"lines": len(lines), "counts": {Kind.UNREADABLE.value: len(findings)}}
        await self._store.save_order_list(row)
        return row

    async def _heard(self, transaction: Transaction, *, program: str, house: str) -> None:
        await self._store.heard(transaction.session, program, house, transaction.now)

    async def _ours(self, program: str, house: str, theirs: Mapping[str, Theirs]) -> dict[str, Ours]:
        rows = await self._store.open_of(program, house)
        missing = [key for key in theirs if key not in rows]
        for start in range(0, len(missing), _SLICE):
            rows |= await self._store.dispatches(None, missing[start : start + _SLICE])
        mine = [row for row in rows.values() if (row["program"], row["house"]) == (program, house)]
        found: dict[str, Ours] = {}
        for start in range(0, len(mine), _SLICE):
            some = mine[start : start + _SLICE]
            orders = await self._orders.several(None, (row["_id"] for row in some))
            for row in some:
                order = orders.get(row["_id"])
                if order is not None and row["sendings"] > 0:
                    expected = row["state"] in {State.SENT, State.ACKNOWLEDGED} and row["todo"] is None
                    found[order.id] = Ours(order.id, order.candidate_id, order.state, order.tracking_number, expected)
        return found


async def _content(blocks: AsyncIterable[bytes]) -> bytes:
    content = bytearray()
    async for block in blocks:
        content += block
        if len(content) > MOST_BYTES:
            return b"\xff"  # no list, and told as such
    return bytes(content)


def _list(key: str, program: str, house: str, kind: str, name: str, by: str) -> Document:  # noqa: PLR0917 a row
    return {
        "_id": key,
        "program": program,
        "house": house,
        "kind": kind,
        "name": name,
        "by": by,
        "made_at": None,
        "state": "done",
        "reason": None,
        "lines": 0,
        "counts": {},
    }


def _finding(row: Document, one: Finding) -> Document:
    return {
        **_about(row, one.kind, one.order_id),
        "order_id": one.order_id,
        "candidate_id": one.ours.candidate_id if one.ours else None,
        "theirs": one.theirs.model_dump() if one.theirs else None,
        "ours": asdict(one.ours) if one.ours else None,
        "differences": list(one.differences),
    }


def _unread(row: Document, one: Unreadable) -> Document:
    return _about(row, Kind.UNREADABLE, f"{_LAST}{one.line:09}") | {"line": one.line, "reason": one.reason}


def _about(row: Document, kind: Kind, key: str) -> Document:
    return {
        "_id": derived_id(row["_id"], key),
        "list_id": row["_id"],
        "program": row["program"],
        "house": row["house"],
        "kind": kind.value,
        "key": key,
        "found_at": row["made_at"],
        "order_id": None,
        "candidate_id": None,
        "theirs": None,
        "ours": None,
        "differences": [],
        "line": None,
        "reason": None,
    }
