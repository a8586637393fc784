"""Runs of comparisons: a list comes in, is read chunk by chunk, and compared window by window, each a transaction.

So memory stays flat whatever the list's length, and whoever takes over goes on where it stopped.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import ClassVar

from libs.common.clock import Clock, as_stored
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.jobs import Job
from libs.common.mongo.merges import Merges
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.exams.reconciliation.compare import Finding, Kind, Ours, compare, words
from services.exams.reconciliation.rows import Format, NoList, Theirs, Unreadable, header_of, read_line
from services.exams.reconciliation.store import OPEN, ReconciliationStore
from services.exams.vendors.definition import Vendor

CHUNK_BYTES = 131_072
LINE_BYTES = 16_384
"""Of one line at most."""
_LAST = "\U0010ffff"
"""Sorts after every registration."""


class Runs:
    """Takes lists in, and compares them."""

    EVERY: ClassVar = timedelta(seconds=2)
    SECONDS: ClassVar = 20.0
    """For one run of the job, well below its lease."""
    WINDOW: ClassVar = 1000
    """Registrations compared in one transaction."""

    def __init__(
        self,
        store: ReconciliationStore,
        merges: Merges,
        unit_of_work: UnitOfWork,
        vendors: Mapping[str, Vendor],
        clock: Clock,
    ) -> None:
        self._store = store
        self._merges = merges
        self._unit_of_work = unit_of_work
        self._vendors = vendors
        self._clock = clock

    def job(self) -> Job:
        return Job("reconciliation", self.EVERY, self.work)

    async def take(
        self,
        run_id: str,
        *,
        program: str,
        vendor: Vendor,
        first: date,
        last: date,
        form: Format,
        blocks: AsyncIterable[bytes],
        by: str,
    ) -> Document:
        """Take a list in; the same run once more gives what it gave. Raises `NoList` where its header is none."""
        fields: list[str] = []
        count = 0
        async for start, content in _chunks(blocks):
            if count == 0 and form != "jsonl":
                header, _, content = content.partition(b"\n")  # noqa: PLW2901 the header is no line of the list
                fields, start = header_of(_text(header), form), 2  # noqa: PLW2901 likewise
            key = f"{run_id}:{count:06}"
            chunk = {"_id": key, "run_id": run_id, "number": count, "line": start, "content": content}
            await self._store.add_chunk(chunk | {"added_at": self._clock.now()})
            count += 1
        if count == 0:
            raise NoList("the list is empty")
        row = {
            "_id": run_id,
            "program": program,
            "vendor": vendor.id,
            "first_day": first.isoformat(),
            "last_day": last.isoformat(),
            "first": _midnight(first, vendor),
            "end": _midnight(last + timedelta(days=1), vendor),
            "format": form,
            "fields": fields,
            "chunks": count,
            "read": 0,
            "after": "",
            "state": OPEN[0],
            "counts": {"listed": 0, "equal": 0, **{kind.value: 0 for kind in Kind}},
            "created_at": self._clock.now(),
            "created_by": by,
            "done_at": None,
        }
        return await self._store.add_run(row)

    async def work(self) -> None:
        """Bring open runs on, the oldest first."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.SECONDS
        while loop.time() < until and (run := await self._store.next_open()) is not None:
            step = self._read if run["state"] == "reading" else self._compare
            if await self._unit_of_work.run(partial(step, run_id=run["_id"])):
                while await self._store.drop_rows(run["_id"], self.WINDOW):
                    pass

    async def _read(self, transaction: Transaction, *, run_id: str) -> bool:
        """Read the next chunk."""
        session = transaction.session
        run = await self._open(transaction, run_id, "reading")
        if run is None:
            return False
        chunk = await self._store.chunk(session, run_id, run["read"])
        if chunk is not None:
            zone = self._vendors[run["vendor"]].time_zone if run["vendor"] in self._vendors else UTC
            lines = enumerate(_text(bytes(chunk["content"])).split("\n"), start=chunk["line"])
            found = [read_line(at, text.rstrip("\r"), run["fields"], run["format"], zone) for at, text in lines]
            await self._keep(transaction, run, [one for one in found if one is not None])
            await self._store.drop_chunk(session, run_id, run["read"])
        run["read"] += 1
        if run["read"] >= run["chunks"]:
            run["state"] = "comparing"
        await self._store.save_run(session, run)
        return False

    async def _keep(self, transaction: Transaction, run: Document, lines: Sequence[Theirs | Unreadable]) -> None:
        read: dict[str, Theirs] = {}
        bad: list[Unreadable] = []
        for line in lines:
            if isinstance(line, Unreadable):
                bad.append(line)
            elif line.registration_id in read:
                bad.append(_twice(line))
            else:
                read[line.registration_id] = line
        rows = [
            {"_id": derived_id(run["_id"], key), "run_id": run["_id"], "added_at": transaction.now, **asdict(line)}
            for key, line in read.items()
        ]
        known = await self._store.add_rows(transaction.session, run["_id"], rows)
        bad += [_twice(read[key]) for key in known]
        await self._store.add_findings(transaction.session, [_unreadable(run, one) for one in bad])
        run["counts"]["listed"] += len(rows) - len(known)
        run["counts"][Kind.UNREADABLE.value] += len(bad)

    async def _compare(self, transaction: Transaction, *, run_id: str) -> bool:
        """Compare the next window. Returns whether it was the last."""
        session = transaction.session
        run = await self._open(transaction, run_id, "comparing")
        if run is None:
            return False
        after = run["after"]
        listed = await self._store.theirs(session, run_id, after, self.WINDOW)
        last = listed[-1]["registration_id"] if len(listed) == self.WINDOW else None
        within = await self._store.ours(session, run, after, last, self.WINDOW)
        if len(within) == self.WINDOW:  # the window ends with whichever side fills it first
            last = min(last or _LAST, within[-1]["registration_id"])
            listed = [row for row in listed if row["registration_id"] <= last]
            within = [row for row in within if row["registration_id"] <= last]
        named = await self._store.named(session, run, [row["registration_id"] for row in listed])
        survivors = await self._survivors(transaction, [*listed, *within, *named])
        theirs = {row["registration_id"]: _theirs(row, survivors) for row in listed}
        ours = {row["registration_id"]: ours_of(row, survivors) for row in (*within, *named)}
        found = list(compare(theirs, ours, run["first"], run["end"]))
        findings = [one for one in found if one is not None]
        await self._store.add_findings(session, [_found(run, one) for one in findings])
        run["counts"]["equal"] += len(found) - len(findings)
        for one in findings:
            run["counts"][one.kind.value] += 1
        if last is None:
            run |= {"state": "done", "done_at": transaction.now}
        else:
            run["after"] = last
        await self._store.save_run(session, run)
        return last is None

    async def _open(self, transaction: Transaction, run_id: str, state: str) -> Document | None:
        run = await self._store.run(transaction.session, run_id)
        return run if run is not None and run["state"] == state else None  # another process was faster

    async def _survivors(self, transaction: Transaction, rows: Sequence[Document]) -> Mapping[str, str]:
        """Accounts that were merged, with the one each went into: either names the person."""
        named = {row["candidate_id"] for row in rows if row["candidate_id"] is not None}
        return await self._merges.survivors(transaction.session, named)


