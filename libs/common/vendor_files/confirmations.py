"""Takes vendors' answers in: each line of one settles a line of ours; what fits none is kept to be seen."""

from collections import Counter as Counts
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from prometheus_client import Counter

from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.vendor_files.store import FileStore, line_key
from libs.common.vendor_files.tables import Answer, Fault

ANSWERS = Counter("certrail_vendor_answers_total", "Vendors' answers to our lines", ["vendor", "kind", "answer"])

SLICE = 500
"""Answers in one transaction."""
_MOST_FAULTS = 1000
"""Listed of one confirmation."""


Settle: TypeAlias = Callable[[Transaction, str, Sequence[tuple[Answer, Document]]], Awaitable[None]]
"""What answers mean for the records of the lines, given the kind of file."""


class Confirmations:
    """Applies confirmations, in slices; the same again changes nothing."""

    def __init__(self, store: FileStore, unit_of_work: UnitOfWork, settle: Settle) -> None:
        self._store = store
        self._unit_of_work = unit_of_work
        self._settle = settle

    async def take(self, found: Document, file_id: str | None, said: Sequence[Answer | Fault]) -> None:
        """Apply what a confirmation says.

        Args:
            found: the confirmation: `_id`, `program`, `vendor`, `kind`, `name`.
            file_id: our file that it answers; None where its name does not say, so that records alone tell.
            said: its lines.
        """
        counts: Counts[str] = Counts()
        faults = [one for one in said if isinstance(one, Fault)]
        answers = [one for one in said if isinstance(one, Answer)]
        for start in range(0, len(answers), SLICE):
            work = partial(self._slice, found=found, file_id=file_id, answers=answers[start : start + SLICE])
            some, strange = await self._unit_of_work.run(work)
            counts += some
            faults += strange
        await self._unit_of_work.run(partial(self._end, found=found, file_id=file_id, counts=counts, faults=faults))

    async def _slice(
        self, transaction: Transaction, *, found: Document, file_id: str | None, answers: Sequence[Answer]
    ) -> tuple[Counts[str], list[Fault]]:
        session, kind = transaction.session, found["kind"]
        lines = await self._lines(transaction, found, file_id, answers)
        faults = [Fault(one.line, one.record, "unknown_record") for one in answers if one.record not in lines]
        counts: Counts[str] = Counts()
        news: dict[str, tuple[Answer, Document]] = {}
        first: Counts[str] = Counts()
        for one in answers:
            line = lines.get(one.record)
            if line is None:
                continue
            before = (line["state"], line["text"])
            line |= {"state": _state(one), "text": one.text or None}
            if (line["state"], line["text"]) == before:
                counts["repeated"] += 1
                continue
            counts[line["state"]] += 1
            if line["answered_at"] is None:
                first[line["file_id"]] += 1
            line["answered_at"] = transaction.now
            news[one.record] = (one, line)
        await self._store.save_answers(session, [line for _, line in news.values()])
        for file, count in first.items():
            await self._store.answered(session, file, count)
        await self._settle(transaction, kind, list(news.values()))
        transaction.on_commit(lambda: _count(found["vendor"], kind, counts))
        return counts, faults

    async def _lines(
        self, transaction: Transaction, found: Document, file_id: str | None, answers: Sequence[Answer]
    ) -> dict[str, Document]:
        """Our lines that are answered, by record."""
        records = [one.record for one in answers]
        if file_id is None:
            return await self._store.latest_lines(transaction.session, found["kind"], found["vendor"], records)
        lines = await self._store.lines(transaction.session, (line_key(file_id, record) for record in records))
        return {line["record"]: line for line in lines.values()}

    async def _end(
        self,
        transaction: Transaction,
        *,
        found: Document,
        file_id: str | None,
        counts: Counts[str],
        faults: Sequence[Fault],
    ) -> None:
        row = {
            **found,
            "file_id": file_id,
            "read_at": transaction.now,
            "accepted": counts["accepted"],
            "warned": counts["warned"],
            "refused": counts["refused"],
            "repeated": counts["repeated"],
            "faults": [_fault(one) for one in sorted(faults, key=lambda one: one.line)[:_MOST_FAULTS]],
            "faults_total": len(faults),
        }
        await self._store.add_confirmation(transaction.session, row)


def _state(one: Answer) -> str:
    if not one.accepted:
        return "refused"
    return "warned" if one.text else "accepted"


def _fault(one: Fault) -> dict[str, Any]:
    return {"line": one.line, "record": one.record, "code": one.code}


def _count(vendor: str, kind: str, counts: Counts[str]) -> None:
    for answer, count in counts.items():
        ANSWERS.labels(vendor, kind, answer).inc(count)
