"""Imports the files in the archive: one process a file, in transactions that hold rows and progress together.

A process that dies leaves the file where its last transaction put it; when its lease has run out, another goes on from
there. One that was only thought dead finds the position moved on, and leaves the file to the other.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import structlog
from prometheus_client import Counter as Metric
from pymongo.errors import PyMongoError

from libs.common.bus.connection import wait_or_stop
from libs.common.clock import Clock, as_stored
from libs.common.errors import Unavailable
from libs.common.mongo.client import Document
from libs.common.mongo.faults import database_faults
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.exams.feeds.archive import Archive
from services.exams.feeds.batches import Batch, Position, batches, lines_before, read_members, stored_members
from services.exams.feeds.catalogues import VendorCatalogues
from services.exams.feeds.leases import keeping
from services.exams.feeds.members import Member, RefusedError, examine
from services.exams.feeds.rows import Sheet
from services.exams.feeds.store import FILE_LEASE, FeedStore, LostError
from services.exams.feeds.taking import TakenFile, Taking
from services.exams.vendors.definition import Vendor

FILES = Metric("certrail_feed_files_total", "Vendors' files by how their import ended", ["vendor", "outcome"])

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Imported:
    """Everything about the file in hand."""

    row: Document
    file: TakenFile
    path: Path
    members: Sequence[Member]

    @property
    def position(self) -> Position:
        return Position(**self.row["position"])


class Importer:
    """Takes file after file."""

    POLL_SECONDS: ClassVar = 1.0
    MOST_TRIES: ClassVar = 5
    """Without a row more in between; then the file is refused, for whatever it does to us it will do again."""

    def __init__(
        self,
        *,
        feeds: FeedStore,
        archive: Archive,
        taking: Taking,
        vendors: Mapping[str, Vendor],
        programs: Mapping[str, Program],
        unit_of_work: UnitOfWork,
        clock: Clock,
        owner: str,
        most_unpacked_bytes: int,
    ) -> None:
        self._feeds = feeds
        self._archive = archive
        self._taking = taking
        self._vendors = vendors
        self._programs = programs
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._owner = owner
        self._most_unpacked_bytes = most_unpacked_bytes

    async def run(self, stopping: asyncio.Event) -> None:
        """Import whatever comes until `stopping` is set; then give the file in hand to whoever comes next."""
        while not stopping.is_set():
            worked = False
            async with database_faults(log):
                worked = await self.import_next(stopping)
            if not worked:
                await wait_or_stop(stopping, self.POLL_SECONDS)

    async def import_next(self, stopping: asyncio.Event) -> bool:
        """Import one file, or go on with one. Returns False where there is none."""
        row = await self._feeds.claim(self._owner, self._clock.now())
        if row is None:
            return False
        if row["tries"] > 2 * self.MOST_TRIES:
            await self._refuse(row, "failed", "the import ends its process each time")
            return True
        try:
            async with keeping(FILE_LEASE / 3, partial(self._renew, row["_id"])):
                await self._import(row, stopping)
        except LostError:
            log.info("feed_file_lost", file=row["_id"])
        except RefusedError as refused:
            await self._refuse(row, refused.code, refused.message)
        except Unavailable as error:
            log.warning("feed_import_postponed", file=row["_id"], cause=type(error).__name__)
            with suppress(LostError, PyMongoError):  # an outage is no fault of the file's; where it lasts, so be it
                await self._change(row, {"tries": row["tries"] - 1})
            return False
        except PyMongoError:
            raise
        except Exception as error:
            if row["tries"] < self.MOST_TRIES:
                log.exception("feed_import_failed", file=row["_id"], tries=row["tries"])
                return False
            log.exception("feed_import_given_up", file=row["_id"])
            await self._refuse(row, "failed", f"the import fails each time ({type(error).__name__})")
        return True

    async def _import(self, row: Document, stopping: asyncio.Event) -> None:
        vendor = self._vendors.get(row["vendor"])
        if vendor is None:
            raise RefusedError("unknown_vendor", "the vendor has no definition any more")
        with tempfile.TemporaryDirectory(prefix="certrail-feed-") as folder:
            path = Path(folder, "file.zip")
            await self._fetch(row, path)
            if row["members"] is None:
                row = await self._examine(row, path)
            members = read_members(row["members"])
            said_at = row["written_at"] or row["received_at"]
            file = TakenFile(row["_id"], vendor, said_at, row["received_at"])
            if await self._take_all(Imported(row, file, path, members), stopping):
                await self._finish(row)
            else:
                await self._change(row, {"owner": None, "lease_until": self._clock.now()})

    async def _fetch(self, row: Document, path: Path) -> None:
        """Copy the file out of the archive: a zip is read from its end."""
        size = 0
        with path.open("wb") as copy:
            async for chunk in self._archive.blocks(row):
                size += await asyncio.to_thread(copy.write, chunk)
        if size != row["size"]:
            raise RefusedError("gone", "the archive does not have it any more; send it again")

    async def _examine(self, row: Document, path: Path) -> Document:
        began = as_stored(self._clock.now())
        members = await asyncio.to_thread(examine, path, self._most_unpacked_bytes)
        known = {
            "members": stored_members(members),
            "lines": {"done": 0, "all": sum(member.lines for member in members)},
            "started_at": began,
        }
        await self._change(row, known)
        return row | known

    async def _take_all(self, imported: Imported, stopping: asyncio.Event) -> bool:
        """Record batch after batch; the next one is read while the last is written. Returns False on a stop."""
        found = self._batches(imported)
        at, pace = imported.position, _Pace()
        following = _read(found)
        try:
            while (batch := await following) is not None:
                following = _read(found)
                at = await self._record(imported, batch, at, pace)
                if stopping.is_set() and at.member < len(imported.members):
                    return False
        finally:
            with suppress(Exception):  # what it met is met again by whoever reads on
                await following
            found.close()
        return True

    def _batches(self, imported: Imported) -> Any:
        vendor = imported.file.vendor
        catalogues, now = VendorCatalogues(vendor, self._programs), self._clock.now()

        def sheet(header: bytes | None) -> Sheet:
            return Sheet(header, catalogues, vendor.time_zone, now)

        return batches(imported.path, imported.members, imported.position, sheet)

    async def _record(self, imported: Imported, batch: Batch, at: Position, pace: "_Pace") -> Position:
        key, members = imported.file.key, imported.members
        done = lines_before(members, batch.after)

        async def work(transaction: Transaction) -> None:
            counts: Counter[str] = Counter(refused_members=1) if batch.refused else Counter()
            if batch.good or batch.bad:
                counts += await self._taking.take(transaction, imported.file, batch)
            change: Document = {
                "position": batch.after.stored(),
                "lines.done": done,
                "tries": 0,
                "pace": pace.after(done),
                "lease_until": transaction.now + FILE_LEASE,
            }
            if batch.refused:
                refusal = {"code": batch.refused.code, "message": batch.refused.message}
                change[f"members.{batch.member.index}.refusal"] = refusal
            where = {"owner": self._owner, "position": at.stored()}
            await self._feeds.advance(transaction.session, key, where, change, counts)

        await self._unit_of_work.run(work)
        return batch.after

    async def _finish(self, row: Document) -> None:
        after = await self._feeds.file(row["_id"]) or row
        if all(member["refusal"] for member in after["members"]):
            what = "; ".join(f"{member['name']} {member['refusal']['message']}" for member in after["members"][:5])
            await self._refuse(row, "no_rows", f"no member has rows of the form: {what}")
            return
        await self._change(row, {"state": "done", "finished_at": as_stored(self._clock.now()), "owner": None})
        FILES.labels(row["vendor"], "done").inc()
        log.info(
            "feed_file_imported",
            file=row["_id"],
            vendor=row["vendor"],
            count=after["counts"].get("rows", 0),
            rejected=after["counts"].get("bad", 0),
        )

    async def _refuse(self, row: Document, code: str, message: str) -> None:
        refusal = {"code": code, "message": message}
        change = {"state": "refused", "refusal": refusal, "finished_at": as_stored(self._clock.now()), "owner": None}
        with suppress(LostError):
            await self._change(row, change)
            FILES.labels(row["vendor"], "refused").inc()
            log.warning("feed_file_refused", file=row["_id"], vendor=row["vendor"], code=code)

    async def _change(self, row: Document, change: Document) -> None:
        await self._feeds.change(row["_id"], self._owner, change)

    async def _renew(self, key: str) -> None:
        with suppress(LostError):
            await self._feeds.change(key, self._owner, {"lease_until": self._clock.now() + FILE_LEASE})


def _read(found: Iterator[Batch]) -> "asyncio.Task[Batch | None]":
    return asyncio.create_task(asyncio.to_thread(next, found, None))


class _Pace:
    """How many lines a second an import makes, over the last few seconds."""

    SECONDS: ClassVar = 5.0

    def __init__(self) -> None:
        self._marks: list[tuple[float, int]] = []

    def after(self, done: int) -> float | None:
        """The pace, with `done` lines behind us; None at the beginning."""
        now = asyncio.get_running_loop().time()
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[1][0] > self.SECONDS:  # noqa: PLR2004 first and last
            self._marks.pop(0)
        since, before = self._marks[0]
        elapsed = now - since
        return round((done - before) / elapsed, 1) if elapsed > 0 else None
