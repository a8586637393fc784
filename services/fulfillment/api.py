"""The HTTP API of fulfillment: what a candidate may have."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from libs.common.clock import Clock
from libs.common.events.types import Identifier
from libs.common.http.models import Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.principal import Kind
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import BENEFITS_READ, OPERATIONS_READ
from libs.common.http.server import Api
from libs.common.programs import Benefit, Program
from libs.common.programs.benefits import INITIAL_KIT
from services.fulfillment.domain.offers import Entitlement, State
from services.fulfillment.store import FulfillmentStore


class CandidatePath(Parameters):
    program: Identifier
    candidate_id: Identifier


class ChoiceView(View):
    name: str
    values: list[str]


class PriceView(View):
    amount: str
    """A decimal number in the currency's main unit."""
    currency: str
    """ISO 4217."""


class OfferEntryView(View):
    state: State
    at: datetime


class OfferView(View):
    """What a candidate may claim, has claimed, or has let pass."""

    offer_id: str
    program: str
    certification: str
    """What it was awarded for; of what comes with a milestone the milestone."""
    benefit: str
    title: str
    state: Literal["offered", "claimed", "expired"]
    offered_at: datetime
    claim_until: datetime | None
    """The end of the last day on which it can be claimed; null without end."""
    choices: list[ChoiceView]
    """A claim names one value of each."""
    ships: bool
    """Whether a claim needs an address."""
    promise_weeks: list[int]
    """The usual and the most weeks from the order to the parcel."""
    price: PriceView | None
    token: str | None
    """What the claim takes; shown to the candidate alone, and until it is used."""
    order_id: str | None
    history: list[OfferEntryView]
    """How it stood from which moment on."""


class TotalsView(View):
    offers: int
    kits: int
    """Of the offers, what comes free with an award."""


_OFFERS = Cursor("fulfillment-offers", str)


class FulfillmentApi:
    """Handlers of the routes below."""

    def __init__(self, store: FulfillmentStore, programs: Mapping[str, Program], clock: Clock) -> None:
        self._store = store
        self._programs = programs
        self._clock = clock

    def api(self) -> Api:
        return Api(
            service="fulfillment",
            title="Certrail fulfillment",
            description="Kits and other benefits: what a candidate may have.",
            version="1.0.0",
            routes=(
                Route(
                    method="GET",
                    path="/programs/{program}/candidates/{candidate_id}/offers",
                    handler=self.list_offers,
                    summary="What a candidate may claim, has claimed, or has let pass",
                    parameters=CandidatePath,
                    query=PageQuery,
                    response=Page[OfferView],
                    scopes=BENEFITS_READ,
                    errors=(NOT_FOUND,),
                ),
                Route(
                    method="GET",
                    path="/totals",
                    handler=self.show_totals,
                    summary="How many offers were made",
                    response=TotalsView,
                    scopes=OPERATIONS_READ,
                    audited=False,
                ),
            ),
        )

    async def list_offers(self, call: Call[CandidatePath, PageQuery]) -> Page[OfferView]:
        call.principal.require(call.path.program, call.path.candidate_id)
        program = self._programs.get(call.path.program)
        if program is None:
            raise Problem(NOT_FOUND)
        after = _OFFERS.decode(call.query.cursor)
        rows = await self._store.offers(
            program.id, call.path.candidate_id, self._clock.now(), after=after, limit=call.query.limit + 1
        )
        candidate = call.principal.kind is Kind.CANDIDATE
        return _OFFERS.page(
            Page[OfferView],
            rows,
            call.query.limit,
            key=lambda row: row[0].offer.id,
            show=lambda row: _offer(*row, program, tokens=candidate),
        )

    async def show_totals(self, call: Call) -> TotalsView:
        entered = [self._programs[name] for name in sorted(call.principal.programs) if name in self._programs]
        kits = {program.id: [one.id for one in program.benefits.values() if _is_kit(one)] for program in entered}
        return TotalsView(**await self._store.totals(kits))


def _is_kit(benefit: Benefit) -> bool:
    return benefit.milestone is None and benefit.price is None


def _offer(one: Entitlement, state: State, program: Program, *, tokens: bool) -> OfferView:
    if one.since is None or state == "withdrawn":
        raise ValueError("what was never told or is withdrawn is not shown")
    benefit = program.benefits.get(one.offer.benefit, INITIAL_KIT)
    price = benefit.price
    return OfferView(
        offer_id=one.offer.id,
        program=one.program,
        certification=one.offer.certification,
        benefit=one.offer.benefit,
        title=one.offer.title,
        state=state,
        offered_at=one.since,
        claim_until=one.claim_until,
        choices=[ChoiceView(name=name, values=list(values)) for name, values in benefit.choices.items()],
        ships=benefit.ships,
        promise_weeks=list(benefit.promise),
        price=None if price is None else PriceView(amount=str(price.amount), currency=price.currency),
        token=one.token if tokens else None,
        order_id=one.order_id,
        history=[OfferEntryView(state=state, at=at) for state, at in one.history],
    )
