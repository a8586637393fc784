"""What each message does in exams."""

from collections.abc import Sequence
from typing import Any

import orjson

from libs.common.bus.ingress import Refusal
from libs.common.bus.messages import Outgoing, Received
from libs.common.bus.topology import REJECTIONS
from libs.common.events import identity, vendors
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.links import link_id
from libs.common.mongo.unit_of_work import Transaction
from services.exams.registrations import RegistrationIntake, announce_appointment
from services.exams.results import ResultIntake, announce
from services.exams.store import ExamsStore

KEPT_CHARACTERS = 65_536
"""How much of a refused message is kept and sent back."""


class VendorMessages:
    """Takes in what vendors publish, and answers what cannot be accepted."""

    def __init__(self, store: ExamsStore) -> None:
        self._store = store

    async def handle(self, transaction: Transaction, items: Sequence[Any]) -> None:
        refusals = [item for item in items if isinstance(item, Refusal)]
        registrations: list[Received[Any]] = []
        results: list[Received[Any]] = []
        for item in items:
            if isinstance(item, Received) and not isinstance(item.data, vendors.CourseCompleted):
                (results if isinstance(item.data, vendors.ExamResultReported) else registrations).append(item)
        if registrations:
            await RegistrationIntake(self._store, transaction).record(registrations)
        if results:
            refusals += await ResultIntake(self._store, transaction).record(results)
        if refusals:
            await self._reject(transaction, refusals)

    async def _reject(self, transaction: Transaction, refusals: Sequence[Refusal]) -> None:
        rows = {row["_id"]: row for row in (_rejection(refusal, transaction) for refusal in refusals)}
        for key in await self._store.add_rejections(transaction.session, rows):
            transaction.send(_answer(rows[key]))


class ServiceEvents:
    """Takes in what identity says: whose a partner's id is."""

    def __init__(self, store: ExamsStore) -> None:
        self._store = store

    async def handle(self, transaction: Transaction, items: Sequence[Received[identity.ExternalIdLinked]]) -> None:
        session = transaction.session
        links = {link_id(item.event.program, item.data.system, item.data.external_id): item for item in items}
        candidates = {link: item.data.candidate_id for link, item in links.items()}
        waiting = await self._store.links.link(session, candidates)
        if not waiting:
            return
        results = await self._store.waiting_results(session, waiting)
        registrations = await self._store.waiting_registrations(session, waiting)
        for row in registrations:
            row["candidate_id"] = candidates[row["link"]]
            announce_appointment(transaction, row, links[row["link"]])
        for row in results:
            row["candidate_id"] = candidates[row["link"]]
            announce(transaction, row, links[row["link"]])
        keys = [row["_id"] for row in registrations]
        await self._store.save_registrations(session, dict(zip(keys, registrations, strict=True)), keys)
        keys = [row["_id"] for row in results]
        await self._store.save_results(session, dict(zip(keys, results, strict=True)), keys)


def _rejection(refusal: Refusal, transaction: Transaction) -> Document:
    delivery = refusal.delivery
    original = delivery.body[:KEPT_CHARACTERS].decode("utf-8", errors="backslashreplace")
    # The same message refused twice, after a crash say, is one rejection.
    key = derived_id(refusal.vendor, delivery.message_id or "", delivery.routing_key, original)
    return {
        "_id": key,
        "vendor": refusal.vendor,
        "rejected_at": transaction.now,
        "routing_key": delivery.routing_key,
        "message_id": delivery.message_id,
        "content_type": delivery.content_type,
        "reasons": [reason._asdict() for reason in refusal.reasons],
        "original": original,
        "truncated": len(delivery.body) > KEPT_CHARACTERS,
    }


def _answer(row: Document) -> Outgoing:
    content = {("id" if key == "_id" else key): value for key, value in row.items()}
    return Outgoing(
        id=row["_id"],
        exchange=REJECTIONS,
        routing_key=row["vendor"],
        type="certrail.MessageRejected.v1",
        content_type="application/json",
        body=orjson.dumps(content),
    )
