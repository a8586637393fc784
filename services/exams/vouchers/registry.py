"""What happens to codes: they are imported, assigned, shown, handed over, used, withdrawn, and end."""

import random
from collections.abc import Collection, Sequence
from datetime import date, datetime

from libs.common.clock import Clock, as_stored
from libs.common.events import exams
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, invalid
from libs.common.mongo.client import Document, Session
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from libs.common.versions import next_version
from services.exams.store import ExamsStore
from services.exams.vouchers.codes import Codes
from services.exams.vouchers.states import State, Window
from services.exams.vouchers.store import VoucherStore, day_of

_AMONG = 32
"""The next code is drawn among so many: those who ask at the same moment seldom meet at one."""


class Vouchers:
    """The one way in which codes change, but for their import and their use."""

    def __init__(
        self, store: VoucherStore, exams_store: ExamsStore, codes: Codes, unit_of_work: UnitOfWork, clock: Clock
    ) -> None:
        self.store = store
        self._exams = exams_store
        self._codes = codes
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def assign(self, program: Program, voucher_id: str, candidate_id: str, by: str) -> Document:
        """Give one code to a candidate; to the same again, it changes nothing.

        Raises the problems `not-found`, `invalid-request` for no candidate of the program, and `conflict` where the
        code is not free.
        """

        async def work(transaction: Transaction) -> Document:
            row = await self.store.get(transaction.session, program.id, voucher_id)
            if row is None:
                raise Problem(NOT_FOUND)
            holder = await self._holder(transaction.session, program, candidate_id)
            if row["state"] == State.ASSIGNED and row["candidate_id"] == holder:
                return row
            if row["state"] != State.FREE or window_of(row).is_over(program.day_of(transaction.now)):
                raise Problem(CONFLICT, "the code is not free any more")
            return await self._give(transaction, row, holder, by)

        return await self._unit_of_work.run(work)

    async def assign_next(
        self, program: Program, batch: str, candidate_id: str, *, exam: str | None, by: str, operation: str
    ) -> Document:
        """Give a candidate the next free code of a batch: one that ends soonest, and is given to nobody else.

        The same operation again gives the same code. Raises the problems `not-found` for no such batch,
        `invalid-request` for no candidate of the program, and `conflict` where no code is left.
        """
        if not await self.store.has_batch(program.id, batch):
            raise Problem(NOT_FOUND)

        async def work(transaction: Transaction) -> Document:
            session = transaction.session
            known = await self.store.by_operation(session, program.id, operation)
            if known is not None:
                return known
            holder = await self._holder(session, program, candidate_id)
            today = program.day_of(transaction.now)
            free = await self.store.free(session, program.id, batch, today=today, exam=exam, limit=_AMONG)
            if not free:
                raise Problem(CONFLICT, "no code of the batch is left")
            soonest = [row for row in free if row["valid_until"] == free[0]["valid_until"]]
            row = random.choice(soonest)  # noqa: S311 which of equal ones is no secret
            return await self._give(transaction, row | {"operation": operation}, holder, by)

        return await self._unit_of_work.run(work)

    async def withdraw(self, program: Program, voucher_id: str, reason: str, by: str) -> Document:
        """End a code that nobody has used; again, it changes nothing. Raises the problems `not-found`, `conflict`."""

        async def work(transaction: Transaction) -> Document:
            row = await self.store.get(transaction.session, program.id, voucher_id)
            if row is None:
                raise Problem(NOT_FOUND)
            if row["state"] == State.USED:
                raise Problem(CONFLICT, "the code was used")
            if row["state"] != State.WITHDRAWN:
                row["state"] = State.WITHDRAWN
                row["history"].append(entry("withdrawn", transaction.now, by=by, reason=reason))
                await self.store.save_one(transaction.session, row)
            return row

        return await self._unit_of_work.run(work)

    async def show(self, program: Program, candidate_id: str, voucher_id: str) -> tuple[Document, str]:
        """A code in full, for its holder. Raises the problems `not-found`, and `conflict` once it has ended."""

        async def work(transaction: Transaction) -> Document:
            accounts = await self._exams.merges.family(transaction.session, candidate_id)
            row = await self._own(transaction.session, program, voucher_id, accounts)
            if row["state"] in {State.WITHDRAWN, State.EXPIRED}:
                raise Problem(CONFLICT, "the code is not good any more")
            if row["shown_at"] is None:
                row["shown_at"] = as_stored(transaction.now)
                row["history"].append(entry("shown", transaction.now, candidate_id=candidate_id))
                await self.store.save_one(transaction.session, row)
            return row

        row = await self._unit_of_work.run(work)
        return row, self._codes.open(row["sealed"])

    async def hand_over(
        self,
        transaction: Transaction,
        program: Program,
        voucher_id: str,
        accounts: Sequence[str],
        *,
        vendor: str,
        exam: str,
    ) -> str:
        """A candidate's own code, to go along to its vendor. Raises the problem `invalid-request` where it may not."""
        row = await self.store.get(transaction.session, program.id, voucher_id)
        if row is None or row["candidate_id"] not in accounts:
            raise invalid("body.voucher_id", "unknown", "is no code of this candidate's")
        good = window_of(row).holds(program.day_of(transaction.now)) and row["state"] == State.ASSIGNED
        if not good or row["vendor"] != vendor or (row["exams"] and exam not in row["exams"]):
            raise invalid("body.voucher_id", "unfit", "is not good for this exam at this vendor today")
        row["history"].append(entry("handed_over", transaction.now, candidate_id=accounts[0]))
        await self.store.save_one(transaction.session, row)
        return self._codes.open(row["sealed"])

    def find(self, program: str, vendor: str, code: str) -> str:
        """The name of a code, whether there is such a one or not."""
        return self._codes.voucher_id(program, vendor, code)

    async def of_candidate(self, program: str, candidate_id: str, limit: int) -> list[Document]:
        accounts = await self._exams.merges.family(None, candidate_id)
        return await self.store.of_accounts(program, accounts, limit)

    async def family(self, candidate_id: str) -> list[str]:
        """All accounts of a person."""
        return await self._exams.merges.family(None, candidate_id)

    async def _own(self, session: Session, program: Program, voucher_id: str, accounts: Collection[str]) -> Document:
        row = await self.store.get(session, program.id, voucher_id)
        if row is None or row["candidate_id"] not in accounts:
            raise Problem(NOT_FOUND)
        return row

    async def _holder(self, session: Session, program: Program, candidate_id: str) -> str:
        """The account that goes on. Raises the problem `invalid-request` for no candidate of the program."""
        accounts = await self._exams.merges.family(session, candidate_id)
        if not await self._exams.links.known(session, program.id, accounts):
            raise invalid("body.candidate_id", "unknown", "is no candidate of the program")
        return accounts[0]

    async def _give(self, transaction: Transaction, row: Document, holder: str, by: str) -> Document:
        row |= {"state": State.ASSIGNED, "candidate_id": holder, "assigned_at": as_stored(transaction.now)}
        row["history"].append(entry("assigned", transaction.now, by=by, candidate_id=holder))
        row["version"] = next_version(row["version"], transaction.now)
        await self.store.save_one(transaction.session, row)
        told = exams.VoucherAssigned(
            candidate_id=holder,
            voucher_id=row["_id"],
            kind=row["kind"],
            vendor=row["vendor"],
            exams=tuple(row["exams"]),
            value=row["value"],
            valid_until=day_of(row["valid_until"]),
        )
        transaction.emit(told, program=row["program"], subject=holder, version=row["version"])
        return row


def entry(what: str, at: datetime, **more: str | None) -> Document:
    """A line of a code's history."""
    return {"what": what, "at": as_stored(at), "by": None, "candidate_id": None, "reason": None, **more}


def window_of(row: Document) -> Window:
    first = row["valid_from"]
    return Window(date.fromisoformat(first) if first else None, day_of(row["valid_until"]))
