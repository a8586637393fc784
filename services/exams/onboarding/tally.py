"""What became of everything each vendor has sent: counts by day, and where the last few of each kind lie.

A batch writes one new document for what it has judged, in its own transaction: two transactions never touch the same
one, so counting makes no conflicts, and a crash counts nothing twice. A job adds them up into one document a day.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from pymongo import ASCENDING, IndexModel, UpdateOne

from libs.common.ids import new_id
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    "verdict_tallies": [],
    "verdict_days": [IndexModel([("vendor", ASCENDING), ("program", ASCENDING), ("day", ASCENDING)], name="vendor")],
    "verdict_samples": [],
}
KEPT, REFUSED = "kept", "refused"
"""Verdicts beside those on results: it counts at its place; it does not count at all."""
SAMPLES = 5
"""Of each verdict so many are remembered, the last ones."""


class Channel(StrEnum):
    """The way that something came."""

    BUS = "bus"
    FILE = "file"
    NOTIFICATION = "notification"
    DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one message.

    Attributes:
        program: what it names; None where that is no program of ours.
        verdict: what it turned out to be, or `refused`.
        code: why it was refused.
        message: its id, as its vendor chose it.
        about: the key of the result or registration that it speaks of.
    """

    vendor: str
    program: str | None
    channel: Channel
    verdict: str
    code: str | None = None
    message: str | None = None
    about: str | None = None

    @property
    def key(self) -> str:
        return ":".join(part for part in (self.channel, self.verdict, self.code) if part)


class Count(NamedTuple):
    """How many of one kind."""

    channel: str
    verdict: str
    code: str | None
    n: int


class Tallies:
    """Counts what was judged, and tells it."""

    def __init__(self, database: Database) -> None:
        self._tallies = database["verdict_tallies"]
        self._days = database["verdict_days"]
        self._samples = database["verdict_samples"]

    async def note(self, transaction: Transaction, judged: Iterable[Judged]) -> None:
        """Count these with the transaction: one write, whatever their number."""
        by_whom: dict[tuple[str, str | None], list[Judged]] = defaultdict(list)
        for one in judged:
            by_whom[one.vendor, one.program].append(one)
        rows = [_tally(vendor, program, found, transaction.now) for (vendor, program), found in by_whom.items()]
        if rows:
            await self._tallies.insert_many(rows, session=transaction.session, ordered=False)

    async def fold(self, transaction: Transaction, most: int) -> int:
        """Add the oldest tallies to their days. Returns how many there were."""
        session = transaction.session
        rows = await self._tallies.find(session=session).sort("_id", ASCENDING).to_list(most)
        if rows:
            await self._days.bulk_write([_onto_its_day(row) for row in rows], session=session)
            await self._samples.bulk_write([_among_samples(row) for row in rows], session=session)
            await self._tallies.delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=session)
        return len(rows)

    async def days(self, session: Session, programs: Sequence[str] | None, vendor: str | None) -> list[Document]:
        """Counts by vendor, program and day, also of what is not added up yet; of all programs where None."""
        query: Document = {} if vendor is None else {"vendor": vendor}
        if programs is not None:
            query["program"] = {"$in": list(programs)}
        found = await self._days.find(query, session=session).to_list(None)
        return found + await self._tallies.find(query, {"samples": 0}, session=session).to_list(None)

    async def samples(self, session: Session, program: str, vendor: str) -> dict[str, list[Document]]:
        """Where the last few of each kind lie, the latest first."""
        folded = await self._samples.find_one({"_id": f"{vendor}:{program}"}, session=session)
        found: dict[str, list[Document]] = {key: list(each) for key, each in (folded or {}).get("samples", {}).items()}
        query = {"vendor": vendor, "program": program}
        async for row in self._tallies.find(query, {"samples": 1}, session=session).sort("_id", ASCENDING):
            for key, each in row["samples"].items():
                found.setdefault(key, []).extend(each)
        return {key: each[: -SAMPLES - 1 : -1] for key, each in found.items()}


class Folding:
    """Adds tallies up, a slice a transaction."""

    EVERY: ClassVar = timedelta(seconds=30)
    SLICE: ClassVar = 500

    def __init__(self, tallies: Tallies, unit_of_work: UnitOfWork) -> None:
        self._tallies = tallies
        self._unit_of_work = unit_of_work

    def job(self) -> Job:
        return Job("verdicts", self.EVERY, self.run)

    async def run(self) -> None:
        async def work(transaction: Transaction) -> int:
            return await self._tallies.fold(transaction, self.SLICE)

        while await self._unit_of_work.run(work) == self.SLICE:
            pass


def counted(rows: Iterable[Document], day: str | None = None) -> list[Count]:
    """What rows of `days` come to together; of one day only where it is given."""
    total: Counter[str] = Counter()
    for row in rows:
        if day in (None, row["day"]):
            total.update(row["counts"])
    return [Count(*parts_of(key), count) for key, count in sorted(total.items())]


def last_heard(rows: Iterable[Document]) -> datetime | None:
    """When the last message of these came; dry runs count as well."""
    return max((row["last_at"] for row in rows), default=None)


def parts_of(key: str) -> tuple[str, str, str | None]:
    """Channel, verdict and code of what a count is kept under."""
    channel, verdict, code = (*key.split(":"), None)[:3]
    return str(channel), str(verdict), code


def _tally(vendor: str, program: str | None, judged: Sequence[Judged], now: datetime) -> Document:
    samples: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in judged:
        samples[one.key].append({"message_id": one.message, "about": one.about, "at": now})
    return {
        "_id": new_id(),
        "vendor": vendor,
        "program": program,
        "day": now.date().isoformat(),
        "last_at": now,
        "counts": dict(Counter(one.key for one in judged)),
        "samples": {key: each[-SAMPLES:] for key, each in samples.items()},
    }


def _onto_its_day(row: Document) -> UpdateOne:
    names = {name: row[name] for name in ("vendor", "program", "day")}
    more = {f"counts.{key}": count for key, count in row["counts"].items()}
    change = {"$inc": more, "$max": {"last_at": row["last_at"]}, "$setOnInsert": names}
    return UpdateOne({"_id": f"{row['vendor']}:{row['program']}:{row['day']}"}, change, upsert=True)


def _among_samples(row: Document) -> UpdateOne:
    more = {f"samples.{key}": {"$each": each, "$slice": -SAMPLES} for key, each in row["samples"].items()}
    names = {name: row[name] for name in ("vendor", "program")}
    change = {"$push": more, "$setOnInsert": names}
    return UpdateOne({"_id": f"{row['vendor']}:{row['program']}"}, change, upsert=True)
