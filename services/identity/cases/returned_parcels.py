"""Cases that open by themselves: a parcel came back, so somebody has to find out where it can go.

The mail about the parcel tells the candidate, so the case is told by none of its own.
"""

from collections.abc import Sequence

from libs.common.bus.messages import Received
from libs.common.events import fulfillment
from libs.common.ids import derived_id
from libs.common.mongo.unit_of_work import Transaction
from services.identity.cases.casework import Cases
from services.identity.store import IdentityStore


class ReturnedParcels:
    """One case for each order that came back, however often that is told."""

    def __init__(self, cases: Cases, accounts: IdentityStore) -> None:
        self._cases = cases
        self._accounts = accounts

    async def handle(self, transaction: Transaction, items: Sequence[Received[fulfillment.OrderReturned]]) -> None:
        for item in items:
            program, data = item.event.program, item.data
            account = await self._accounts.standing(program, data.candidate_id, transaction.session)
            if account is None:
                continue  # somebody erased, of whom nothing is kept
            case_id = derived_id("returned", program, data.order_id)
            details = {
                "order_id": data.order_id,
                "certification": None,
                "returned_on": data.returned_at.date().isoformat(),
            }
            await self._cases.open_by_itself(transaction, account, case_id=case_id, kind="kit", details=details)
