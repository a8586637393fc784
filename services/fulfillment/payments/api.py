"""The HTTP API of payments: the way to the payment page, and what it says of the money."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from libs.common.events.types import Identifier, Moment
from libs.common.http.models import Body, Nothing, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.principal import Kind as CallerKind
from libs.common.http.problems import CONFLICT, FORBIDDEN, INVALID, NOT_FOUND, UNAVAILABLE, Problem
from libs.common.http.routes import PUBLIC, Call, Route
from libs.common.http.scopes import BENEFITS_CLAIM, BENEFITS_MANAGE, BENEFITS_READ
from libs.common.programs import Program
from libs.common.programs.benefits import Amount, Currency
from services.fulfillment.domain.payments import Fact, Kind, Payment, State, Trouble
from services.fulfillment.payments.desk import PaymentDesk, Verdict
from services.fulfillment.payments.guard import PageGuard
from services.fulfillment.payments.pages import PageId

OwnPath = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^/([A-Za-z0-9._~%?-][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?$")
]
"""A path of our own site: no other host, whatever a browser makes of slashes and backslashes."""
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class ProgramPath(Parameters):
    program: Identifier


class CandidatePath(ProgramPath):
    candidate_id: Identifier


class OrderPath(CandidatePath):
    order_id: Identifier


class PagePath(Parameters):
    page: PageId


class PaymentBody(Body):
    return_to: Annotated[OwnPath, Field(description="Where on our own site the candidate goes on afterwards")] = "/kits"


class NoticeBody(Body):
    """What happened to the money of one payment."""

    kind: Kind
    payment_id: Annotated[Identifier, Field(description="As the form had it")]
    reference: Annotated[Reference, Field(description="The page's own number of this confirmation or refund")]
    amount: Annotated[Amount, Field(description="In the currency's main unit, as text", examples=["79.00"])]
    currency: Annotated[Currency, Field(description="ISO 4217")]
    occurred_at: Moment


class PaymentView(View):
    payment_id: str
    program: str
    candidate_id: str
    order_id: str
    title: str
    amount: str
    currency: str
    state: State
    paid: Annotated[str, Field(description="In the same currency, as text")]
    refunded: str
    made_at: datetime
    expires_at: datetime


class PaymentFormView(View):
    """What the browser takes to the payment page. It is shown this once."""

    method: Literal["POST"]
    action: str
    fields: dict[str, str]


class PaymentMadeView(PaymentView):
    """A new one, with what the browser takes along."""

    form: PaymentFormView


class FactView(View):
    kind: Kind
    reference: str
    amount: str
    currency: str
    occurred_at: datetime


class StaffPaymentView(PaymentView):
    """A payment as staff see it."""

    page: str
    trouble: Annotated[Trouble | None, Field(description="Why somebody has to look; null where all is in order")]
    facts: list[FactView]


class NoticeView(View):
    verdict: Annotated[Verdict, Field(description="`known` was said before; `flagged` is taken, and looked after")]


_HEARD = Cursor("fulfillment-payments", str)


class PaymentsApi:
    """Handlers of the routes below."""

    def __init__(self, desk: PaymentDesk, guard: PageGuard, programs: Mapping[str, Program]) -> None:
        self._desk = desk
        self._guard = guard
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        own = "/programs/{program}/candidates/{candidate_id}"
        return (
            # Not idempotent by key: the answer would be kept, and the form is good once. A second one is harmless.
            Route(
                method="POST",
                path=own + "/orders/{order_id}/payments",
                handler=self.pay,
                summary="Go to the payment page for an order that waits for it",
                parameters=OrderPath,
                body=PaymentBody,
                response=PaymentMadeView,
                status=201,
                scopes=BENEFITS_CLAIM,
                errors=(NOT_FOUND, FORBIDDEN, CONFLICT, UNAVAILABLE),
            ),
            Route(
                method="GET",
                path=own + "/payments",
                handler=self.list_payments,
                summary="A candidate's ways to payment pages and what became of them, the latest hundred",
                parameters=CandidatePath,
                response=Page[PaymentView],
                scopes=BENEFITS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/payments",
                handler=self.list_program_payments,
                summary="A program's payments of which a page has said anything, the oldest first",
                parameters=ProgramPath,
                query=PageQuery,
                response=Page[StaffPaymentView],
                scopes=BENEFITS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/payment-pages/{page}/notices",
                handler=self.take_payment_notice,
                summary="Something was paid, or paid back",
                parameters=PagePath,
                body=NoticeBody,
                response=NoticeView,
                scopes=PUBLIC,
                guard=self._guard,
                errors=(NOT_FOUND, INVALID, UNAVAILABLE),
            ),
        )

    async def pay(self, call: Call[OrderPath, Nothing, PaymentBody]) -> PaymentMadeView:
        path = call.path
        call.principal.require(path.program, path.candidate_id)
        program = self._program(path.program)
        if call.principal.kind is not CallerKind.CANDIDATE:
            raise Problem(FORBIDDEN, "only the candidate pays for what the candidate has chosen")
        made, form = await self._desk.hand_over(
            program, path.candidate_id, path.order_id, call.body.return_to, call.operation_id
        )
        shown = PaymentFormView(method="POST", action=form.action, fields=dict(form.fields))
        return PaymentMadeView(**self._shown(made), form=shown)

    async def list_payments(self, call: Call[CandidatePath]) -> Page[PaymentView]:
        call.principal.require(call.path.program, call.path.candidate_id)
        payments = await self._desk.of_person(call.path.program, call.path.candidate_id)
        return Page[PaymentView](items=[PaymentView(**self._shown(one)) for one in payments])

    async def list_program_payments(self, call: Call[ProgramPath, PageQuery]) -> Page[StaffPaymentView]:
        call.principal.require_program(call.path.program)
        after = _HEARD.decode(call.query.cursor)
        seen = await self._desk.heard_of(call.path.program, after=after, limit=call.query.limit + 1)
        return _HEARD.page(
            Page[StaffPaymentView],
            seen,
            call.query.limit,
            key=lambda one: one.payment.id,
            show=lambda one: StaffPaymentView(
                **self._shown(one.payment),
                page=one.payment.page,
                trouble=one.trouble,
                facts=[_fact(fact) for fact in one.payment.facts],
            ),
        )

    async def take_payment_notice(self, call: Call[PagePath, Nothing, NoticeBody]) -> NoticeView:
        """Answers 200 once it is on disk; the same again changes nothing."""
        body = call.body
        fact = Fact(body.kind, body.reference, Decimal(body.amount), body.currency, body.occurred_at)
        return NoticeView(verdict=await self._desk.take(call.path.page, body.payment_id, fact))

    def _program(self, name: str) -> Program:
        program = self._programs.get(name)
        if program is None:
            raise Problem(NOT_FOUND)
        return program

    def _shown(self, payment: Payment) -> dict[str, Any]:
        return {
            "payment_id": payment.id,
            "program": payment.program,
            "candidate_id": payment.candidate_id,
            "order_id": payment.order_id,
            "title": payment.title,
            "amount": str(payment.asked.amount),
            "currency": payment.asked.currency,
            "state": payment.state(self._desk.now()),
            "paid": str(payment.paid),
            "refunded": str(payment.refunded),
            "made_at": payment.made_at,
            "expires_at": payment.expires_at,
        }


def _fact(fact: Fact) -> FactView:
    return FactView(
        kind=fact.kind,
        reference=fact.reference,
        amount=str(fact.amount),
        currency=fact.currency,
        occurred_at=fact.at,
    )
