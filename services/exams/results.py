"""Takes in what is said of results: each result one document with every word on it, and what follows told once."""

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import Counter

from libs.common.clock import as_stored
from libs.common.events import vendors
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.privacy.pseudonyms import is_pseudonym
from services.exams.domain.results import Act, Grade, Status, Verdict, Word, in_order, judge, outcomes, repeats
from services.exams.domain.rulings import overtaken, ruling_id_of
from services.exams.reports import Measure, Report, chain_of, uses_of
from services.exams.store import ExamsStore, attempt_key, registration_key, result_key
from services.exams.telling import announce, retract

REPORTS = Counter("certrail_results_reported_total", "Words on results by what they turned out to be", ["verdict"])


class ResultIntake:
    """Records what is said of results in one batch."""

    def __init__(self, store: ExamsStore, transaction: Transaction) -> None:
        self._store = store
        self._transaction = transaction

    async def record(self, reports: Sequence[Report]) -> list[Verdict]:
        """Apply words on results in their order. Returns what each turned out to be.

        One whose verdict is a conflict contradicts what its vendor has said before, and changes nothing.
        """
        session = self._transaction.session
        keys = [_keys(report) for report in reports]
        known = await self._known(reports, keys)
        links = {report.link for report in reports if report.link is not None}
        candidates = await self._store.links.candidates_of(session, links)
        verdicts: list[Verdict] = []
        changed: dict[str, Document] = {}
        for report, (named, attempt) in zip(reports, keys, strict=True):
            row = known.find(report, named, attempt)
            verdict, row = self._apply(report, row, named, candidates)
            verdicts.append(verdict)
            if verdict not in (Verdict.CONFLICT, Verdict.DUPLICATE):
                known.add(row)
                changed[row["_id"]] = row
                for key in known.absorbed:
                    changed.pop(key, None)
                announce(self._transaction, row, report.origin)
        await self._store.save_results(session, changed, known.stored)
        await self._store.delete_results(session, known.absorbed & known.stored)
        await self._store.watches.wake_late(session, appointments_of(changed.values()), self._transaction.now)
        await self._store.rulings.mark_overtaken(session, _marks(changed.values()))
        waiting = (row["link"] for row in changed.values() if row["candidate_id"] is None)
        await self._store.links.wait_for(session, {link for link in waiting if link is not None})
        await self._store.note_codes(self._transaction, uses_of(reports))
        self._transaction.on_commit(lambda: _count(verdicts))
        return verdicts

    async def _known(self, reports: Sequence[Report], keys: Sequence[tuple[str, str]]) -> "_Known":
        session = self._transaction.session
        rows = await self._store.results(session, {key for both in keys for key in both})
        for (program, vendor), unnumbered in _by_vendor(each for each in reports if not each.numbered).items():
            registrations = {each.data.registration_id for each in unnumbered if each.data.registration_id}
            rows |= await self._store.results_of_registrations(session, program, vendor, registrations)
        elsewhere = [each for each in reports if _may_go_by_another(each, rows)]
        for (program, vendor), others in _by_vendor(elsewhere).items():
            named = {each.data.result_id for each in others if each.names_result and each.data.result_id}
            rows |= await self._store.results_named_later(session, program, vendor, named)
        return _Known(rows, lambda part: retract(self._transaction, part, None))

    def _apply(
        self, report: Report, row: Document | None, key: str, candidates: Mapping[str, str]
    ) -> tuple[Verdict, Document]:
        """What the word turns out to be, and the row as it leaves it."""
        said = report.word()
        words = [word_of(kept) for kept in row["revisions"]] if row else []
        verdict = judge(words, said)
        if verdict in (Verdict.STALE, Verdict.REVISED) and report.source.kind == "file" and repeats(words, said):
            # Files come again and again with all that they have said before.
            verdict = Verdict.DUPLICATE
        if row is None:
            row = _new_row(report, key, self._transaction)
        elif verdict in (Verdict.CONFLICT, Verdict.DUPLICATE):
            return verdict, row
        elif row["state"] is None and said.act is Act.REPORT:
            verdict = Verdict.NEW
        if not isinstance(report.data, Measure):
            _own(row, report, report.data, candidates)
        row["revisions"].append(_kept(report, said, row, self._transaction))
        _settle(row, [*words, said])
        return verdict, row


