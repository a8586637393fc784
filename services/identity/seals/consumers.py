"""What a seal does in identity: it is kept."""

from collections.abc import Sequence

from libs.common.bus.messages import Received
from libs.common.events.audit import Seal
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from services.identity.seals.store import SealStore


class SealEvents:
    """Keeps seals under the ids of their events."""

    def __init__(self, store: SealStore) -> None:
        self._store = store

    async def handle(self, transaction: Transaction, items: Sequence[Received[Seal]]) -> None:
        rows = {item.event.id: _row(item) for item in items}
        await self._store.add(transaction.session, list(rows.values()))


def _row(item: Received[Seal]) -> Document:
    return {
        "_id": item.event.id,
        "program": item.event.program,
        "service": type(item.data).publisher,
        "n": item.data.n,
        "hash": item.data.hash,
        "sealed_at": item.data.sealed_at,
    }
