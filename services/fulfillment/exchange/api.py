"""The HTTP API about fulfilment houses, for staff: orders on their way there, what houses say, what does not agree."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from libs.common.clock import Clock
from libs.common.events.types import Identifier
from libs.common.http.files import Upload
from libs.common.http.models import Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import BENEFITS_MANAGE
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.fulfillment.exchange.comparing import NoList
from services.fulfillment.exchange.definition import Houses
from services.fulfillment.exchange.findings_api import order_list
from services.fulfillment.exchange.lists import MOST_BYTES, Lists
from services.fulfillment.exchange.orders import Orders
from services.fulfillment.exchange.resending import resend
from services.fulfillment.exchange.standing import State
from services.fulfillment.exchange.store import ExchangeStore
from services.fulfillment.exchange.views import (
    AnswerFileView,
    DispatchView,
    HouseFileView,
    HouseView,
    OrderListView,
    ShipmentReportView,
    StockView,
)


class ProgramPath(Parameters):
    program: Identifier


class DispatchPath(ProgramPath):
    order_id: Identifier


class DispatchQuery(PageQuery):
    house: Identifier | None = None
    state: State | None = None


class ReportQuery(PageQuery):
    order_id: Identifier | None = None
    unknown: Annotated[Literal["true"] | None, Field(description="Only those about orders that we do not know")] = None


class GivenQuery(Parameters):
    """What a list is of."""

    house: Identifier
    kind: Literal["orders", "stock"] = "orders"


class ListUpload(Upload):
    """A house's list of orders or of stock."""

    media_types: ClassVar = ("text/csv",)
    max_bytes: ClassVar = MOST_BYTES


_DISPATCHES = Cursor("dispatches", str)
_REPORTS = Cursor("shipment-reports", tuple[datetime, str])
_FILES = Cursor("house-files", str)
_ANSWERS = Cursor("house-answers", tuple[datetime, str])
_LISTS = Cursor("order-lists", tuple[datetime, str])


