"""Takes reports of results in: each result one document with all its revisions, and what follows from it told once."""

from collections import Counter as Counts
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from prometheus_client import Counter

from libs.common.bus.failures import vendor_of
from libs.common.bus.ingress import Reason, Refusal
from libs.common.bus.messages import Received
from libs.common.clock import as_stored
from libs.common.events import exams, vendors
from libs.common.mongo.client import Document
from libs.common.mongo.links import link_id
from libs.common.mongo.unit_of_work import Transaction
from libs.common.privacy.pseudonyms import is_pseudonym
from libs.common.versions import next_version
from services.exams.domain.results import Consequence, Grade, Outcome, Verdict, consequence, judge
from services.exams.store import ExamsStore, result_key

REPORTS = Counter("certrail_results_reported_total", "Result reports by what they turned out to be", ["verdict"])


def vendor_name(received: Received[Any]) -> str:
    vendor = vendor_of(received.delivery)
    if vendor is None:
        raise ValueError("the border lets no message without a vendor pass")
    return vendor


class ResultIntake:
    """Records the result reports of one batch."""

    def __init__(self, store: ExamsStore, transaction: Transaction) -> None:
        self._store = store
        self._transaction = transaction

    async def record(self, reports: Sequence[Received[vendors.ExamResultReported]]) -> list[Refusal]:
        """Apply reports in their order. Returns those that contradict what their vendor has said before."""
        session = self._transaction.session
        keys = [_key(report) for report in reports]
        links = [link_of(report) for report in reports]
        rows = await self._store.results(session, keys)
        known = set(rows)
        candidates = await self._store.links.candidates_of(session, links)
        refusals: list[Refusal] = []
        verdicts: Counts[Verdict] = Counts()
        changed: dict[str, Document] = {}
        for report, key, link in zip(reports, keys, links, strict=True):
            verdict = self._apply(report, rows, key, link, candidates.get(link))
            verdicts[verdict] += 1
            if verdict is Verdict.CONFLICT:
                refusals.append(_contradiction(report))
            elif verdict is not Verdict.DUPLICATE:
                changed[key] = rows[key]
                announce(self._transaction, rows[key], report)
        await self._store.save_results(session, changed, known)
        await self._store.links.wait_for(
            session, {row["link"] for row in changed.values() if row["candidate_id"] is None}
        )
        self._transaction.on_commit(lambda: _count(verdicts))
        return refusals

    def _apply(
        self,
        report: Received[vendors.ExamResultReported],
        rows: dict[str, Document],
        key: str,
        link: str,
        candidate_id: str | None,
    ) -> Verdict:
        data = report.data
        row = rows.get(key)
        said = Outcome(data.revision, Grade(data.grade), data.score)
        verdict = judge(_outcome(row), said)
        revision = _revision(report, self._transaction)
        if verdict is Verdict.NEW:
            rows[key] = _new_row(
                report, key=key, link=link, candidate_id=candidate_id, revision=revision, transaction=self._transaction
            )
        elif row is not None and verdict is Verdict.REVISED:
            row.update(_state(report))
            if row["candidate_id"] is not None and is_pseudonym(row["candidate_id"]):
                row["score_report_url"] = None
            row["revisions"].append(revision)
        elif row is not None and verdict is Verdict.STALE:
            if any(kept["revision"] == data.revision for kept in row["revisions"]):
                return Verdict.DUPLICATE
            row["revisions"].append(revision)
        return verdict


def _count(verdicts: Mapping[Verdict, int]) -> None:
    for verdict, count in verdicts.items():
        REPORTS.labels(verdict).inc(count)


def announce(transaction: Transaction, row: Document, cause: Received[Any] | None) -> None:
    """Tell what a result now is, if it has a candidate and differs from what was told."""
    candidate_id = row["candidate_id"]
    if candidate_id is None:
        return
    told, current = _outcome(row["told"]), _outcome(row)
    if current is None:
        raise ValueError("a stored result has an outcome")
    what = consequence(told, current)
    if what is None:
        return
    row["told"] = {"revision": current.revision, "grade": current.grade.value, "score": current.score}
    event = _event(what, row, told, current, transaction)
    row["version"] = next_version(row["version"], transaction.now)
    transaction.emit(event, program=row["program"], subject=candidate_id, version=row["version"], cause=cause)


