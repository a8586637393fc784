"""Takes registrations and changes of appointments in, whichever comes first, and tells the appointment's state."""

from collections.abc import Sequence
from typing import Any

from libs.common.bus.messages import Received
from libs.common.clock import as_stored
from libs.common.events import exams, vendors
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.versions import next_version
from services.exams.domain.appointments import Appointment, State, change, register
from services.exams.results import link_of, vendor_name
from services.exams.store import ExamsStore, registration_key


class RegistrationIntake:
    """Records the registrations and changes of appointments of one batch."""

    def __init__(self, store: ExamsStore, transaction: Transaction) -> None:
        self._store = store
        self._transaction = transaction

    async def record(
        self, messages: Sequence[Received[vendors.ExamRegistered | vendors.ExamAppointmentChanged]]
    ) -> None:
        session = self._transaction.session
        keys = [registration_key(m.event.program, vendor_name(m), m.data.registration_id) for m in messages]
        rows = await self._store.registrations(session, keys)
        known = set(rows)
        links = [_registration_link(message) for message in messages]
        candidates = await self._store.links.candidates_of(session, [link for link in links if link])
        changed: dict[str, Document] = {}
        for message, key, link in zip(messages, keys, links, strict=True):
            row = self._apply(message, rows.get(key), key, link)
            if row is None:
                continue
            if row["candidate_id"] is None and row["link"] is not None:
                row["candidate_id"] = candidates.get(row["link"])
            rows[key] = changed[key] = row
            announce_appointment(self._transaction, row, message)
        await self._store.save_registrations(session, changed, known)
        waiting = {row["link"] for row in changed.values() if row["candidate_id"] is None and row["link"]}
        await self._store.links.wait_for(session, waiting)

    def _apply(
        self,
        message: Received[vendors.ExamRegistered | vendors.ExamAppointmentChanged],
        row: Document | None,
        key: str,
        link: str | None,
    ) -> Document | None:
        """The row as the message leaves it; None where the message says nothing new."""
        known = _appointment(row)
        said_at = as_stored(message.event.time)
        data = message.data
        if isinstance(data, vendors.ExamRegistered):
            if row is not None and row["link"] is not None:
                return None
            after = register(known, as_stored(data.scheduled_at), said_at)
        else:
            scheduled_at = as_stored(data.scheduled_at) if data.scheduled_at else None
            after = change(known, State(data.change), scheduled_at, said_at)
            if after == known:
                return None
        new = dict(row) if row else _new_registration(message, key)
        if isinstance(data, vendors.ExamRegistered):
            new |= {
                "link": link,
                "vendor_candidate_id": data.vendor_candidate_id,
                "exam_code": data.exam_code,
                "delivery": data.delivery,
                "site": data.site,
            }
        new |= {"state": after.state.value, "said_at": after.said_at}
        new |= {"scheduled_at": after.scheduled_at, "moved_at": after.moved_at}
        return new


def announce_appointment(transaction: Transaction, row: Document, cause: Received[Any] | None) -> None:
    """Tell an appointment's first state, then each change of it, once it has a candidate and its registration."""
    candidate_id = row["candidate_id"]
    if candidate_id is None or row["link"] is None or row["scheduled_at"] is None:
        return
    common: dict[str, Any] = {
        "candidate_id": candidate_id,
        "registration_id": row["registration_id"],
        "exam_code": row["exam_code"],
        "scheduled_at": row["scheduled_at"],
    }
    told = row["told"]
    now_is = [row["state"], row["scheduled_at"]]
    if told == now_is:
        return
    row["told"] = now_is
    if told is None:
        scheduled = exams.ExamScheduled(**common, delivery=row["delivery"], site=row["site"])
        _emit(transaction, row, scheduled, cause)
    if row["state"] != State.SCHEDULED:
        _emit(transaction, row, exams.ExamAppointmentChanged(**common, change=row["state"]), cause)


def _emit(
    transaction: Transaction,
    row: Document,
    event: exams.ExamScheduled | exams.ExamAppointmentChanged,
    cause: Received[Any] | None,
) -> None:
    row["version"] = next_version(row["version"], transaction.now)
    transaction.emit(event, program=row["program"], subject=row["candidate_id"], version=row["version"], cause=cause)


def _registration_link(message: Received[Any]) -> str | None:
    return link_of(message) if isinstance(message.data, vendors.ExamRegistered) else None


def _appointment(row: Document | None) -> Appointment | None:
    if row is None:
        return None
    return Appointment(State(row["state"]), row["said_at"], row["scheduled_at"], row["moved_at"])


def _new_registration(message: Received[Any], key: str) -> Document:
    return {
        "_id": key,
        "program": message.event.program,
        "vendor": vendor_name(message),
        "registration_id": message.data.registration_id,
        "candidate_id": None,
        "link": None,
        "told": None,
        "version": None,
    }
