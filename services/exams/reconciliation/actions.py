"""What staff do about a finding, once each: take the vendor's word, ask the vendor, or leave it."""

from datetime import datetime, timedelta, timezone
from typing import Literal

from libs.common.events import vendors
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, invalid
from libs.common.mongo.client import Document
from libs.common.mongo.links import link_id, own_link
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.exams.reconciliation.compare import Difference, Finding, Kind, Ours, Registration, Word, words
from services.exams.reconciliation.rows import Theirs
from services.exams.reconciliation.runs import ours_of, theirs_of
from services.exams.reconciliation.store import ReconciliationStore
from services.exams.registrations import RegistrationIntake
from services.exams.reports import Change, Source
from services.exams.store import ExamsStore, registration_key

Action = Literal["take_theirs", "ask_vendor", "dismiss"]

_LATER = timedelta(milliseconds=1)
_UNNAMED = vendors.VendorCandidate(given_name="-", family_name="-", email="nobody@example.invalid", country="ZZ")
"""A list says nothing of who a person is; here nobody asks a registration for that, and it goes to nobody else."""
_COMPARED = ("exam_code", "state", "scheduled_at", "registered")


class Actions:
    """Does what staff decide about findings."""

    def __init__(self, store: ReconciliationStore, exams: ExamsStore, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._exams = exams
        self._unit_of_work = unit_of_work

    async def act(self, run_id: str, finding_id: str, action: Action, reason: str | None, *, by: str) -> Document:
        """Act on a finding of a run; the same once more changes nothing.

        Raises the problems `not-found`, `invalid-request` for a dismissal without a reason, and `conflict` where
        something else was done, where the vendor's word alone is not enough, or where ours has changed since.
        """
        if action == "dismiss" and reason is None:
            raise invalid("body.reason", "missing", "say why nothing is to be done")

        async def work(transaction: Transaction) -> Document:
            row = await self._store.finding(transaction.session, finding_id)
            if row is None or row["run_id"] != run_id:
                raise Problem(NOT_FOUND)
            if row["action"] is not None:
                if row["action"]["kind"] != action:
                    raise Problem(CONFLICT, f"done already: {row['action']['kind']}")
                return row
            if action == "take_theirs":
                await self._take(transaction, row)
            row["action"] = {"kind": action, "reason": reason, "by": by, "at": transaction.now}
            await self._store.save_finding(transaction.session, row)
            return row

        return await self._unit_of_work.run(work)

    async def _take(self, transaction: Transaction, row: Document) -> None:
        finding = _finding(row)
        said = words(finding)
        if finding.theirs is None or not said:
            raise Problem(CONFLICT, "the vendor's word alone does not settle this: ask the vendor, or dismiss it")
        key = registration_key(row["program"], row["vendor"], finding.registration_id)
        ours = (await self._exams.registrations(transaction.session, [key])).get(key)
        if not _as_it_was(ours, finding.ours):
            raise Problem(CONFLICT, "our registration has changed since the comparison: compare again")
        # Later than all that was said before, whatever clock the vendor has.
        before = [ours[name] for name in ("said_at", "moved_at") if ours[name] is not None] if ours else []
        said_at = max([transaction.now, *(moment + _LATER for moment in before)])
        changes = [_change(row, finding.theirs, word, said_at) for word in said]
        await RegistrationIntake(self._exams, transaction).record(changes)


def _finding(row: Document) -> Finding:
    return Finding(
        Kind(row["kind"]),
        row["registration_id"],
        theirs_of(row["theirs"]) if row["theirs"] else None,
        Ours(**row["ours"]) if row["ours"] else None,
        tuple(Difference(**one) for one in row["differences"]),
    )


def _as_it_was(row: Document | None, seen: Ours | None) -> bool:
    """Whether ours is still what was compared."""
    if row is None or seen is None:
        return row is None and seen is None
    now = ours_of(row, {})
    return all(getattr(now, name) == getattr(seen, name) for name in _COMPARED)


def _change(row: Document, theirs: Theirs, word: Word, said_at: datetime) -> Change:
    program, vendor = row["program"], row["vendor"]
    place = timezone(timedelta(minutes=theirs.offset))
    data: vendors.ExamRegistered | vendors.ExamAppointmentChanged
    link = None
    if isinstance(word, Registration):
        data = vendors.ExamRegistered(
            vendor_candidate_id=theirs.vendor_candidate_id or theirs.candidate_id or "",
            registration_id=theirs.registration_id,
            exam_code=theirs.exam_code,
            delivery=theirs.delivery,
            scheduled_at=theirs.scheduled_at.astimezone(place),
            candidate=_UNNAMED,
        )
        if theirs.vendor_candidate_id is not None:
            link = link_id(program, vendor, theirs.vendor_candidate_id)
        else:
            link = own_link(program, theirs.candidate_id or "")
    else:
        data = vendors.ExamAppointmentChanged(
            registration_id=theirs.registration_id,
            change=word.change,
            scheduled_at=word.scheduled_at.astimezone(place) if word.scheduled_at else None,
        )
    source = Source("file", f"{row['run_id']}:{theirs.line}")
    return Change(program, vendor, data, link, said_at, source)
