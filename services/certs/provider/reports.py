"""What a badge provider says of badges over the bus."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.common.bus.consumer import Work
from libs.common.bus.failures import vendor_of
from libs.common.bus.messages import Received
from libs.common.clock import as_stored
from libs.common.events import vendors
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.certs.provider.chains import Seen, State
from services.certs.provider.observing import Observing

Report = Received[vendors.BadgeReported]

_STATES: Mapping[str, State] = {
    "issued": "pending",
    "accepted": "accepted",
    "rejected": "rejected",
    "revoked": "revoked",
}


class BadgeReports:
    """Takes in reports of the vendor that the program's definition names; those of others say nothing here.

    A badge that we do not know yet is left to the next comparison.
    """

    def __init__(self, observing: Observing, programs: Mapping[str, Program]) -> None:
        self._observing = observing
        self._programs = programs

    async def handle(self, transaction: Transaction, items: Sequence[Any]) -> None:
        for item in items:
            if isinstance(item, Received) and isinstance(item.data, vendors.BadgeReported) and self._is_trusted(item):
                data = item.data
                at = as_stored(min(data.at, transaction.now))
                seen = Seen(data.badge_id, None, _STATES[data.state], at, data.public_url)
                await self._observing.hear(transaction, item.event.program, seen)

    def _is_trusted(self, item: Report) -> bool:
        program = self._programs.get(item.event.program)
        provider = program.badge_provider if program is not None else None
        return provider is not None and vendor_of(item.delivery) == provider.vendor


def in_turn(*works: Work) -> Work:
    """All of these, on the same messages."""

    async def handle(transaction: Transaction, items: Sequence[Any]) -> None:
        for work in works:
            await work(transaction, items)

    return handle
