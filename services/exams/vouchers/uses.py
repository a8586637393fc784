"""Who has used a code: what vendors name with a registration or a result, and what is wrong with that.

A use is kept also where the code is not in the registry yet, so the order in which the list and the use arrive does not
matter. Of the code only its keyed hash is kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from typing import ClassVar

from prometheus_client import Counter, Gauge

from libs.common.clock import Clock, as_stored
from libs.common.mongo.client import Document, Session
from libs.common.mongo.jobs import Job
from libs.common.mongo.merges import Merges
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.exams.codes_used import Use
from services.exams.vouchers.codes import Codes
from services.exams.vouchers.registry import entry, window_of
from services.exams.vouchers.states import Flag, State, flags
from services.exams.vouchers.store import VoucherStore

USED = Counter("certrail_vouchers_used_total", "Codes used", ["vendor"])
FREE = Gauge("certrail_vouchers_free", "Codes that can be assigned", ["program", "batch"])


class VoucherUses:
    """Settles uses. Those by somebody who is not known yet are looked at again, and so are those by another."""

    def __init__(self, store: VoucherStore, merges: Merges, codes: Codes, programs: Mapping[str, Program]) -> None:
        self._store = store
        self._merges = merges
        self._codes = codes
        self._programs = programs

    async def record(self, transaction: Transaction, uses: Sequence[Use]) -> None:
        """Note uses, and mark the codes of them that are in the registry as used; again, it changes nothing."""
        if not uses:
            return
        named = {use: self._codes.voucher_id(use.program, use.vendor, use.code) for use in uses}
        known = await self._store.many(transaction.session, named.values())
        rows = dict(known)
        changed: dict[str, Document] = {}
        for use, voucher_id in named.items():
            row = rows.setdefault(voucher_id, _unknown(voucher_id, use, transaction.now))
            if all(kept["registration_id"] != use.registration_id for kept in row["uses"]):
                row["uses"].append({"registration_id": use.registration_id, "said_at": as_stored(use.said_at)})
                changed[voucher_id] = row
        await self.settle(transaction, changed.values())
        await self._store.save(transaction.session, list(changed.values()), known)

    async def settle(self, transaction: Transaction, rows: Iterable[Document]) -> None:
        """Bring codes up to date with what is known of their uses. Whoever calls it saves them."""
        for row in rows:
            if row["state"] is not None and row["uses"]:
                await self._settle(transaction, row)

    async def _settle(self, transaction: Transaction, row: Document) -> None:
        session = transaction.session
        uses = sorted(row["uses"], key=lambda use: (use["said_at"], use["registration_id"]))
        if row["used"] is None:
            first = uses[0]
            row["used"] = {
                "before": row["state"],
                "registration_id": first["registration_id"],
                "at": first["said_at"],
            }
            row["state"] = State.USED
            row["history"].append(entry("used", transaction.now))
            transaction.on_commit(USED.labels(row["vendor"]).inc)
        used = row["used"]
        used["candidate_id"] = await self._user(session, row, used["registration_id"])
        holders = await self._merges.family(session, row["candidate_id"]) if row["candidate_id"] else []
        program = self._programs.get(row["program"])
        row["flags"] = flags(
            State(used["before"]),
            window_of(row),
            program.day_of(used["at"]) if program else used["at"].date(),
            holders=holders,
            used_by=used["candidate_id"],
            registrations=[use["registration_id"] for use in uses],
        )
        row["waits"] = used["candidate_id"] is None or Flag.ANOTHER in row["flags"]

    async def _user(self, session: Session, row: Document, registration_id: str) -> str | None:
        found = await self._store.user(session, row["program"], row["vendor"], registration_id)
        return None if found is None else (await self._merges.survivors(session, [found])).get(found, found)


def _unknown(voucher_id: str, use: Use, now: datetime) -> Document:
    """A code that is not in the registry, perhaps not yet."""
    return {
        "_id": voucher_id,
        "program": use.program,
        "vendor": use.vendor,
        "state": None,
        "uses": [],
        "noted_at": as_stored(now),
    }


class VoucherWatch:
    """What is due by time: codes end after their last day, uses find their candidate, and the stock is counted."""

    EVERY: ClassVar = timedelta(minutes=1)
    SLICE: ClassVar = 200

    def __init__(
        self,
        store: VoucherStore,
        uses: VoucherUses,
        programs: Mapping[str, Program],
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._store = store
        self._uses = uses
        self._programs = programs
        self._unit_of_work = unit_of_work
        self._clock = clock

    def job(self) -> Job:
        return Job("vouchers", self.EVERY, self.run)

    async def run(self) -> None:
        now = self._clock.now()
        for program in list(self._programs.values()):
            while ids := await self._store.over(program.id, program.day_of(now), self.SLICE):
                await self._store.expire(ids, entry("expired", now))
        await self._find_users()
        await self._count()

    async def _find_users(self) -> None:
        after = ""
        while True:

            async def work(transaction: Transaction, after: str = after) -> str | None:
                rows = await self._store.waiting(transaction.session, after, self.SLICE)
                before = deepcopy(rows)
                await self._uses.settle(transaction, rows)
                changed = [row for row, was in zip(rows, before, strict=True) if row != was]
                await self._store.save(transaction.session, changed, [row["_id"] for row in rows])
                return str(rows[-1]["_id"]) if len(rows) == self.SLICE else None

            last = await self._unit_of_work.run(work)
            if last is None:
                return
            after = last

    async def _count(self) -> None:
        found = await self._store.batches(list(self._programs))
        FREE.clear()  # after the question, so that nobody reads an empty stock meanwhile
        for program, batch, counts in found:
            FREE.labels(program, batch).set(counts.get(State.FREE, 0))
