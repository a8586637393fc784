"""What a batch of a file's rows does: its results and absences are recorded with how far the file has come."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from prometheus_client import Counter as Metric

from libs.common.candidate_ids import is_candidate_id
from libs.common.clock import as_stored
from libs.common.events import vendors
from libs.common.mongo.client import Document
from libs.common.mongo.links import link_id, own_link
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.exams.domain.results import Verdict
from services.exams.feeds.batches import Batch
from services.exams.feeds.rows import BadRow, GoodRow
from services.exams.feeds.store import FeedStore
from services.exams.onboarding.tally import KEPT, REFUSED, Channel, Judged
from services.exams.registrations import RegistrationIntake
from services.exams.reports import Change, Report, Source
from services.exams.results import ResultIntake
from services.exams.store import ExamsStore, registration_key
from services.exams.vendors.definition import Vendor

ROWS = Metric("certrail_feed_rows_total", "Rows of vendors' files by what became of them", ["vendor", "outcome"])

_UNCHANGED = (Verdict.DUPLICATE, Verdict.STALE)


@dataclass(frozen=True)
class TakenFile:
    """The file that rows are of, as far as a row must know it."""

    key: str
    vendor: Vendor
    said_at: datetime
    """Where its member does not say when it was written."""
    latest: datetime
    """When it reached us: nothing in it was said later."""


class Taking:
    """Records rows."""

    def __init__(self, feeds: FeedStore, store: ExamsStore, programs: Mapping[str, Program]) -> None:
        self._feeds = feeds
        self._store = store
        self._programs = programs

    async def take(self, transaction: Transaction, file: TakenFile, batch: Batch) -> Counter[str]:
        """Record the rows of a batch as part of a transaction. Returns how many of which kind there were."""
        said_at = self._said_at(file, batch)
        link_of = self._links(file.vendor.id)
        counts: Counter[str] = Counter()
        judged = [_judged(file, batch, row, REFUSED, row.faults[0].code) for row in batch.bad]
        results = [row for row in batch.good if isinstance(row.data, vendors.ExamResultReported)]
        absences = [row for row in batch.good if isinstance(row.data, vendors.ExamAppointmentChanged)]
        if results:
            reports = [_report(file, batch, row, link_of(row), said_at) for row in results]
            verdicts = await ResultIntake(self._store, transaction).record(reports)
            judged += [_judged(file, batch, row, verdict) for row, verdict in zip(results, verdicts, strict=True)]
            counts.update("unchanged" if verdict in _UNCHANGED else "results" for verdict in verdicts)
        if absences:
            changes = [_change(file, batch, row, link_of(row), said_at) for row in absences]
            await RegistrationIntake(self._store, transaction).record(changes)
            judged += [_judged(file, batch, row, KEPT) for row in absences]
            counts["absences"] += len(absences)
        counts["bad"] = len(batch.bad)
        counts["rows"] = len(batch.good) + len(batch.bad)
        now = as_stored(transaction.now)
        await self._feeds.add_bad_rows(transaction.session, [_bad_row(file, batch, row, now) for row in batch.bad])
        await self._store.tallies.note(transaction, judged)
        transaction.on_commit(lambda: _count(file.vendor.id, counts))
        return +counts

    def _said_at(self, file: TakenFile, batch: Batch) -> datetime:
        written = batch.member.written
        if written is None:
            return min(file.said_at, file.latest)
        try:
            moment = datetime(*written, tzinfo=file.vendor.time_zone)
        except ValueError:
            return min(file.said_at, file.latest)  # a day that no calendar has
        return as_stored(min(moment, file.latest))

    def _links(self, vendor: str) -> Callable[[GoodRow], str]:
        programs = self._programs

        @cache
        def form(program: str) -> tuple[str, int]:
            return programs[program].candidate_id_prefix, programs[program].candidate_id_digits

        def link(row: GoodRow) -> str:
            if is_candidate_id(row.candidate_id, *form(row.program)):
                return own_link(row.program, row.candidate_id)
            return link_id(row.program, vendor, row.candidate_id)

        return link


def _report(file: TakenFile, batch: Batch, row: GoodRow, link: str, said_at: datetime) -> Report:
    if not isinstance(row.data, vendors.ExamResultReported):
        raise TypeError("only results are reports")
    return Report(
        program=row.program,
        vendor=file.vendor.id,
        data=row.data,
        link=link,
        said_at=said_at,
        source=_source(file, batch, row),
        raw=row.raw,
        numbered=False,
        names_result=False,
    )


def _change(file: TakenFile, batch: Batch, row: GoodRow, link: str, said_at: datetime) -> Change:
    if not isinstance(row.data, vendors.ExamAppointmentChanged):
        raise TypeError("only absences are changes")
    return Change(
        program=row.program,
        vendor=file.vendor.id,
        data=row.data,
        link=link,
        said_at=said_at,
        source=_source(file, batch, row),
    )


def _judged(file: TakenFile, batch: Batch, row: GoodRow | BadRow, verdict: str, code: str | None = None) -> Judged:
    registration_id = row.data.registration_id if isinstance(row, GoodRow) else row.registration_id
    key = None
    if row.program is not None and registration_id is not None:
        key = registration_key(row.program, file.vendor.id, registration_id)
    ref = f"{file.key}:{batch.member.index:03d}:{row.line:09d}"
    return Judged(file.vendor.id, row.program, Channel.FILE, str(verdict), code, message=ref, about=key)


def _source(file: TakenFile, batch: Batch, row: GoodRow) -> Source:
    # Of two rows about one registration, said at the same moment, the later one counts: refs are compared as texts.
    return Source("file", f"{file.key}:{batch.member.index:03d}:{row.line:09d}")


def _bad_row(file: TakenFile, batch: Batch, row: BadRow, now: datetime) -> Document:
    return {
        "_id": f"{file.key}:{batch.member.index:03d}:{row.line:09d}",
        "file_id": file.key,
        "member": batch.member.name,
        "line": row.line,
        "registration_id": row.registration_id,
        "program": row.program,
        "faults": [fault._asdict() for fault in row.faults],
        "at": now,
    }


def _count(vendor: str, counts: Mapping[str, int]) -> None:
    for outcome in ("results", "unchanged", "absences", "bad"):
        if counts.get(outcome):
            ROWS.labels(vendor, outcome).inc(counts[outcome])
