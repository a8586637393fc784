"""The HTTP API of fulfillment: what a candidate may have."""

from datetime import datetime
from typing import Literal

from libs.common.events.types import Identifier
from libs.common.http.models import Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import NOT_FOUND
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import BENEFITS_READ, OPERATIONS_READ
from libs.common.http.server import Api
from services.fulfillment.domain.offers import Entitlement
from services.fulfillment.store import FulfillmentStore


class CandidatePath(Parameters):
    program: Identifier
    candidate_id: Identifier


class OfferView(View):
    offer_id: str
    program: str
    certification: str
    benefit: str
    title: str
    state: Literal["offered"]
    offered_at: datetime


class TotalsView(View):
    offers: int


_OFFERS = Cursor("fulfillment-offers", str)


class FulfillmentApi:
    """Handlers of the routes below."""

    def __init__(self, store: FulfillmentStore) -> None:
        self._store = store

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
                    summary="What a candidate may claim",
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
        after = _OFFERS.decode(call.query.cursor)
        rows = await self._store.offers(
            call.path.program, call.path.candidate_id, after=after, limit=call.query.limit + 1
        )
        return _OFFERS.page(Page[OfferView], rows, call.query.limit, key=lambda one: one.offer.id, show=_offer)

    async def show_totals(self, call: Call) -> TotalsView:
        return TotalsView(**await self._store.totals(sorted(call.principal.programs)))


def _offer(one: Entitlement) -> OfferView:
    if one.since is None:
        raise ValueError("an offer stands from the day on which it was told")
    return OfferView(
        offer_id=one.offer.id,
        program=one.program,
        certification=one.offer.certification,
        benefit=one.offer.benefit,
        title=one.offer.title,
        state="offered",
        offered_at=one.since,
    )
