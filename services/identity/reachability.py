"""Whether mails reach a candidate, as notify tells it."""

from collections.abc import Sequence
from typing import Final

from libs.common.bus.messages import Received
from libs.common.events import notify
from libs.common.mongo.client import Database, Document
from libs.common.mongo.unit_of_work import Transaction

FIELD: Final = "mail_trouble"
"""Of an account: what was told last, with the version of that."""

ReachabilityEvent = notify.EmailSuppressed | notify.EmailRestored


class Reachability:
    """Notes on accounts why nothing is sent to them, whichever word arrives first."""

    def __init__(self, database: Database) -> None:
        self._candidates = database["candidates"]

    async def handle(self, transaction: Transaction, items: Sequence[Received[ReachabilityEvent]]) -> None:
        for item in items:
            version = item.event.subjectversion or 0
            # Of staff no account is found here: whom no invitation reaches is asked for another address.
            said_before = {"_id": item.data.candidate_id, f"{FIELD}.version": {"$not": {"$gte": version}}}
            said = {"$set": {FIELD: {**_trouble(item.data), "version": version}}}
            await self._candidates.update_one(said_before, said, session=transaction.session)


def trouble_of(account: Document) -> Document | None:
    """Why nothing is sent to an account: `reason` and `since`; None where mails are sent."""
    trouble: Document | None = account.get(FIELD)
    return trouble if trouble is not None and trouble["reason"] is not None else None


def _trouble(data: ReachabilityEvent) -> Document:
    if isinstance(data, notify.EmailRestored):
        return {"reason": None, "since": None}
    return {"reason": data.reason, "since": data.suppressed_at}
