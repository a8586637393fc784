"""Rights to sit an exam: granted, changed, withdrawn by staff or systems, and told to the vendor in files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Literal

from libs.common.clock import Clock
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, invalid
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.jobs import Job
from libs.common.mongo.merges import Merges
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from libs.common.vendor_files.letters import Fault, unsendable
from services.exams.outgoing.definition import AuthorizationsShape
from services.exams.outgoing.profiles import new_profile
from services.exams.outgoing.standings import (
    NotNow,
    Standing,
    State,
    Type,
    again,
    changed,
    expired,
    is_known,
    withdrawn,
)
from services.exams.outgoing.store import OutgoingStore
from services.exams.vendors.definition import Vendor

What = Literal["granted", "changed", "withdrawn", "again", "sent", "answered", "expired"]
_ID_LENGTH = 20
"""80 random bits, and short enough for every vendor."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an authorization says.

    Attributes:
        first: the first day on which the exam may be sat, at the vendor's place.
        last: the last one; None for as many days as the vendor's definition has.
    """

    exam_code: str
    first: date
    last: date | None
    attempts: int
    accommodations: str | None


class Authorizations:
    """Keeps authorizations with their history."""

    EVERY: ClassVar = timedelta(minutes=1)
    SLICE: ClassVar = 200

    def __init__(  # noqa: PLR0917 parts
        self,
        store: OutgoingStore,
        merges: Merges,
        unit_of_work: UnitOfWork,
        vendors: Mapping[str, Vendor],
        programs: Mapping[str, Program],
        clock: Clock,
    ) -> None:
        self._store = store
        self._merges = merges
        self._unit_of_work = unit_of_work
        self._vendors = vendors
        self._programs = programs
        self._clock = clock

    def job(self) -> Job:
        return Job("authorizations", self.EVERY, self.expire)

    async def grant(
        self, program: str, candidate_id: str, vendor_id: str, terms: Terms, *, operation_id: str, by: str
    ) -> Document:
        """Let a candidate sit an exam; the same operation again gives what it gave.

        Raises the problems `not-found` for a candidate whom the program does not have, and `invalid-request` for a
        vendor, an exam or days that cannot be.
        """
        vendor, section = self._taker(program, vendor_id)
        terms = self._checked(program, terms, section)
        key = derived_id("authorization", operation_id)[:_ID_LENGTH]

        async def work(transaction: Transaction) -> Document:
            session = transaction.session
            known = await self._store.authorization(session, key)
            if known is not None:
                return known
            person = await self._store.person(session, program, candidate_id)
            if person is None:
                raise Problem(NOT_FOUND)
            goes_on = (await self._merges.survivors(session, [candidate_id])).get(candidate_id, candidate_id)
            waits = False
            if vendor.demographics is not None:
                profile = await self._store.note_profile(session, new_profile(program, vendor.id, goes_on))
                waits = not is_known(profile)
            row: Document = {
                "_id": key,
                "program": program,
                "vendor": vendor.id,
                "candidate_id": goes_on,
                "waits": waits,
                "granted_at": transaction.now,
                "history": [],
            }
            write_standing(row, Standing(), transaction.now, "granted", by, terms=terms)
            await self._store.save_authorizations(session, [row])
            return row

        return await self._unit_of_work.run(work)

    async def change(self, program: str, key: str, terms: Mapping[str, Any], *, by: str) -> Document:
        """Change what an authorization says; fields left out stay. Raises problems as `grant`, and `conflict`."""

        async def work(transaction: Transaction) -> Document:
            row = await self._get(transaction, program, key)
            _, section = self._taker(program, row["vendor"])
            before = terms_of(row)
            after = self._checked(program, replace(before, **terms), section)
            if after == before:
                return row
            _step(row, changed, transaction.now, "changed", by, terms=after)
            await self._store.save_authorizations(transaction.session, [row])
            return row

        return await self._unit_of_work.run(work)

    async def withdraw(self, program: str, key: str, *, reason: str, by: str) -> Document:
        """Take an authorization back; once more it changes nothing. Raises `not-found` and `conflict`."""

        async def work(transaction: Transaction) -> Document:
            row = await self._get(transaction, program, key)
            if row["state"] != State.WITHDRAWN:
                _step(row, withdrawn, transaction.now, "withdrawn", by, note=reason)
                await self._store.save_authorizations(transaction.session, [row])
            return row

        return await self._unit_of_work.run(work)

    async def send_again(self, program: str, key: str, *, by: str) -> Document:
        """Send what the vendor has refused once more. Raises `not-found` and `conflict`."""

        async def work(transaction: Transaction) -> Document:
            row = await self._get(transaction, program, key)
            _step(row, again, transaction.now, "again", by)
            await self._store.save_authorizations(transaction.session, [row])
            return row

        return await self._unit_of_work.run(work)

    async def get(self, program: str, key: str) -> Document:
        """One of a program. Raises the problem `not-found`."""
        row = await self._store.authorization(None, key)
        if row is None or row["program"] != program:
            raise Problem(NOT_FOUND)
        return row

    async def expire(self) -> None:
        """End those whose last day is over where the vendor is."""
        for vendor in self._vendors.values():
            if vendor.authorizations is None:
                continue
            today = self._clock.now().astimezone(vendor.time_zone).date().isoformat()
            work = partial(self._expire_slice, vendor=vendor.id, today=today)
            while await self._unit_of_work.run(work) == self.SLICE:
                pass

    async def _expire_slice(self, transaction: Transaction, *, vendor: str, today: str) -> int:
        going_on = [State.PENDING, State.SENT, State.ACCEPTED, State.REFUSED]
        rows = await self._store.over(transaction.session, vendor, going_on, today, self.SLICE)
        for row in rows:
            _step(row, expired, transaction.now, "expired", "certrail")
        await self._store.save_authorizations(transaction.session, rows)
        return len(rows)

    async def _get(self, transaction: Transaction, program: str, key: str) -> Document:
        row = await self._store.authorization(transaction.session, key)
        if row is None or row["program"] != program:
            raise Problem(NOT_FOUND)
        return row

    def _taker(self, program: str, vendor_id: str) -> tuple[Vendor, AuthorizationsShape]:
        vendor = self._vendors.get(vendor_id)
        if vendor is None or program not in vendor.programs or vendor.authorizations is None:
            raise invalid("body.vendor", "unknown_vendor", "the program has no such vendor that takes authorizations")
        return vendor, vendor.authorizations

    def _checked(self, program: str, terms: Terms, section: AuthorizationsShape) -> Terms:
        if self._programs[program].find_exam(terms.exam_code) is None:
            raise invalid("body.exam_code", "unknown_exam", f"the program has no exam {terms.exam_code!r}")
        try:
            last = terms.last or terms.first + timedelta(days=section.days - 1)
        except OverflowError:
            raise invalid("body.first", "too_late", "lies too far ahead") from None
        if last < terms.first:
            raise invalid("body.last", "before_first", "must not be before the first day")
        texts = {"exam_code": ("ExamSeriesCode", terms.exam_code)}
        texts["accommodations"] = ("Accommodations", terms.accommodations or "")
        for field, (column, text) in texts.items():
            fault = unsendable(text, section.letters, section.length(column))
            if fault is not None:
                raise invalid(f"body.{field}", fault, _FAULTS[fault])
        return replace(terms, last=last)


_FAULTS: Mapping[Fault, str] = {
    "letters": "has letters that the vendor cannot take",
    "too_long": "is longer than the vendor takes",
}


def standing_of(row: Document) -> Standing:
    """Where an authorization stands."""
    todo = row["todo"]
    return Standing(
        State(row["state"]), Type(todo) if todo else None, row["known"], row["sent"], row["heard"], row["text"]
    )


def terms_of(row: Document) -> Terms:
    """What an authorization says."""
    return Terms(
        row["exam_code"],
        date.fromisoformat(row["first"]),
        date.fromisoformat(row["last"]),
        row["attempts"],
        row["accommodations"],
    )


def _step(
    row: Document,
    step: Callable[[Standing], Standing],
    moment: datetime,
    what: What,
    by: str,
    *,
    note: str | None = None,
    terms: Terms | None = None,
) -> None:
    try:
        after = step(standing_of(row))
    except NotNow as error:
        raise Problem(CONFLICT, str(error)) from None
    write_standing(row, after, moment, what, by, note=note, terms=terms)


def write_standing(
    row: Document,
    now: Standing,
    moment: datetime,
    what: What,
    by: str,
    *,
    note: str | None = None,
    terms: Terms | None = None,
) -> None:
    """Write where a row stands now, with how it came there."""
    row |= {
        "state": now.state.value,
        "todo": now.todo.value if now.todo else None,
        "known": now.known,
        "sent": now.sent,
        "heard": now.heard,
        "text": now.text,
        "changed_at": moment,
    }
    if terms is not None:
        row |= _said(terms)
    entry = {"at": moment, "what": what, "by": by, "state": now.state.value, "note": note}
    row["history"] = [*row["history"], entry | (_said(terms) if terms else {})]


def _said(terms: Terms) -> Document:
    if terms.last is None:
        raise ValueError("terms that were checked have a last day")
    return {
        "exam_code": terms.exam_code,
        "first": terms.first.isoformat(),
        "last": terms.last.isoformat(),
        "attempts": terms.attempts,
        "accommodations": terms.accommodations,
    }
