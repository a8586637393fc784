"""The HTTP API about lists of houses that were compared: what was found, and what is done about each finding."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.events.types import Identifier, Remark
from libs.common.http.models import Body, Nothing, Parameters
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import BENEFITS_MANAGE
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.fulfillment.exchange.comparing import Kind
from services.fulfillment.exchange.csv_files import OrderFindingsFile, findings_csv
from services.fulfillment.exchange.orders import Orders
from services.fulfillment.exchange.resending import resend
from services.fulfillment.exchange.store import ExchangeStore
from services.fulfillment.exchange.views import OrderFindingView, OrderListView

_FINDINGS = Cursor("order-findings", str)


class ListPath(Parameters):
    program: Identifier
    list_id: Identifier


class FindingPath(ListPath):
    finding_id: Identifier


class FindingsQuery(PageQuery):
    kind: Kind | None = None
    open: Annotated[bool, Field(description="Only those about which nothing was decided")] = False


class FindingActionBody(Body):
    action: Annotated[
        Literal["send_again", "ask_house", "dismiss"],
        Field(description="`send_again`: of an order that only we have, its house gets it once more, under its number"),
    ]
    reason: Annotated[Remark | None, Field(description="Needed to dismiss")] = None


class OrderFindingsApi:
    """Handlers of the routes below."""

    def __init__(self, store: ExchangeStore, orders: Orders, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._orders = orders
        self._unit_of_work = unit_of_work

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        one = "/programs/{program}/order-lists/{list_id}"
        return (
            Route(
                method="GET",
                path=one,
                handler=self.show_order_list,
                summary="One list of a house, and how much was found",
                parameters=ListPath,
                response=OrderListView,
                scopes=BENEFITS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{one}/findings",
                handler=self.list_order_findings,
                summary="What a comparison has found, in the order of orders",
                parameters=ListPath,
                query=FindingsQuery,
                response=Page[OrderFindingView],
                scopes=BENEFITS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{one}/findings.csv",
                handler=self.download_order_findings,
                summary="The same as a CSV file",
                parameters=ListPath,
                response=OrderFindingsFile,
                scopes=BENEFITS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path=f"{one}/findings/{{finding_id}}/action",
                handler=self.act_on_order_finding,
                summary="Decide what is done about a finding",
                parameters=FindingPath,
                body=FindingActionBody,
                response=OrderFindingView,
                scopes=BENEFITS_MANAGE,
                errors=(NOT_FOUND, INVALID, CONFLICT),
            ),
        )

    async def show_order_list(self, call: Call[ListPath]) -> OrderListView:
        return order_list(await self._list(call))

    async def list_order_findings(self, call: Call[ListPath, FindingsQuery]) -> Page[OrderFindingView]:
        found, query = await self._list(call), call.query
        wanted: Document = {"list_id": found["_id"]}
        wanted |= {"kind": query.kind} if query.kind is not None else {}
        wanted |= {"action": None} if query.open else {}
        rows = await self._store.finding_page(wanted, after=_FINDINGS.decode(query.cursor), limit=query.limit + 1)
        return _FINDINGS.page(Page[OrderFindingView], rows, query.limit, key=lambda row: str(row["key"]), show=_finding)

    async def download_order_findings(self, call: Call[ListPath]) -> OrderFindingsFile:
        found = await self._list(call)
        name = f"{found['program']}-{found['house']}-{found['made_at']:%Y-%m-%d}-findings.csv"
        return OrderFindingsFile("text/csv", name, findings_csv(self._store, {"list_id": found["_id"]}))

    async def act_on_order_finding(self, call: Call[FindingPath, Nothing, FindingActionBody]) -> OrderFindingView:
        found, body, by = await self._list(call), call.body, call.principal.subject
        if body.action == "dismiss" and body.reason is None:
            raise invalid("body.reason", "missing", "says why nothing is done about it")

        async def work(transaction: Transaction) -> Document:
            row = await self._store.finding(transaction.session, found["_id"], call.path.finding_id)
            if row is None:
                raise Problem(NOT_FOUND)
            if row.get("action") is not None:
                if row["action"]["kind"] == body.action:
                    return row
                raise Problem(CONFLICT, "something else was decided about it already")
            if body.action == "send_again":
                if row["kind"] != Kind.MISSING_THERE:
                    raise invalid("body.action", "not_ours_alone", "is for orders that only we have")
                await resend(transaction, self._store, self._orders, program=found["program"], order_id=row["order_id"])
            return await self._decide(transaction, row, _action(body, by, transaction.now))

        return _finding(await self._unit_of_work.run(work))

    async def _decide(self, transaction: Transaction, row: Document, action: Document) -> Document:
        row |= {"action": action}
        await self._store.save_finding(transaction.session, row)
        return row

    async def _list(self, call: Call[Any, Any, Any]) -> Document:
        call.principal.require_program(call.path.program)
        row = await self._store.order_list(call.path.list_id)
        if row is None or row["program"] != call.path.program:
            raise Problem(NOT_FOUND)
        return row


def order_list(row: Document) -> OrderListView:
    return OrderListView.model_validate({**row, "list_id": row["_id"]})


def _action(body: FindingActionBody, by: str, now: datetime) -> Document:
    return {"kind": body.action, "by": by, "at": now, "reason": body.reason}


def _finding(row: Document) -> OrderFindingView:
    return OrderFindingView.model_validate({"action": None, **row, "finding_id": row["_id"]})
