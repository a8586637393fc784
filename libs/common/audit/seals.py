"""Seals: each service tells the hash of its log's last record, so that it is kept where the service cannot reach it."""

from datetime import timedelta
from functools import partial
from typing import ClassVar, Final

import structlog

from libs.common.audit.chain import Head
from libs.common.audit.trail import AuditTrail
from libs.common.events import certs, exams, fulfillment, identity, notify
from libs.common.events.audit import Seal
from libs.common.mongo.client import Database
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork

COLLECTION: Final = "audit_sealed"

EVENTS: Final[dict[str, type[Seal]]] = {
    model.publisher: model
    for model in (
        identity.AuditSealed,
        exams.AuditSealed,
        certs.AuditSealed,
        fulfillment.AuditSealed,
        notify.AuditSealed,
    )
}
"""By the service that says it."""

log = structlog.get_logger(__name__)


class Sealing:
    """Seals the chains of one service that have grown."""

    EVERY: ClassVar = timedelta(minutes=1)

    def __init__(self, trail: AuditTrail, database: Database, unit_of_work: UnitOfWork, service: str) -> None:
        self._trail = trail
        self._sealed = database[COLLECTION]
        self._unit_of_work = unit_of_work
        self._event = EVENTS[service]

    async def run(self) -> None:
        """Tell the present heads. A chain that is shorter than it was is not sealed: its end was cut off."""
        for program, head in (await self._trail.heads()).items():
            await self._unit_of_work.run(partial(self._seal, program=program, head=head))

    async def _seal(self, transaction: Transaction, *, program: str, head: Head) -> None:
        known = await self._sealed.find_one({"_id": program}, session=transaction.session)
        before = known["n"] if known else 0
        if head.n <= before:
            if head.n < before:
                log.error("audit_log_shortened", program=program, records=head.n, sealed=before)
            return
        await self._sealed.replace_one({"_id": program}, {"n": head.n}, upsert=True, session=transaction.session)
        event = self._event(n=head.n, hash=head.hash, sealed_at=transaction.now)
        transaction.emit(event, program=program, subject="audit", version=head.n)