def appointments_of(results: Iterable[Document]) -> set[str]:
    """The keys of the registrations that results name."""
    return {
        registration_key(row["program"], row["vendor"], row["registration_id"])
        for row in results
        if row["registration_id"] is not None
    }


def _marks(rows: Iterable[Document]) -> list[tuple[str, bool]]:
    """Of rulings on these results, whether their vendor has said something new since."""
    found: list[tuple[str, bool]] = []
    for row in rows:
        if any(kept["source"]["kind"] == "staff" for kept in row["revisions"]):
            mark = overtaken([word_of(kept) for kept in row["revisions"]])
            found += [(ruling_id_of(mark[0]), mark[1])] if mark else []
    return found


class _Known:
    """The results of a batch: those stored before, and those it adds.

    Args:
        take_back: takes back what was told of a row that turns out to be part of another.
    """

    def __init__(self, rows: Mapping[str, Document], take_back: Callable[[Document], None]) -> None:
        self.stored = set(rows)
        self.absorbed: set[str] = set()
        """Keys of what has become part of another."""
        self._take_back = take_back
        self._rows: dict[str, Document] = {}
        self._of_registration: dict[str, list[Document]] = {}
        for row in rows.values():
            self.add(row)

    def find(self, report: Report, named: str, attempt: str) -> Document | None:
        """The result that a word is about."""
        row, nameless = self._rows.get(named), self._rows.get(attempt)
        if nameless is not None and nameless["result_id"] is None:
            return nameless if row is None else self._joined(row, nameless)
        if row is not None or report.numbered:
            return row
        of_registration = self._of_registration.get(attempt, [])
        return of_registration[0] if len(of_registration) == 1 else None

    def add(self, row: Document) -> None:
        if row["_id"] not in self._rows:
            self._rows[row["_id"]] = row
            self._index(row)
        if row.get("named_later"):
            self._rows.setdefault(result_key(row["program"], row["vendor"], row["result_id"]), row)

    def _joined(self, named: Document, nameless: Document) -> Document:
        """One result of what was said of it by its own id and what by its registration, before any report joined them.

        As a rule only one of the two has been reported, for a report names both. A row of a file and a message that
        arrived at the same moment may each have made one: then that of the message goes on.
        """
        if named is nameless:
            return named
        both = named["state"] is not None and nameless["state"] is not None
        whole, part = (named, nameless) if both or nameless["state"] is None else (nameless, named)
        if both:
            part["revisions"][part["reporter"]]["details"] = {name: part[name] for name in DETAILS}
            self._take_back(part)
        whole["revisions"] += part["revisions"]
        if whole is nameless:
            _name(whole, named["result_id"])
        self._rows[part["_id"]] = whole
        self.absorbed.add(part["_id"])
        return whole

    def _index(self, row: Document) -> None:
        if row["registration_id"] is not None:
            key = attempt_key(row["program"], row["vendor"], row["registration_id"])
            self._of_registration.setdefault(key, []).append(row)


def _keys(report: Report) -> tuple[str, str]:
    """The key of the result by its own id, and the one by its registration, under which it may be known before."""
    result_id, registration_id = report.data.result_id, report.data.registration_id
    attempt = attempt_key(report.program, report.vendor, registration_id or "")
    if result_id is None or not report.names_result:
        return attempt, attempt
    return result_key(report.program, report.vendor, result_id), attempt


def _by_vendor(reports: Iterable[Report]) -> dict[tuple[str, str], list[Report]]:
    found: dict[tuple[str, str], list[Report]] = {}
    for report in reports:
        found.setdefault((report.program, report.vendor), []).append(report)
    return found


def _may_go_by_another(report: Report, rows: Mapping[str, Document]) -> bool:
    """Whether the result of a word may be known by another key than the word's: it has no number, or is a later one."""
    if not report.numbered:
        return True
    data = report.data
    later = isinstance(data, vendors.ExamResultReported) and data.revision > 1
    return later and not any(key in rows for key in _keys(report))


def _count(verdicts: Sequence[Verdict]) -> None:
    for verdict, count in Counts(verdicts).items():
        REPORTS.labels(verdict).inc(count)


