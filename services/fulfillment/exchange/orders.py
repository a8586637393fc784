"""Orders as the exchange needs them: what goes into a parcel, and what a house's word does to an order."""

from collections.abc import Iterable, Mapping

from libs.common.bus.messages import Cause
from libs.common.ids import derived_id
from libs.common.mongo.client import Session
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Benefit, Program
from services.fulfillment.domain.orders import RECALLABLE, Entry, Order
from services.fulfillment.exchange.printing import Parcel
from services.fulfillment.orders.ordering import Ordering


class Orders:
    """Reads orders, and takes them forward."""

    def __init__(self, ordering: Ordering, programs: Mapping[str, Program]) -> None:
        self.store = ordering.store
        self._ordering = ordering
        self._programs = programs

    async def to_hand_over(self, limit: int) -> list[Order]:
        """Orders that are to be shipped and that no house has been told of."""
        return [order for order in await self.store.to_hand_over(limit=limit) if order.ship_to is not None]

    async def several(self, session: Session | None, orders: Iterable[str]) -> dict[str, Order]:
        return await self.store.several(orders, session)

    async def parcels(self, session: Session, orders: Iterable[str]) -> dict[str, Parcel]:
        """What goes into the parcels of those orders that have not left the house."""
        found = await self.store.several(orders, session)
        parcels = {key: self._parcel(order) for key, order in found.items() if order.state in RECALLABLE}
        return {key: parcel for key, parcel in parcels.items() if parcel is not None}

    async def ordered(self, transaction: Transaction, order_id: str) -> None:
        """An order is on its way to its house, and fixed."""
        order = await self.store.get(order_id, transaction.session)
        if order is not None:
            await self.report(transaction, order, Entry("ordered", transaction.now, "system"), None)

    async def report(self, transaction: Transaction, order: Order, entry: Entry, cause: Cause | None) -> Order:
        """The order after a word about it, kept and told."""
        return await self._ordering.record(transaction, order, entry, cause) or order

    def item_of(self, order: Order) -> str | None:
        """The house's own number of what is sent."""
        benefit = self._benefit(order)
        return benefit.stock_item if benefit else None

    def _benefit(self, order: Order) -> Benefit | None:
        program = self._programs.get(order.program)
        return program.benefits.get(order.benefit) if program else None

    def _parcel(self, order: Order) -> Parcel | None:
        to, benefit = order.ship_to, self._benefit(order)
        if to is None or order.promised_by is None:
            return None
        return Parcel(
            order_id=order.id,
            program=order.program,
            candidate_id=order.candidate_id,
            house=order.vendor,
            benefit=order.benefit,
            title=order.title,
            name=to.name,
            lines=to.lines,
            country=to.country,
            promised_by=order.promised_by,
            item=benefit.stock_item if benefit else None,
            choices=order.choices,
            customs=benefit.customs if benefit else None,
            replaces=order.replaces,
        )


def label_of(order: Order) -> str:
    """The same for the same label."""
    to = order.ship_to
    return derived_id(to.name, *to.lines, to.country) if to is not None else ""