def retract(transaction: Transaction, row: Document, cause: Received[Any] | None) -> None:
    """Take back from its candidate what was told of a result that turns out to be another's.

    The candidate's copy of it is void from then on. Revisions as they are told grow with each such move, so that
    what is told later outweighs it, should the result ever come back.
    """
    told = _outcome(row["told"])
    row["told"] = None
    if row["candidate_id"] is None or told is None:
        return
    row["moves"] = row.get("moves", 0) + 1
    if told.grade is Grade.INVALIDATED:
        return
    current = _outcome(row)
    if current is None:
        raise ValueError("a stored result has an outcome")
    event = _event(Consequence.INVALIDATED, row, told, current, transaction)
    row["version"] = next_version(row["version"], transaction.now)
    transaction.emit(event, program=row["program"], subject=row["candidate_id"], version=row["version"], cause=cause)


def _event(
    what: Consequence, row: Document, told: Outcome | None, current: Outcome, transaction: Transaction
) -> exams.ExamPassed | exams.ExamFailed | exams.ExamResultRevised | exams.ExamResultInvalidated:
    common: dict[str, Any] = {
        "candidate_id": row["candidate_id"],
        "result_id": row["_id"],
        "revision": current.revision + row.get("moves", 0),
        "registration_id": row["registration_id"],
        "exam_code": row["exam_code"],
        "taken_on": date.fromisoformat(row["taken_on"]),
        "taken_at": row["taken_at"],
        "known_at": transaction.now,
    }
    if what is Consequence.INVALIDATED:
        return exams.ExamResultInvalidated(**common, previous_grade=told.grade.value if told else None)
    common |= {"score": row["score"], "passing_score": row["passing_score"]}
    if what is Consequence.PASSED:
        return exams.ExamPassed(**common)
    if what is Consequence.FAILED:
        return exams.ExamFailed(**common)
    previous = told.grade.value if told else Grade.PENDING.value
    changed: dict[str, Any] = {"grade": current.grade.value, "previous_grade": previous}
    return exams.ExamResultRevised(**common, **changed)


def _key(report: Received[vendors.ExamResultReported]) -> str:
    return result_key(report.event.program, vendor_name(report), report.data.result_id)


def link_of(report: Received[Any]) -> str:
    return link_id(report.event.program, vendor_name(report), report.data.vendor_candidate_id)


def _outcome(stored: Document | None) -> Outcome | None:
    if stored is None:
        return None
    return Outcome(stored["revision"], Grade(stored["grade"]), stored["score"])


def _state(report: Received[vendors.ExamResultReported]) -> Document:
    data = report.data
    return {
        "revision": data.revision,
        "grade": data.grade,
        "score": data.score,
        "passing_score": data.passing_score,
        "scale_min": data.scale_min,
        "scale_max": data.scale_max,
        "sections": [{"name": section.name, "percent": section.percent} for section in data.sections],
        "score_report_url": data.score_report_url,
        "exam_code": data.exam_code,
        "registration_id": data.registration_id,
        "taken_at": as_stored(data.taken_at),
        "taken_on": data.taken_at.date().isoformat(),
    }


def _revision(report: Received[vendors.ExamResultReported], transaction: Transaction) -> Document:
    data = report.data
    return {
        "revision": data.revision,
        "grade": data.grade,
        "score": data.score,
        "known_at": transaction.now,
        "event_id": report.event.id,
    }


def _new_row(
    report: Received[vendors.ExamResultReported],
    *,
    key: str,
    link: str,
    candidate_id: str | None,
    revision: Document,
    transaction: Transaction,
) -> Document:
    return {
        "_id": key,
        "program": report.event.program,
        "vendor": vendor_name(report),
        "result_id": report.data.result_id,
        "vendor_candidate_id": report.data.vendor_candidate_id,
        "link": link,
        "candidate_id": candidate_id,
        "received_at": transaction.now,
        "told": None,
        "version": None,
        "revisions": [revision],
        **_state(report),
    }


def _contradiction(report: Received[vendors.ExamResultReported]) -> Refusal:
    data = report.data
    reason = Reason(
        "data.revision",
        "revision_conflict",
        f"revision {data.revision} of {data.result_id} was reported before with another grade or score",
    )
    return Refusal(vendor_name(report), (reason,), report.delivery, report.traceparent)
