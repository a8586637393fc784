"""Takes vendors' answers in: each line of one settles a line of ours; what fits none is kept to be seen."""

from collections import Counter as Counts
from collections.abc import Sequence
from functools import partial
from typing import Any

from prometheus_client import Counter

from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.exams.outgoing.authorizations import standing_of, write_standing
from services.exams.outgoing.standings import Type, answered, is_known, profile_state
from services.exams.outgoing.store import OutgoingStore, line_key, profile_key
from services.exams.outgoing.tables import Answer, Fault, Kind

ANSWERS = Counter("certrail_vendor_answers_total", "Vendors' answers to our lines", ["vendor", "kind", "answer"])

SLICE = 500
"""Answers in one transaction."""
_MOST_FAULTS = 1000
"""Listed of one confirmation."""


class Confirmations:
    """Applies confirmations, in slices; the same again changes nothing."""

    def __init__(self, store: OutgoingStore, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._unit_of_work = unit_of_work

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
        settle = self._settle_people if kind == "demographics" else self._settle_rights
        await settle(transaction, list(news.values()))
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

    async def _settle_people(self, transaction: Transaction, news: Sequence[tuple[Answer, Document]]) -> None:
        session = transaction.session
        keys = [profile_key(line["vendor"], line["record"]) for _, line in news]
        rows = await self._store.profiles(session, keys)
        changed: list[Document] = []
        for one, line in news:
            row = rows.get(profile_key(line["vendor"], line["record"]))
            if row is None or row["sent"] is None or row["sent"]["file_id"] != line["file_id"]:
                continue  # another line of the person was sent since
            row["answer"] = {"accepted": one.accepted, "text": one.text or None, "at": transaction.now}
            row["state"] = profile_state(row).value
            changed.append(row)
        await self._store.save_profiles(session, changed)
        for vendor in {row["vendor"] for row in changed}:
            stopped = [row["candidate_id"] for row in changed if row["vendor"] == vendor and not is_known(row)]
            if stopped:
                await self._store.let_follow(session, vendor, stopped, waits=True)

    async def _settle_rights(self, transaction: Transaction, news: Sequence[tuple[Answer, Document]]) -> None:
        rows = await self._store.authorizations(transaction.session, (line["record"] for _, line in news))
        changed: list[Document] = []
        for one, line in news:
            row = rows.get(line["record"])
            if row is None:
                continue
            after = answered(
                standing_of(row),
                line["ordinal"],
                Type(line["type"]),
                accepted=one.accepted,
                text=one.text or None,
            )
            note = f"{line['type']}: {line['state']}" + (f": {one.text}" if one.text else "")
            write_standing(row, after, transaction.now, "answered", row["vendor"], note=note)
            changed.append(row)
        await self._store.save_authorizations(transaction.session, changed)

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


def _count(vendor: str, kind: Kind, counts: Counts[str]) -> None:
    for answer, count in counts.items():
        ANSWERS.labels(vendor, kind, answer).inc(count)
