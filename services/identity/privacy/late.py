"""Registrations that come after their person was erased."""

from collections.abc import Sequence
from typing import Any

from prometheus_client import Counter

from libs.common.bus.consumer import Work
from libs.common.bus.failures import vendor_of
from libs.common.bus.messages import Received
from libs.common.mongo.links import link_id
from libs.common.mongo.unit_of_work import Transaction
from libs.common.privacy.tombstones import Tombstones

PASSED_OVER = Counter("certrail_late_registrations_total", "Registrations that were said before their erasure")


class LateRegistrations:
    """What a vendor said before an erasure makes no account again; what it says after it makes a new one."""

    def __init__(self, tombstones: Tombstones) -> None:
        self._tombstones = tombstones

    def around(self, work: Work) -> Work:
        """`work`, for all messages but those."""

        async def handle(transaction: Transaction, items: Sequence[Any]) -> None:
            links = [_link(item) for item in items]
            erased = await self._tombstones.look_up(transaction.session, (link for link in links if link))
            left = [
                item
                for item, link in zip(items, links, strict=True)
                if link not in erased or item.event.time > erased[link].at
            ]
            transaction.on_commit(lambda: PASSED_OVER.inc(len(items) - len(left)))
            if left:
                await work(transaction, left)

        return handle


def _link(item: Any) -> str | None:
    """The partner's id that a registration is under; None for what the border has refused."""
    vendor = vendor_of(item.delivery) if isinstance(item, Received) else None
    return link_id(item.event.program, vendor, item.data.vendor_candidate_id) if vendor else None
