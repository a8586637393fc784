"""Takes notifications in: each kept as it was sent, in one transaction with what it does."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from prometheus_client import Counter
from pymongo import ASCENDING, IndexModel

from libs.common.bus.ingress import CLOCK_SKEW, Catalogue, Reason
from libs.common.clock import as_stored
from libs.common.ids import derived_id
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.links import link_id
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy.retention import Period
from services.exams.consumers import KEPT_CHARACTERS
from services.exams.domain.results import Act
from services.exams.notices.shapes import (
    AppointmentNotification,
    MeasureNotification,
    Notification,
    NotifiedResult,
    Read,
    ResultNotification,
    named,
)
from services.exams.onboarding.tally import KEPT, REFUSED, Channel, Judged
from services.exams.registrations import RegistrationIntake
from services.exams.reports import Change, Measure, Report, Source
from services.exams.results import ResultIntake
from services.exams.store import ExamsStore, registration_key, result_key

COLLECTION = "notifications"
COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    COLLECTION: [
        IndexModel([("received_at", ASCENDING)], name="received"),
    ],
}
PERIOD = Period(COLLECTION, "received_at", timedelta(days=90))
"""They may hold whatever their vendor wrote, like refused messages. What comes again later is known by its result."""

_ACTS = {"hold": Act.HOLD, "release": Act.RELEASE, "revoke": Act.REVOKE, "un_revoke": Act.RESTORE}

NOTIFICATIONS = Counter(
    "certrail_notifications_total", "Vendors' notifications by what became of them", ["vendor", "verdict"]
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one notification.

    Attributes:
        verdict: as the result's (`new`, `revised`, `stale`, `duplicate`), `kept`, or `refused` for the reasons given.
    """

    id: str | None
    verdict: str
    reasons: tuple[Reason, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class _Taken:
    """A notification that may have its effect."""

    place: int
    notification: Notification
    raw: bytes


class Notices:
    """Judges, applies and keeps notifications.

    Args:
        programs: whose exams there are.
    """

    def __init__(
        self, database: Database, store: ExamsStore, unit_of_work: UnitOfWork, programs: Mapping[str, Catalogue]
    ) -> None:
        self._rows = database[COLLECTION]
        self._store = store
        self._unit_of_work = unit_of_work
        self._programs = programs

    async def take(self, vendor: str, programs: frozenset[str], items: Sequence[Read]) -> list[Answer]:
        """An answer for each, in their order. What is not refused has been committed with all that follows from it.

        Args:
            vendor: who notifies.
            programs: for which it may.
            items: what it says.
        """

        async def work(transaction: Transaction) -> list[Answer]:
            return await self._take(transaction, vendor, programs, items)

        answers = await self._unit_of_work.run(work)
        for answer in answers:
            NOTIFICATIONS.labels(vendor, "repeated" if answer.repeated else answer.verdict).inc()
        return answers

    async def _take(
        self, transaction: Transaction, vendor: str, programs: frozenset[str], items: Sequence[Read]
    ) -> list[Answer]:
        known = await self._known(transaction.session, vendor, items)
        answers: dict[int, Answer] = {}
        fresh: dict[str, _Taken] = {}
        again: list[tuple[int, Notification]] = []
        for place, item in enumerate(items):
            said = item.notification
            reasons = item.reasons if said is None else self._faults(said, programs, transaction)
            if said is None or reasons:
                answers[place] = Answer(_id_of(item), REFUSED, tuple(reasons))
            elif said.id in known or said.id in fresh:
                again.append((place, said))
            else:
                fresh[said.id] = _Taken(place, said, item.raw)
        rows = await self._apply(transaction, vendor, list(fresh.values()))
        answers |= {taken.place: Answer(taken.notification.id, rows[key]["verdict"]) for key, taken in fresh.items()}
        answers |= {place: _once_more(said, (known | rows)[said.id]) for place, said in again}
        refused = [_rejection(vendor, items[at], each, transaction) for at, each in answers.items() if each.reasons]
        await self._store.add_rejections(transaction.session, {row["_id"]: row for row in refused})
        await self._store.tallies.note(transaction, self._judged(vendor, items, answers, rows))
        return [answers[place] for place in range(len(items))]

    async def _known(self, session: Session, vendor: str, items: Sequence[Read]) -> dict[str, Document]:
        ids = [f"{vendor}:{item.notification.id}" for item in items if item.notification is not None]
        found = self._rows.find({"_id": {"$in": ids}}, {"raw": 0}, session=session)
        return {row["notification_id"]: row async for row in found}

    def _faults(self, said: Notification, programs: frozenset[str], transaction: Transaction) -> list[Reason]:
        program = self._programs.get(said.program) if said.program in programs else None
        if program is None:
            return [Reason("program", "unknown_program", f"there is no program {said.program!r} for you")]
        latest = transaction.now + CLOCK_SKEW
        if said.occurred_at > latest:
            return [Reason("occurred_at", "schema", "lies in the future")]
        if not isinstance(said, ResultNotification):
            return []
        if program.find_exam(said.data.exam_code) is None:
            what = f"program {said.program} has no exam {said.data.exam_code!r}"
            return [Reason("data.exam_code", "unknown_exam", what)]
        return [Reason("data.taken_at", "schema", "lies in the future")] if said.data.taken_at > latest else []

    async def _apply(self, transaction: Transaction, vendor: str, taken: Sequence[_Taken]) -> dict[str, Document]:
        """Let notifications have their effect, and keep them. Returns the rows kept, by the notifications' ids."""
        changes = [each for each in taken if isinstance(each.notification, AppointmentNotification)]
        words = [each for each in taken if not isinstance(each.notification, AppointmentNotification)]
        if changes:
            said = [_change(vendor, each.notification) for each in changes]
            await RegistrationIntake(self._store, transaction).record(said)
        verdicts = dict.fromkeys((each.notification.id for each in taken), KEPT)
        if words:
            reports = [_report(vendor, each) for each in words]
            found = await ResultIntake(self._store, transaction).record(reports)
            for each, verdict in zip(words, found, strict=True):
                if isinstance(each.notification, ResultNotification):
                    verdicts[each.notification.id] = verdict.value
        rows = {each.notification.id: _row(vendor, each, transaction) for each in taken}
        for key, row in rows.items():
            row["verdict"] = verdicts[key]
        if rows:
            await self._rows.insert_many(list(rows.values()), session=transaction.session, ordered=False)
        return rows

    def _judged(
        self,
        vendor: str,
        items: Sequence[Read],
        answers: Mapping[int, Answer],
        rows: Mapping[str, Document],
    ) -> list[Judged]:
        found = []
        for place, answer in answers.items():
            said = items[place].notification
            program = said.program if said and said.program in self._programs else None
            judged = Judged(vendor, program, Channel.NOTIFICATION, answer.verdict, message=answer.id)
            if answer.reasons:
                judged = replace(judged, code=answer.reasons[0].code)
            elif answer.repeated:
                judged = replace(judged, verdict="repeated")
            if answer.id is not None and answer.id in rows:
                judged = replace(judged, about=rows[answer.id]["about"])
            found.append(judged)
        return found


def _once_more(said: Notification, row: Document) -> Answer:
    if row["digest"] != _digest(said):
        reason = Reason("id", "id_reused", "another notification had this id; give each its own")
        return Answer(said.id, REFUSED, (reason,))
    return Answer(said.id, row["verdict"], repeated=True)


def _report(vendor: str, taken: _Taken) -> Report:
    said = taken.notification
    data: NotifiedResult | Measure
    link = None
    if isinstance(said, ResultNotification):
        data, link = said.data, link_id(said.program, vendor, said.data.vendor_candidate_id)
    elif isinstance(said, MeasureNotification):
        data = Measure(_ACTS[said.kind], said.data.result_id, said.data.registration_id)
    else:
        raise TypeError("an appointment is no result")
    return Report(
        program=said.program,
        vendor=vendor,
        data=data,
        link=link,
        said_at=as_stored(said.occurred_at),
        source=_source(said),
        raw=taken.raw,
        numbered=False,
    )


def _change(vendor: str, said: Notification) -> Change:
    if not isinstance(said, AppointmentNotification):
        raise TypeError("a result is no appointment")
    return Change(
        program=said.program,
        vendor=vendor,
        data=said.data,
        link=None,
        said_at=as_stored(said.occurred_at),
        source=_source(said),
    )


def _source(said: Notification) -> Source:
    return Source("notification", said.id)


def _row(vendor: str, taken: _Taken, transaction: Transaction) -> Document:
    said = taken.notification
    return {
        "_id": f"{vendor}:{said.id}",
        "vendor": vendor,
        "program": said.program,
        "notification_id": said.id,
        "kind": said.kind,
        "about": _about(vendor, said),
        "occurred_at": as_stored(said.occurred_at),
        "received_at": transaction.now,
        "digest": _digest(said),
        # Of a result it lies with the word that it became, which goes when its person is erased.
        "raw": None if isinstance(said, ResultNotification) else taken.raw.decode("utf-8", errors="backslashreplace"),
    }


def _about(vendor: str, said: Notification) -> str:
    if not isinstance(said, AppointmentNotification) and said.data.result_id is not None:
        return result_key(said.program, vendor, said.data.result_id)
    return registration_key(said.program, vendor, said.data.registration_id or "")


def _digest(said: Notification) -> str:
    """What makes two notifications the same: all that is read of them."""
    return hashlib.sha256(said.model_dump_json().encode()).hexdigest()


def _id_of(item: Read) -> str | None:
    return item.notification.id if item.notification else named(item.content, "id")


def _rejection(vendor: str, item: Read, answer: Answer, transaction: Transaction) -> Document:
    """A refused notification beside the refused messages of the bus, for staff; its vendor has its answer."""
    original = item.raw.decode("utf-8", errors="backslashreplace")
    kind = item.notification.kind if item.notification else named(item.content, "kind") or "unknown"
    return {
        "_id": derived_id(vendor, "notification", answer.id or "", original),
        "vendor": vendor,
        "program": item.notification.program if item.notification else named(item.content, "program"),
        "rejected_at": transaction.now,
        "routing_key": f"notification {kind}",
        "message_id": answer.id,
        "content_type": "application/json",
        "reasons": [reason._asdict() for reason in answer.reasons],
        "original": original[:KEPT_CHARACTERS],
        "truncated": len(original) > KEPT_CHARACTERS,
    }
