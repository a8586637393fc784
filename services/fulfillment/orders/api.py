"""The HTTP API of orders: candidates claim, see where their parcels are and say where they go; staff help."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from libs.common.clock import Clock
from libs.common.events.types import Address, Identifier, Line, Remark
from libs.common.http.models import Body, Parameters
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.principal import Kind
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import BENEFITS_CLAIM, BENEFITS_MANAGE, BENEFITS_READ
from libs.common.mongo.merges import Merges
from libs.common.programs import Program
from libs.common.programs.benefits import VendorName
from libs.common.programs.written import Word
from services.fulfillment.domain.orders import Order, State
from services.fulfillment.offers.claiming import Claim, Claims, Place
from services.fulfillment.orders.store import OrderStore
from services.fulfillment.orders.views import OrderView, order_view

_OWN = Cursor("own-orders", str)
_ALL = Cursor("orders", str)


class ProgramPath(Parameters):
    program: Identifier


class CandidatePath(ProgramPath):
    candidate_id: Identifier


class OfferPath(CandidatePath):
    offer_id: Identifier


class OwnOrderPath(CandidatePath):
    order_id: Identifier


class OrderPath(ProgramPath):
    order_id: Identifier


class OrdersQuery(PageQuery):
    state: State | None = None
    vendor: VendorName | None = None
    late: Annotated[bool, Field(description="Only open orders whose promise is over")] = False


LabelName = Annotated[
    Line | None, Field(description="Taken where the printer has no letters for the name of the profile")
]


class ClaimBody(Body):
    """A claim. The address is checked as the address check does; it is fixed once the order is taken."""

    address: Annotated[Address | None, Field(description="Needed for whatever is shipped")] = None
    name: LabelName = None
    choices: Annotated[
        dict[Word, Line], Field(max_length=10, description="One of its values for each choice of the offer")
    ] = Field(default={})
    token: Annotated[str | None, Field(max_length=100, description="Of an offer that comes with one")] = None


class AddressBody(Body):
    address: Address
    name: LabelName = None


class ResendingBody(Body):
    address: Annotated[Address | None, Field(description="Unless it goes to the same again")] = None
    name: LabelName = None


class ReasonBody(Body):
    reason: Annotated[Remark, Field(description="The candidate is told it")]


class OrdersApi:
    """Handlers of the routes below."""

    def __init__(
        self, store: OrderStore, merges: Merges, claims: Claims, programs: Mapping[str, Program], clock: Clock
    ) -> None:
        self._store = store
        self._merges = merges
        self._claims = claims
        self._programs = programs
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (*self._own(), *self._staff())

    def _own(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        candidate = "/programs/{program}/candidates/{candidate_id}"
        order = candidate + "/orders/{order_id}"
        return (
            Route(
                method="POST",
                path=candidate + "/offers/{offer_id}/claim",
                handler=self.claim_offer,
                summary="Claim what is offered: it becomes an order",
                parameters=OfferPath,
                body=ClaimBody,
                response=OrderView,
                status=201,
                scopes=BENEFITS_CLAIM,
                errors=(NOT_FOUND, CONFLICT, INVALID),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=candidate + "/orders",
                handler=self.list_own_orders,
                summary="A candidate's orders, the newest first",
                parameters=CandidatePath,
                query=PageQuery,
                response=Page[OrderView],
                scopes=BENEFITS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=order,
                handler=self.show_own_order,
                summary="An order with everything that happened to it",
                parameters=OwnOrderPath,
                response=OrderView,
                scopes=BENEFITS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path=order + "/address",
                handler=self.change_order_address,
                summary="Another address for an order that no fulfilment house has taken yet",
                parameters=OwnOrderPath,
                body=AddressBody,
                response=OrderView,
                scopes=BENEFITS_CLAIM,
                errors=(NOT_FOUND, CONFLICT, INVALID),
            ),
            Route(
                method="POST",
                path=order + "/cancellation",
                handler=self.cancel_own_order,
                summary="Call off an order that no fulfilment house has taken yet; the offer stands again",
                parameters=OwnOrderPath,
                response=OrderView,
                scopes=BENEFITS_CLAIM,
                errors=(NOT_FOUND, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="POST",
                path=order + "/resending",
                handler=self.resend_own_order,
                summary="Have a parcel sent again that came back, free of charge",
                parameters=OwnOrderPath,
                body=AddressBody,
                response=OrderView,
                status=201,
                scopes=BENEFITS_CLAIM,
                errors=(NOT_FOUND, CONFLICT, INVALID),
                idempotent=True,
            ),
        )

    def _staff(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        order = "/programs/{program}/orders/{order_id}"
        return (
            Route(
                method="GET",
                path="/programs/{program}/orders",
                handler=self.list_orders,
                summary="A program's orders, the oldest first",
                parameters=ProgramPath,
                query=OrdersQuery,
                response=Page[OrderView],
                scopes=BENEFITS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=order,
                handler=self.show_order,
                summary="An order with everything that happened to it",
                parameters=OrderPath,
                response=OrderView,
                scopes=BENEFITS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=order + "/cancellation",
                handler=self.cancel_order,
                summary="Call off an order that has not left its fulfilment house",
                parameters=OrderPath,
                body=ReasonBody,
                response=OrderView,
                scopes=BENEFITS_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="POST",
                path=order + "/resending",
                handler=self.resend_order,
                summary="Send a parcel again that came back or is lost",
                parameters=OrderPath,
                body=ResendingBody,
                response=OrderView,
                status=201,
                scopes=BENEFITS_MANAGE,
                errors=(NOT_FOUND, CONFLICT, INVALID),
                idempotent=True,
            ),
        )

    async def claim_offer(self, call: Call[OfferPath, Any, ClaimBody]) -> OrderView:
        program = self._theirs(call)
        body = call.body
        claim = Claim(_place(body), body.choices, body.token)
        return self._view(
            await self._claims.claim(program, call.path.candidate_id, call.path.offer_id, claim, _by(call))
        )

    async def list_own_orders(self, call: Call[CandidatePath, PageQuery]) -> Page[OrderView]:
        program = self._theirs(call)
        accounts = await self._merges.family(None, call.path.candidate_id)
        before, limit = _OWN.decode(call.query.cursor), call.query.limit
        rows = await self._store.of_accounts(program.id, accounts, before=before, limit=limit + 1)
        return _OWN.page(Page[OrderView], rows, limit, key=lambda order: order.id, show=self._view)

    async def show_own_order(self, call: Call[OwnOrderPath]) -> OrderView:
        program = self._theirs(call)
        order = await self._store.get(call.path.order_id)
        accounts = await self._merges.family(None, call.path.candidate_id)
        if order is None or order.program != program.id or order.candidate_id not in accounts:
            raise Problem(NOT_FOUND)
        return self._view(order)

    async def change_order_address(self, call: Call[OwnOrderPath, Any, AddressBody]) -> OrderView:
        program, path = self._theirs(call), call.path
        return self._view(
            await self._claims.readdress(
                program, path.candidate_id, path.order_id, Place(call.body.address, call.body.name), _by(call)
            )
        )

    async def cancel_own_order(self, call: Call[OwnOrderPath]) -> OrderView:
        program, path = self._theirs(call), call.path
        return self._view(await self._claims.cancel(program, path.candidate_id, path.order_id, _by(call)))

    async def resend_own_order(self, call: Call[OwnOrderPath, Any, AddressBody]) -> OrderView:
        program, path = self._theirs(call), call.path
        return self._view(
            await self._claims.resend(
                program, path.candidate_id, path.order_id, Place(call.body.address, call.body.name), _by(call)
            )
        )

    async def list_orders(self, call: Call[ProgramPath, OrdersQuery]) -> Page[OrderView]:
        program, query = self._managed(call), call.query
        rows = await self._store.in_state(
            program.id,
            state=query.state,
            vendor=query.vendor,
            late_on=program.day_of(self._clock.now()) if query.late else None,
            after=_ALL.decode(query.cursor),
            limit=query.limit + 1,
        )
        return _ALL.page(Page[OrderView], rows, query.limit, key=lambda order: order.id, show=self._view)

    async def show_order(self, call: Call[OrderPath]) -> OrderView:
        program = self._managed(call)
        order = await self._store.get(call.path.order_id)
        if order is None or order.program != program.id:
            raise Problem(NOT_FOUND)
        return self._view(order)

    async def cancel_order(self, call: Call[OrderPath, Any, ReasonBody]) -> OrderView:
        program = self._managed(call)
        return self._view(await self._claims.cancel_for(program, call.path.order_id, _by(call), call.body.reason))

    async def resend_order(self, call: Call[OrderPath, Any, ResendingBody]) -> OrderView:
        program = self._managed(call)
        return self._view(await self._claims.resend_for(program, call.path.order_id, _place(call.body), _by(call)))

    def _view(self, order: Order) -> OrderView:
        return order_view(order, self._programs[order.program].day_of(self._clock.now()))

    def _theirs(self, call: Call[Any, Any, Any]) -> Program:
        call.principal.require(call.path.program, call.path.candidate_id)
        return self._program(call)

    def _managed(self, call: Call[Any, Any, Any]) -> Program:
        call.principal.require_program(call.path.program)
        return self._program(call)

    def _program(self, call: Call[Any, Any, Any]) -> Program:
        program = self._programs.get(call.path.program)
        if program is None:
            raise Problem(NOT_FOUND)
        return program


def _place(body: ClaimBody | ResendingBody) -> Place | None:
    return None if body.address is None else Place(body.address, body.name)


def _by(call: Call[Any, Any, Any]) -> str:
    return "candidate" if call.principal.kind is Kind.CANDIDATE else call.principal.subject