class ExchangeApi:
    """Handlers of the routes below."""

    def __init__(  # noqa: PLR0917 parts
        self,
        store: ExchangeStore,
        orders: Orders,
        lists: Lists,
        houses: Houses,
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._store = store
        self._orders = orders
        self._lists = lists
        self._houses = houses
        self._unit_of_work = unit_of_work
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        own = "/programs/{program}"
        lists = own + "/order-lists"
        return (
            _read(own + "/houses", self.list_houses, "How it goes with each fulfilment house", HouseView),
            _read(
                own + "/dispatches",
                self.list_dispatches,
                "Where orders stand between us and their houses",
                DispatchView,
                query=DispatchQuery,
            ),
            Route(
                method="POST",
                path=own + "/dispatches/{order_id}/again",
                handler=self.send_order_again,
                summary="Send an order to its house once more, under its number",
                parameters=DispatchPath,
                response=DispatchView,
                scopes=BENEFITS_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
                idempotent=True,
            ),
            _read(
                own + "/shipment-reports",
                self.list_shipment_reports,
                "What houses said of orders, the latest first",
                ShipmentReportView,
                query=ReportQuery,
            ),
            _read(own + "/house-files", self.list_house_files, "Files of orders", HouseFileView, query=PageQuery),
            _read(
                own + "/house-answers",
                self.list_house_answers,
                "Answers to files that were read, the latest first",
                AnswerFileView,
                query=PageQuery,
            ),
            _read(own + "/house-stock", self.list_house_stock, "What houses have of each item", StockView),
            _read(lists, self.list_order_lists, "Lists of houses, the latest first", OrderListView, query=PageQuery),
            Route(
                method="POST",
                path=lists,
                handler=self.take_order_list,
                summary="Compare a house's list of orders with ours, or take its figures of stock",
                parameters=ProgramPath,
                query=GivenQuery,
                body=ListUpload,
                response=OrderListView,
                scopes=BENEFITS_MANAGE,
                errors=(NOT_FOUND, INVALID),
                idempotent=True,
            ),
        )

    async def list_houses(self, call: Call[ProgramPath]) -> Page[HouseView]:
        call.principal.require_program(call.path.program)
        return Page[HouseView](items=await self._all(call.path.program))

    async def _all(self, program: str) -> list[HouseView]:
        counts = await self._store.counts(program)
        known = {row["house"]: row for row in await self._store.houses(program)}
        folders = {row["vendor"]: row for row in await self._store.exchanges(program)}
        defined = {house.id for house in self._houses.defined.values() if program in house.programs}
        return [
            self._house(name, counts.get(name, {}), known.get(name, {}), folders.get(name, {}))
            for name in sorted({*counts, *known, *defined})
        ]

    def _house(self, name: str, counts: dict[str, int], row: Document, folders: Document) -> HouseView:
        house = self._houses[name]
        failing = bool(folders.get("failures"))
        return HouseView(
            house=name,
            name=house.name,
            channel="queue" if house.files is None else "files",
            waiting=counts.get(State.WAITING, 0),
            sent=counts.get(State.SENT, 0),
            acknowledged=counts.get(State.ACKNOWLEDGED, 0),
            refused=counts.get(State.REFUSED, 0),
            last_heard_at=row.get("last_heard_at"),
            silent_since=row.get("silent_since"),
            failing_since=folders["failing_since"] if failing else None,
            error=folders.get("error") if failing else None,
        )

    async def list_dispatches(self, call: Call[ProgramPath, DispatchQuery]) -> Page[DispatchView]:
        query = _own(call) | _given(house=call.query.house, state=call.query.state)
        after, limit = _DISPATCHES.decode(call.query.cursor), call.query.limit
        rows = await self._store.dispatch_page(query, after=after, limit=limit + 1)
        return _DISPATCHES.page(Page[DispatchView], rows, limit, key=lambda row: str(row["_id"]), show=_dispatch)

    async def send_order_again(self, call: Call[DispatchPath]) -> DispatchView:
        call.principal.require_program(call.path.program)
        order_id, program = call.path.order_id, call.path.program

        async def work(transaction: Transaction) -> Document:
            return await resend(transaction, self._store, self._orders, program=program, order_id=order_id)

        return _dispatch(await self._unit_of_work.run(work))

    async def list_shipment_reports(self, call: Call[ProgramPath, ReportQuery]) -> Page[ShipmentReportView]:
        query = _own(call) | _given(order_id=call.query.order_id) | ({"known": False} if call.query.unknown else {})
        before, limit = _REPORTS.decode(call.query.cursor), call.query.limit
        rows = await self._store.report_page(query, before=before, limit=limit + 1)
        return _REPORTS.page(
            Page[ShipmentReportView], rows, limit, key=lambda row: (row["received_at"], row["_id"]), show=_report
        )

    async def list_house_files(self, call: Call[ProgramPath, PageQuery]) -> Page[HouseFileView]:
        before, limit = _FILES.decode(call.query.cursor), call.query.limit
        rows = await self._store.file_page(_own(call), before=before, limit=limit + 1)
        return _FILES.page(Page[HouseFileView], rows, limit, key=lambda row: str(row["_id"]), show=_file)

    async def list_house_answers(self, call: Call[ProgramPath, PageQuery]) -> Page[AnswerFileView]:
        before, limit = _ANSWERS.decode(call.query.cursor), call.query.limit
        rows = await self._store.confirmation_page(_own(call), before=before, limit=limit + 1)
        return _ANSWERS.page(
            Page[AnswerFileView], rows, limit, key=lambda row: (row["read_at"], row["_id"]), show=_answer
        )

    async def list_house_stock(self, call: Call[ProgramPath]) -> Page[StockView]:
        call.principal.require_program(call.path.program)
        needed = await self._store.needed(call.path.program)
        rows = await self._store.stock_of(call.path.program)
        return Page[StockView](items=[self._stock(row, needed.get((row["house"], row["item"]), 0)) for row in rows])

    def _stock(self, row: Document, needed: int) -> StockView:
        shape = self._houses[row["house"]].stock
        wanted = max(needed, shape.low.get(row["item"], 0) if shape else 0)
        return StockView(
            house=row["house"],
            item=row["item"],
            on_hand=row["on_hand"],
            at=row["at"],
            needed=needed,
            low=row["on_hand"] < wanted,
        )

    async def list_order_lists(self, call: Call[ProgramPath, PageQuery]) -> Page[OrderListView]:
        before, limit = _LISTS.decode(call.query.cursor), call.query.limit
        rows = await self._store.order_list_page(_own(call), before=before, limit=limit + 1)
        return _LISTS.page(
            Page[OrderListView], rows, limit, key=lambda row: (row["made_at"], row["_id"]), show=order_list
        )

    async def take_order_list(self, call: Call[ProgramPath, GivenQuery, ListUpload]) -> OrderListView:
        program, house, content = call.path.program, call.query.house, call.body.content
        call.principal.require_program(program)
        if house not in {each.house for each in await self._all(program)}:
            raise invalid("query.house", "unknown_house", "the program has no such fulfilment house")
        about = {"name": "given in", "by": call.principal.subject}
        try:
            if call.query.kind == "orders":
                row = await self._lists.compare(call.operation_id, program, house, content, **about)
            else:
                now = self._clock.now()
                row = await self._lists.count(call.operation_id, program, house, content, at=now, **about)
        except NoList as error:
            raise invalid("body", "no_list", str(error)) from None
        return order_list(row)


def _read(
    path: str,
    handler: Any,
    summary: str,
    view: type[View],
    *,
    query: type[Parameters] | None = None,
) -> Route[Any, Any, Any, Any]:
    """A page of something of the program's."""
    return Route(
        method="GET",
        path=path,
        handler=handler,
        summary=summary,
        parameters=ProgramPath,
        query=query,
        response=Page[view],  # type: ignore[valid-type]
        scopes=BENEFITS_MANAGE,
        errors=(NOT_FOUND,),
    )


def _own(call: Call[Any, Any, Any]) -> Document:
    """What is of the program that is asked about. Raises the problem `not-found` for another's."""
    call.principal.require_program(call.path.program)
    return {"program": call.path.program}


def _given(**fields: Any) -> Document:
    return {name: value for name, value in fields.items() if value is not None}


def _dispatch(row: Document) -> DispatchView:
    return DispatchView.model_validate({**row, "order_id": row["_id"]})


def _report(row: Document) -> ShipmentReportView:
    return ShipmentReportView.model_validate({**row, "report_id": row["_id"]})


def _file(row: Document) -> HouseFileView:
    return HouseFileView.model_validate({**row, "file_id": row["_id"], "house": row["vendor"]})


def _answer(row: Document) -> AnswerFileView:
    return AnswerFileView.model_validate({**row, "house": row["vendor"]})
