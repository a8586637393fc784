"""Takes registrations and changes of appointments in, whichever comes first, and tells the appointment's state."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from libs.common.bus.messages import Cause
from libs.common.clock import as_stored
from libs.common.events import exams, vendors
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.versions import next_version
from services.exams.domain.appointments import Appointment, State, change, register
from services.exams.reports import Change, chain_of, uses_of
from services.exams.store import ExamsStore, registration_key
from services.exams.watch.notes import noted


class RegistrationIntake:
    """Records the registrations and changes of appointments of one batch."""

    def __init__(self, store: ExamsStore, transaction: Transaction) -> None:
        self._store = store
        self._transaction = transaction

    async def record(self, changes: Sequence[Change]) -> None:
        """Apply words on appointments in their order."""
        session = self._transaction.session
        keys = [registration_key(each.program, each.vendor, each.data.registration_id) for each in changes]
        rows = await self._store.registrations(session, keys)
        known = set(rows)
        links = {each.link for each in changes if each.link is not None}
        candidates = await self._store.links.candidates_of(session, links)
        changed: dict[str, Document] = {}
        for each, key in zip(changes, keys, strict=True):
            row = self._apply(each, rows.get(key), key)
            if row is None:
                continue
            if row["candidate_id"] is None and row["link"] is not None:
                row["candidate_id"] = candidates.get(row["link"])
            rows[key] = changed[key] = row
            announce_appointment(self._transaction, row, each.origin)
        await self._store.save_registrations(session, changed, known)
        waiting = {row["link"] for row in changed.values() if row["candidate_id"] is None and row["link"]}
        await self._store.links.wait_for(session, waiting)
        await self._store.note_codes(self._transaction, uses_of(changes))

    def _apply(self, each: Change, row: Document | None, key: str) -> Document | None:
        """The row as the word leaves it; None where it says nothing new."""
        known, data = _appointment(row), each.data
        if isinstance(data, vendors.ExamRegistered):
            if row is not None and row["link"] is not None:
                return None
            after = register(known, as_stored(data.scheduled_at), each.said_at)
        else:
            scheduled_at = as_stored(data.scheduled_at) if data.scheduled_at else None
            after = change(known, State(data.change), scheduled_at, each.said_at, data.reason)
            if after == known:
                return None
        new = {**row, "history": [*row["history"]]} if row else _new_registration(each, key)
        if isinstance(data, vendors.ExamRegistered):
            new |= {
                "link": each.link,
                "vendor_candidate_id": data.vendor_candidate_id,
                "exam_code": data.exam_code,
                "delivery": data.delivery,
                "site": data.site,
            }
        if data.scheduled_at is not None and as_stored(data.scheduled_at) == after.scheduled_at:
            new["utc_offset"] = _minutes(data.scheduled_at)
        new["history"].append(_step(each, self._transaction))
        new |= {"state": after.state.value, "reason": after.reason, "said_at": after.said_at}
        new |= {"scheduled_at": after.scheduled_at, "moved_at": after.moved_at}
        new["watch"] = noted(new, self._transaction.now)
        return new


def announce_appointment(transaction: Transaction, row: Document, cause: Cause | None) -> None:
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
        changed = exams.ExamAppointmentChanged(**common, change=row["state"], reason=row["reason"])
        _emit(transaction, row, changed, cause)


def _emit(
    transaction: Transaction,
    row: Document,
    event: exams.ExamScheduled | exams.ExamAppointmentChanged,
    cause: Cause | None,
) -> None:
    row["version"] = next_version(row["version"], transaction.now)
    transaction.emit(event, program=row["program"], subject=row["candidate_id"], version=row["version"], cause=cause)


def _appointment(row: Document | None) -> Appointment | None:
    if row is None:
        return None
    return Appointment(State(row["state"]), row["said_at"], row["scheduled_at"], row["moved_at"], row["reason"])


def _minutes(moment: datetime) -> int:
    """Its offset from UTC, which tells the local time at the place of delivery."""
    offset = moment.utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0


def _step(each: Change, transaction: Transaction) -> Document:
    """A word on an appointment as it is kept."""
    data = each.data
    changed = data if isinstance(data, vendors.ExamAppointmentChanged) else None
    return {
        "state": changed.change if changed else State.SCHEDULED.value,
        "reason": changed.reason if changed else None,
        "scheduled_at": as_stored(data.scheduled_at) if data.scheduled_at else None,
        "said_at": each.said_at,
        "known_at": transaction.now,
        "source": each.source._asdict(),
        **chain_of(each.source, each.origin),
    }


def _new_registration(each: Change, key: str) -> Document:
    return {
        "_id": key,
        "program": each.program,
        "vendor": each.vendor,
        "registration_id": each.data.registration_id,
        "candidate_id": None,
        "link": None,
        "told": None,
        "version": None,
        "utc_offset": 0,
        "history": [],
    }