def ours_of(row: Document, survivors: Mapping[str, str]) -> Ours:
    """A registration of ours as it is compared."""
    registered = row["link"] is not None
    candidate_id = row["candidate_id"]
    return Ours(
        registration_id=row["registration_id"],
        candidate_id=survivors.get(candidate_id, candidate_id),
        vendor_candidate_id=row["vendor_candidate_id"] if registered else None,
        exam_code=row["exam_code"] if registered else None,
        state=row["state"] if row["state"] in ("cancelled", "no_show") else "open",
        scheduled_at=row["scheduled_at"],
        registered=registered,
    )


def theirs_of(stored: Document) -> Theirs:
    """A line of a list as it was kept."""
    return Theirs(**{name: stored[name] for name in Theirs.__slots__})


def _theirs(row: Document, survivors: Mapping[str, str]) -> Theirs:
    candidate_id = row["candidate_id"]
    return theirs_of(row | {"candidate_id": survivors.get(candidate_id, candidate_id)})


def _found(run: Document, one: Finding) -> Document:
    candidates = [side.candidate_id for side in (one.ours, one.theirs) if side is not None and side.candidate_id]
    return {
        **_finding(run, one.kind, one.registration_id),
        "registration_id": one.registration_id,
        "candidate_id": candidates[0] if candidates else None,
        "theirs": asdict(one.theirs) if one.theirs else None,
        "ours": asdict(one.ours) if one.ours else None,
        "differences": [asdict(each) for each in one.differences],
        "takeable": bool(words(one)),
    }


def _unreadable(run: Document, one: Unreadable) -> Document:
    return {
        **_finding(run, Kind.UNREADABLE, f"~{one.line:09}"),
        "registration_id": None,
        "candidate_id": None,
        "theirs": None,
        "ours": None,
        "differences": [],
        "takeable": False,
        "line": one.line,
        "reason": one.reason,
    }


def _finding(run: Document, kind: Kind, key: str) -> Document:
    return {
        "_id": derived_id(run["_id"], kind, key),
        "run_id": run["_id"],
        "program": run["program"],
        "vendor": run["vendor"],
        "kind": kind.value,
        "key": key,
        "found_at": run["created_at"],
        "line": None,
        "reason": None,
        "action": None,
    }


def _twice(line: Theirs) -> Unreadable:
    return Unreadable(line.line, f"registration {line.registration_id} stood in the list before")


async def _chunks(blocks: AsyncIterable[bytes]) -> AsyncIterator[tuple[int, bytes]]:
    """Pieces of whole lines, each with the number of its first line. Raises `NoList` for a line that is too long."""
    held, line = b"", 1
    async for block in blocks:
        held += block
        while len(held) >= CHUNK_BYTES:
            end = held.rfind(b"\n", 0, CHUNK_BYTES)
            if end < CHUNK_BYTES - LINE_BYTES:
                raise NoList(f"a line has more than {LINE_BYTES} bytes")
            piece, held = held[:end], held[end + 1 :]
            yield line, piece
            line += piece.count(b"\n") + 1
    if held:
        yield line, held


def _text(content: bytes) -> str:
    """All that is compared is ASCII, so it does not matter which letters the rest is written in."""
    return content.decode("utf-8", "replace")


def _midnight(day: date, vendor: Vendor) -> datetime:
    return as_stored(datetime.combine(day, time(), vendor.time_zone))