def _own(row: Document, report: Report, data: vendors.ExamResultReported, candidates: Mapping[str, str]) -> None:
    """Say whose it is, where that is not known yet, and by which id its vendor knows it."""
    if report.names_result and row["result_id"] is None:
        _name(row, data.result_id)
    if row["candidate_id"] is not None:
        return
    owner = candidates.get(report.link) if report.link else None
    if row["link"] is None or owner is not None:
        row |= {"link": report.link, "vendor_candidate_id": data.vendor_candidate_id, "candidate_id": owner}


def _name(row: Document, result_id: str) -> None:
    """Note the id by which its vendor knows a result that goes by its registration here."""
    row |= {"result_id": result_id, "named_later": True}


def _settle(row: Document, words: Sequence[Word]) -> None:
    """Derive from all words what the result is; what a report has said beside its grade stands in the row itself."""
    ordered = in_order(words)
    current = outcomes(ordered)[-1]
    if current is None:
        return
    row |= {"state": current.state, "status": current.status, "grade": current.grade, "score": current.score}
    row["ruling"] = current.ruling
    reporter = next(at for at, word in enumerate(words) if word is ordered[current.report])
    if row["reporter"] == reporter:
        return
    if row["reporter"] is not None:
        before = row["revisions"][row["reporter"]]
        before["details"] = {name: row[name] for name in DETAILS}
    row |= {**row["revisions"][reporter].pop("details"), "reporter": reporter}


NAMING = ("score_report_url", "receipt_url", "site")
"""Fields of a result by which a person could be found again."""


DETAILS = (
    *("passing_score", "scale_min", "scale_max", "sections", "score_report_url", "receipt_url", "form", "attempt"),
    *("site", "language", "exam_code", "registration_id", "taken_at", "taken_on", "utc_offset"),
)
"""What a report says beside its grade; of the one that counts it stands in the result itself."""


def _details(data: vendors.ExamResultReported, *, erased: bool) -> Document:
    offset = data.taken_at.utcoffset()
    details: Document = {
        "passing_score": data.passing_score,
        "scale_min": data.scale_min,
        "scale_max": data.scale_max,
        "sections": [section.model_dump(exclude_none=True) for section in data.sections],
        "score_report_url": data.score_report_url,
        "receipt_url": data.receipt_url,
        "form": data.form,
        "attempt": data.attempt,
        "site": data.site,
        "language": data.language,
        "exam_code": data.exam_code,
        "registration_id": data.registration_id,
        "taken_at": as_stored(data.taken_at),
        "taken_on": data.taken_at.date().isoformat(),
        "utc_offset": int(offset.total_seconds() // 60) if offset is not None else 0,
    }
    return details | dict.fromkeys(NAMING) if erased else details


def _kept(report: Report, said: Word, row: Document, transaction: Transaction) -> Document:
    """A word as it is kept."""
    data = report.data
    erased = row["candidate_id"] is not None and is_pseudonym(row["candidate_id"])
    kept: Document = {
        "revision": said.revision,
        "act": said.act,
        "status": said.status,
        "grade": said.grade,
        "score": said.score,
        "said_at": said.said_at,
        "effective_at": None,
        "known_at": transaction.now,
        "source": report.source._asdict(),
        **chain_of(report.source, report.origin),
        "raw": None if erased else report.raw,
    }
    if isinstance(data, vendors.ExamResultReported):
        kept["effective_at"] = as_stored(data.effective_at) if data.effective_at else None
        kept["details"] = _details(data, erased=erased)
    return kept


def word_of(kept: Document) -> Word:
    """A kept word as the rules see it."""
    return Word(
        kept["source"]["ref"],
        kept["said_at"],
        Act(kept["act"]),
        kept["revision"],
        Status(kept["status"]) if kept["status"] else None,
        Grade(kept["grade"]) if kept["grade"] else None,
        kept["score"],
        kept["source"]["kind"] == "staff",
    )


def _new_row(report: Report, key: str, transaction: Transaction) -> Document:
    nothing: dict[str, Any] = dict.fromkeys(
        ("vendor_candidate_id", "link", "candidate_id", "told", "told_revision", "version")
    )
    unknown: dict[str, Any] = dict.fromkeys(("state", "status", "grade", "score", "reporter", "taken_at"))
    return {
        "_id": key,
        "program": report.program,
        "vendor": report.vendor,
        "result_id": report.data.result_id if report.names_result else None,
        "registration_id": report.data.registration_id,
        "received_at": transaction.now,
        "revisions": [],
        **nothing,
        **unknown,
    }
