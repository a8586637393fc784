"""Everything that happens to cases: each step is stored with who took it, and told where the candidate should know."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from libs.common.casework.evidence import EvidenceStore
from libs.common.casework.progress import Opinion, Progress
from libs.common.casework.thread import Side, Step, assign, note, taken, was_decided_by, write, written
from libs.common.clock import Clock
from libs.common.events import EventData, identity
from libs.common.http.evidence import EvidenceUpload
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from libs.common.programs.cases import CaseKind
from services.identity.cases.acts import Acts, chosen
from services.identity.cases.store import CaseStore
from services.identity.domain.cases import State, due_on, same_order, same_request, same_result
from services.identity.store import IdentityStore

MOST_OPEN = 10
"""Open cases of one account: enough for anybody's troubles, and too few to try partners' ids out."""
MOST_A_DAY = 20
"""Cases that one account opens, withdrawn or not: each is told by a mail."""

SYSTEM = "system"
"""Who opens and ends cases that nobody asks for."""


_SAME: Mapping[CaseKind, Callable[[Document, Document], bool]] = {"missing_result": same_result, "kit": same_order}
"""What is one case of those that open by themselves."""


class Cases:
    """Opens cases and takes them forward."""

    def __init__(
        self,
        store: CaseStore,
        files: EvidenceStore,
        accounts: IdentityStore,
        acts: Acts,
        *,
        unit_of_work: UnitOfWork,
        programs: Mapping[str, Program],
        clock: Clock,
    ) -> None:
        self.store = store
        self.files = files
        self.accounts = accounts
        self._acts = acts
        self._unit_of_work = unit_of_work
        self._programs = programs
        self._clock = clock

    def program(self, program_id: str) -> Program:
        """Raises the problem `not-found`."""
        program = self._programs.get(program_id)
        if program is None:
            raise Problem(NOT_FOUND)
        return program

    def today(self, program_id: str) -> date:
        """The day of a program's calendar. Raises as `program` does."""
        return self.program(program_id).day_of(self._clock.now())

    async def account(self, program: str, candidate_id: str, transaction: Transaction | None = None) -> Document:
        """The account that goes on for an ID. Raises the problem `not-found`."""
        row = await self.accounts.standing(program, candidate_id, transaction.session if transaction else None)
        if row is None:
            raise Problem(NOT_FOUND)
        return row

    async def open(
        self,
        program: str,
        candidate_id: str,
        *,
        case_id: str,
        kind: CaseKind,
        details: Document,
        text: str | None,
        by: str,
        side: Side = "candidate",
    ) -> Document:
        """Open a case in a transaction of its own; see `open_in`."""

        async def work(transaction: Transaction) -> Document:
            account = await self.account(program, candidate_id, transaction)
            return await self.open_in(
                transaction, account, case_id=case_id, kind=kind, details=details, text=text, by=by, side=side
            )

        return await self._unit_of_work.run(work)

    async def open_in(
        self,
        transaction: Transaction,
        account: Document,
        *,
        case_id: str,
        kind: CaseKind,
        details: Document,
        text: str | None,
        by: str,
        side: Side = "candidate",
    ) -> Document:
        """Open a case, or find it: the one of this id, or the open one that asks for the same.

        Raises:
            Problem: `conflict`, where another name is being decided, or too many cases are open.
        """
        program = self.program(account["program"])
        begun = await self.store.get(program.id, case_id, transaction.session)
        if begun is not None:
            return begun
        known = await self._open_of(transaction, account)
        same = same_request(kind, details, text)
        for case in known:
            if case["same"] == same:
                if kind == "name" and case["details"] != details:
                    raise Problem(CONFLICT, f"{case['reference']} asks for another name; withdraw it first")
                return case
            if kind == case["kind"] == "missing_result" and same_result(case["details"], details):
                return await self._joined(transaction, case, message_id=case_id, text=text, by=by, side=side)
        since = transaction.now - timedelta(days=1)
        today = await self.store.opened_since(transaction.session, account["_id"], since)
        if len(known) >= MOST_OPEN or today >= MOST_A_DAY:
            raise Problem(CONFLICT, "too many cases are waiting to be decided, or were opened in a day")
        return await self._add(
            transaction, account, case_id=case_id, kind=kind, details=details, text=text, by=by, side=side
        )

    async def open_by_itself(
        self, transaction: Transaction, account: Document, *, case_id: str, kind: CaseKind, details: Document
    ) -> str:
        """Open a case about a result that is late or a parcel that came back, or find the one about it; returns its id.

        However many cases there are: nobody asks for it, so nobody tries anything out by it.
        """
        if await self.store.get(account["program"], case_id, transaction.session) is not None:
            return case_id
        for case in await self._open_of(transaction, account):
            if case["kind"] == kind and _SAME[kind](case["details"], details):
                note(case, "late" if kind == "missing_result" else "returned", SYSTEM, transaction.now)
                await self.store.save(transaction.session, case)
                return str(case["_id"])
        await self._add(
            transaction,
            account,
            case_id=case_id,
            kind=kind,
            details=details,
            text=None,
            by=SYSTEM,
            side="staff",
            by_itself=True,
        )
        return case_id

    async def settle(self, transaction: Transaction, program: str, case_id: str, end: State, reason: str) -> None:
        """End a case about a missing result that needs no decision any more; one that is closed stays as it is."""
        case = await self.store.get(program, case_id, transaction.session)
        if case is None or case["closed"]:
            return
        _set(case, progress_of(case).settled(end))
        case |= {"reason": reason, "decided_at": transaction.now}
        note(case, end.value, SYSTEM, transaction.now, reason)
        await self.files.drop(transaction.session, case)
        await self.store.save(transaction.session, case)
        event = identity.CaseSettled(
            **_about(case),
            outcome=end.value,
            reason=reason,
            exam_code=case["details"]["exam_code"],
            settled_at=transaction.now,
        )
        await self._tell(transaction, case, event)

    async def _add(
        self,
        transaction: Transaction,
        account: Document,
        *,
        case_id: str,
        kind: CaseKind,
        details: Document,
        text: str | None,
        by: str,
        side: Side,
        by_itself: bool = False,
    ) -> Document:
        program = self.program(account["program"])
        row: Document = {
            "_id": case_id,
            "reference": await self.store.next_reference(transaction.session, program.id),
            "program": program.id,
            "kind": kind,
            "state": State.OPEN,
            "closed": False,
            "four_eyes": program.cases[kind].four_eyes,
            "first": None,
            "candidate_id": account["_id"],
            "details": details,
            "same": same_request(kind, details, text),
            "opened_at": transaction.now,
            "due_on": due_on(program, kind, transaction.now).isoformat(),
            "assignee": None,
            "messages": [],
            "history": [],
            "evidence": [],
            "reason": None,
            "decided_at": None,
            "merge_id": None,
            "by_itself": by_itself,
        }
        note(row, "opened", by, transaction.now)
        if text is not None:
            write(row, case_id, by=side, text=text, now=transaction.now)
        await self.store.add(transaction.session, row)
        opened = identity.CaseOpened(
            **_about(row),
            due_on=due_on(program, kind, transaction.now),
            opened_at=transaction.now,
            by_itself=by_itself,
            exam_code=details.get("exam_code"),
            promised_on=date.fromisoformat(details["promised_on"]) if details.get("promised_on") else None,
        )
        await self._tell(transaction, row, opened)
        return row

    async def _joined(
        self, transaction: Transaction, case: Document, *, message_id: str, text: str | None, by: str, side: Side
    ) -> Document:
        """The case there is about the same missing result, with what is said now."""
        if text is not None and not written(case, message_id):
            if side == "candidate":
                self._answered(case, transaction.now)
            write(case, message_id, by=side, text=text, now=transaction.now)
            note(case, "answered" if side == "candidate" else "written", by, transaction.now)
            await self.store.save(transaction.session, case)
        return case

    async def _open_of(self, transaction: Transaction, account: Document) -> list[Document]:
        """The open cases of an account and of those merged into it."""
        accounts = [account["_id"], *account.get("merged_from", ())]
        return [case for each in accounts for case in await self.store.open_of(transaction.session, each)]

    async def answer(self, row: Document, *, message_id: str, text: str, by: str) -> Document:
        """The candidate writes."""

        async def step(transaction: Transaction, case: Document) -> None:
            if written(case, message_id):
                return
            self._answered(case, transaction.now)
            write(case, message_id, by="candidate", text=text, now=transaction.now)
            note(case, "answered", by, transaction.now)

        return await self._change(row["program"], row["_id"], step)

    async def ask(
        self, program: str, case_id: str, *, message_id: str, text: str, needs_answer: bool, by: str
    ) -> Document:
        """Staff write; where they need an answer, the case waits for it."""

        async def step(transaction: Transaction, case: Document) -> None:
            if written(case, message_id):
                return
            progress = progress_of(case)
            _set(case, progress.asked() if needs_answer else progress.noted())
            write(case, message_id, by="staff", text=text, now=transaction.now)
            note(case, "asked" if needs_answer else "written", by, transaction.now)
            event = identity.CaseMessageWritten(**_about(case), needs_answer=needs_answer, written_at=transaction.now)
            await self._tell(transaction, case, event)

        return await self._change(program, case_id, step)

    async def assign(self, program: str, case_id: str, *, to: str | None, by: str) -> Document:
        """Give a case to somebody, or to nobody."""

        async def step(transaction: Transaction, case: Document) -> None:
            progress_of(case).noted()
            assign(case, to, by=by, now=transaction.now)

        return await self._change(program, case_id, step)

    async def add_evidence(self, row: Document, upload: EvidenceUpload, *, by: str) -> Document:
        """Keep a file beside a case, and return what the case says of it. The same file again is there already."""
        file = await self.files.prepared(upload)
        found: Document = {}

        async def step(transaction: Transaction, case: Document) -> None:
            about, is_new = await self.files.attach(transaction.session, case, file, transaction.now)
            found.update(about)
            if is_new:
                self._answered(case, transaction.now)
                note(case, "evidence", by, transaction.now)

        await self._change(row["program"], row["_id"], step)
        return found

    async def withdraw(self, row: Document, *, by: str) -> Document:
        """The candidate no longer wants it; a case that is withdrawn stays so."""

        async def step(transaction: Transaction, case: Document) -> None:
            if case["state"] == State.WITHDRAWN:
                return
            _set(case, progress_of(case).withdrawn())
            note(case, "withdrawn", by, transaction.now)
            await self.files.drop(transaction.session, case)

        return await self._change(row["program"], row["_id"], step)

    async def decide(
        self, program: str, case_id: str, *, decision_id: str, accept: bool, other: str | None, reason: str, by: str
    ) -> Document:
        """Accept or refuse a case, or be the first of two; the same decision again finds it made.

        Raises:
            Problem: `not-found`, `conflict` where it was decided otherwise, `second-opinion-needed` where the first
                of two opinions is the same person's, or what keeps the acceptance from being carried out.
        """
        end = State.ACCEPTED if accept else State.REFUSED

        async def step(transaction: Transaction, case: Document) -> None:
            if case["state"] == end or was_decided_by(case, decision_id):
                return
            opinion = Opinion(end, by, chosen(case, other) if accept else None)
            before, progress = progress_of(case), progress_of(case).decided(opinion)
            note(case, "accepts" if accept else "refuses", by, transaction.now, reason, decision_id)
            _set(case, progress)
            if progress.closed:
                await self._end(transaction, case, opinion, reason)
            elif before.first is not None:
                note(case, "disagreed", by, transaction.now)

        case = await self._change(program, case_id, step)
        await self._acts.finish(case)
        return case

    async def _end(self, transaction: Transaction, case: Document, opinion: Opinion, reason: str) -> None:
        case |= {"reason": reason, "decided_at": transaction.now}
        note(case, case["state"], opinion.by, transaction.now, reason)
        if opinion.end == State.ACCEPTED:
            await self._acts.carry_out(transaction, case, by=opinion.by, reason=reason, other=_other(opinion))
        await self.files.drop(transaction.session, case)
        event = identity.CaseDecided(**_about(case), decision=case["state"], reason=reason, decided_at=transaction.now)
        await self._tell(transaction, case, event)

    async def _change(self, program: str, case_id: str, step: Step) -> Document:
        async def work(transaction: Transaction) -> Document:
            case = await self.store.get(program, case_id, transaction.session)
            if case is None:
                raise Problem(NOT_FOUND)
            await taken(step, transaction, case)
            await self.store.save(transaction.session, case)
            return case

        return await self._unit_of_work.run(work)

    def _answered(self, case: Document, now: datetime) -> None:
        """It is staff's turn; where they had waited, their days count anew."""
        if case["state"] == State.WAITING:
            case["due_on"] = due_on(self.program(case["program"]), case["kind"], now).isoformat()
        _set(case, progress_of(case).answered())

    async def _tell(self, transaction: Transaction, case: Document, event: EventData) -> None:
        about, now = case["candidate_id"], transaction.now
        version = await self.accounts.next_version(transaction.session, about, now)
        transaction.emit(event, program=case["program"], subject=about, version=version)


def progress_of(case: Document) -> Progress:
    first = case["first"]
    opinion = (
        Opinion(State.ACCEPTED if first["accept"] else State.REFUSED, first["by"], first["other"]) if first else None
    )
    return Progress(case["four_eyes"], case["state"], opinion)


def _set(case: Document, progress: Progress) -> None:
    first = progress.first
    case["first"] = first and {"accept": first.end == State.ACCEPTED, "by": first.by, "other": _other(first)}
    case |= {"state": str(progress.state), "closed": progress.closed}


def _other(opinion: Opinion) -> str | None:
    """The account that an acceptance merges."""
    return None if opinion.terms is None else str(opinion.terms)


def _about(case: Document) -> dict[str, Any]:
    names = {"candidate_id": case["candidate_id"], "case_id": case["_id"]}
    return {**names, "reference": case["reference"], "kind": case["kind"]}
