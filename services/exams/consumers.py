"""What each message does in exams."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from libs.common.bus.ingress import MAX_VENDOR_BYTES, Reason, Refusal
from libs.common.bus.messages import Outgoing, Received
from libs.common.bus.topology import REJECTIONS
from libs.common.events import EventData, identity, vendors
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.links import LINK_EVENTS, LinkEvent, as_own_link, owner_of
from libs.common.mongo.merges import FAMILY_EVENTS, FamilyEvent
from libs.common.mongo.unit_of_work import Transaction
from libs.common.privacy.pseudonyms import is_pseudonym
from services.exams.domain.results import Verdict
from services.exams.history.achievements import achievement_key
from services.exams.moves import follows
from services.exams.onboarding.tally import KEPT, REFUSED, Channel, Judged
from services.exams.outgoing.people import People
from services.exams.registrations import RegistrationIntake, announce_appointment
from services.exams.reports import change_of, in_own_chain, report_of, vendor_name
from services.exams.results import ResultIntake, appointments_of
from services.exams.store import ExamsStore, registration_key, result_key
from services.exams.telling import announce, retract
from services.exams.watch.notes import noted

KEPT_CHARACTERS = 65_536
"""How much of a refused message is kept and sent back."""
ELSEWHERE = (
    *(vendors.CourseCompleted, vendors.BadgeReported),
    *(vendors.ShipmentReported, vendors.OrderRefused, vendors.StockReported),
)
"""What certs and fulfillment take in; it is only judged here."""
_PROGRAM = r"[a-z][a-z0-9]{1,30}"


class VendorMessages:
    """Takes in what vendors publish, and answers what cannot be accepted."""

    def __init__(self, store: ExamsStore) -> None:
        self._store = store

    async def handle(self, transaction: Transaction, items: Sequence[Any]) -> None:
        refusals = [item for item in items if isinstance(item, Refusal)]
        reports = _of(items, vendors.ExamResultReported)
        achievements = _of(items, vendors.AchievementReported)
        changes = _of(items, vendors.ExamRegistered, vendors.ExamAppointmentChanged)
        # Nothing tells a repetition of an appointment, or of what certs takes in.
        judged = [_judged(item, KEPT) for item in (*changes, *_of(items, *ELSEWHERE))]
        verdicts: list[Verdict] = []
        if changes:
            await RegistrationIntake(self._store, transaction).record([change_of(item) for item in changes])
        if reports:
            verdicts += await ResultIntake(self._store, transaction).record([report_of(item) for item in reports])
        if achievements:
            verdicts += await self._store.achievements.record(transaction, achievements)
        for item, verdict in zip((*reports, *achievements), verdicts, strict=True):
            if verdict is Verdict.CONFLICT:
                refusals.append(contradiction(item))
            else:
                judged.append(_judged(item, verdict))
        if refusals:
            judged += await self._reject(transaction, refusals)
        await self._store.tallies.note(transaction, judged)

    async def _reject(self, transaction: Transaction, refusals: Sequence[Refusal]) -> list[Judged]:
        rows = {row["_id"]: row for row in (rejection(refusal, transaction) for refusal in refusals)}
        for key in await self._store.add_rejections(transaction.session, rows):
            transaction.send(_answer(rows[key]))
        return [refused(row) for row in rows.values()]


Said = LinkEvent | FamilyEvent | identity.CandidateRegistered | identity.CandidateProfileChanged
"""What identity says that exams acts upon."""


class ServiceEvents:
    """Takes in what identity says: whose an id is, which accounts are one, and who the people are."""

    def __init__(self, store: ExamsStore) -> None:
        self._store = store
        self._people = People(store.outgoing)

    async def handle(
        self,
        transaction: Transaction,
        items: Sequence[
            Received[LinkEvent | FamilyEvent | identity.CandidateRegistered | identity.CandidateProfileChanged]
        ],
    ) -> None:
        families: list[Received[Any]] = [item for item in items if isinstance(item.data, FAMILY_EVENTS)]
        await self._store.merges.take(transaction.session, families)
        people = {each for item in families for each in (item.data.candidate_id, item.data.merged_id)}
        await self._store.watches.wake_of(transaction.session, people, transaction.now)
        await self._store.judge_again(transaction.session, families)
        await self._people.take(transaction, items)
        linked: list[Received[Any]] = [item for item in items if isinstance(item.data, LINK_EVENTS)]
        accounts: list[Received[Any]] = [item for item in items if _is_new_account(item)]
        linked += map(as_own_link, accounts)
        news = await self._store.links.link(transaction.session, linked)
        if news:
            await self._follow(transaction, news)

    async def _follow(self, transaction: Transaction, news: Mapping[str, Received[LinkEvent]]) -> None:
        """Let results and appointments follow their links."""
        session = transaction.session
        registrations = [
            row for row in await self._store.linked_registrations(session, news) if follows(row, news[row["link"]])
        ]
        for row in registrations:
            row |= {"candidate_id": owner_of(news[row["link"]]), "told": None}
            if row.get("watch"):
                row["watch"] = noted(row, transaction.now)
            announce_appointment(transaction, row, in_own_chain(row["history"], news[row["link"]]))
        results = [row for row in await self._store.linked_results(session, news) if follows(row, news[row["link"]])]
        for row in results:
            cause = news[row["link"]]
            retract(transaction, row, cause)
            row["candidate_id"] = owner_of(cause)
            announce(transaction, row, in_own_chain(row["revisions"], cause))
        await self._store.save_registrations(session, *_keyed(registrations))
        await self._store.save_results(session, *_keyed(results))
        await self._store.watches.wake(session, appointments_of(results), transaction.now)
        await self._store.achievements.follow(transaction, news)


def _is_new_account(item: Received[Any]) -> bool:
    return isinstance(item.data, identity.CandidateRegistered) and not is_pseudonym(item.data.candidate_id)


def _keyed(rows: Sequence[Document]) -> tuple[dict[str, Document], list[str]]:
    keys = [row["_id"] for row in rows]
    return dict(zip(keys, rows, strict=True)), keys


def contradiction(item: Received[vendors.ExamResultReported] | Received[vendors.AchievementReported]) -> Refusal:
    """The answer to a revision that was told otherwise before."""
    data = item.data
    named = data.result_id if isinstance(data, vendors.ExamResultReported) else data.achievement_id
    reason = Reason(
        "data.revision",
        "revision_conflict",
        f"revision {data.revision} of {named} was reported before and said something else",
    )
    return Refusal(vendor_name(item), (reason,), item.delivery, item.traceparent)


def _of(items: Sequence[Any], *kinds: type[EventData]) -> list[Received[Any]]:
    return [item for item in items if isinstance(item, Received) and isinstance(item.data, kinds)]


def _judged(item: Received[Any], verdict: str) -> Judged:
    vendor, program = vendor_name(item), item.event.program
    return Judged(vendor, program, Channel.BUS, str(verdict), message=item.event.id, about=about(item))


def about(item: Received[Any]) -> str | None:
    """The key of what a message speaks of: a result, an achievement, a registration; None of what is not ours."""
    vendor, program, data = vendor_name(item), item.event.program, item.data
    if isinstance(data, ELSEWHERE):
        return None
    if isinstance(data, vendors.ExamResultReported):
        return result_key(program, vendor, data.result_id)
    if isinstance(data, vendors.AchievementReported):
        return achievement_key(item)
    return registration_key(program, vendor, data.registration_id)


def refused(row: Document, channel: Channel = Channel.BUS) -> Judged:
    """What a rejection counts as."""
    code, program = row["reasons"][0]["code"], row["program"]
    if code == "unknown_program" or not re.fullmatch(_PROGRAM, program or ""):
        program = None
    return Judged(row["vendor"], program, channel, REFUSED, code, message=row["message_id"])


def rejection(refusal: Refusal, transaction: Transaction) -> Document:
    """A refusal as it is kept and told."""
    delivery = refusal.delivery
    original = delivery.body[:KEPT_CHARACTERS].decode("utf-8", errors="backslashreplace")
    # The same message refused twice, after a crash say, is one rejection.
    key = derived_id(refusal.vendor, delivery.message_id or "", delivery.routing_key, original)
    return {
        "_id": key,
        "vendor": refusal.vendor,
        "program": _program_in(delivery.body),
        "rejected_at": transaction.now,
        "routing_key": delivery.routing_key,
        "message_id": delivery.message_id,
        "content_type": delivery.content_type,
        "reasons": [reason._asdict() for reason in refusal.reasons],
        "original": original,
        "truncated": len(delivery.body) > KEPT_CHARACTERS,
    }


def _program_in(body: bytes) -> str | None:
    """The program that a message names, for whoever may read it; None where it cannot be told."""
    if len(body) > MAX_VENDOR_BYTES:  # refused unread
        return None
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    named = event.get("program") if isinstance(event, dict) else None
    return named if isinstance(named, str) else None


def _answer(row: Document) -> Outgoing:
    content = {("id" if key == "_id" else key): value for key, value in row.items() if key != "program"}
    return Outgoing(
        id=row["_id"],
        exchange=REJECTIONS,
        routing_key=row["vendor"],
        type="certrail.MessageRejected.v1",
        content_type="application/json",
        body=orjson.dumps(content),
    )
