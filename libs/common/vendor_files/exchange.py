"""Carries files to a vendor and its answers back, one vendor at a time, whichever process holds its lease.

- Files go in the order in which they were made, each under its name until the vendor's server has it. What a process
  did before it died is done again: the same name, the same bytes.
- A server that cannot be had is tried again after a minute, then twice as long each time, up to an hour.
- Answers stay where the vendor put them; which were read is known by name, size and time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Protocol, TypeAlias
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import Counter

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.jobs import Job
from libs.common.vendor_files.confirmations import Confirmations
from libs.common.vendor_files.definition import FilesShape
from libs.common.vendor_files.names import NamePattern
from libs.common.vendor_files.places import Found, Place, Reach
from libs.common.vendor_files.sftp import SftpShape
from libs.common.vendor_files.store import CONTENT_KEPT, FileStore, file_key
from libs.common.vendor_files.tables import read_confirmation

FILES = Counter("certrail_vendor_files_total", "Files carried to vendors", ["vendor", "kind"])
OUTAGES = Counter("certrail_vendor_outages_total", "Times that a vendor's folders could not be had", ["vendor"])
SILENT = Counter("certrail_vendor_silences_total", "Files that a vendor has not answered in time", ["vendor", "kind"])

log = structlog.get_logger(__name__)

MOST_BYTES = 16 * 1024 * 1024
"""Of one confirmation."""
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_MOST_TEXT = 300


class Taker(Protocol):
    """A vendor that takes files."""

    @property
    def id(self) -> str: ...

    @property
    def programs(self) -> Sequence[str]: ...

    @property
    def time_zone(self) -> ZoneInfo: ...

    @property
    def sftp(self) -> SftpShape | None: ...


@dataclass(frozen=True, slots=True)
class Section:
    """A kind of files that a vendor takes.

    Attributes:
        record_column: by what a confirmation names a record.
    """

    kind: str
    shape: FilesShape
    record_column: str


ReadMore: TypeAlias = Callable[[Place, str], Awaitable[None]]
"""Reads what else of a program lies in the vendor's folders. Raises `Unavailable`."""


class Exchange:
    """All that goes on with one vendor.

    `make_due` makes the files of a program for which it is time; confirmations are read in the order of sections.
    """

    EVERY: ClassVar = timedelta(seconds=10)
    SECONDS: ClassVar = 50.0
    """For one run over all programs, below a job's lease: two processes are hardly ever at it together."""

    def __init__(  # noqa: PLR0917 parts
        self,
        vendor: Taker,
        sections: Sequence[Section],
        store: FileStore,
        make_due: Callable[[str], Awaitable[None]],
        confirmations: Confirmations,
        reach: Reach,
        clock: Clock,
        read_more: ReadMore | None = None,
    ) -> None:
        self._vendor = vendor
        self._sections = sections
        self._store = store
        self._make_due = make_due
        self._confirmations = confirmations
        self._reach = reach
        self._clock = clock
        self._read_more = read_more

    def job(self) -> Job:
        return Job(f"exchange-{self._vendor.id}", self.EVERY, self.run)

    async def run(self) -> None:
        """Make what is due, carry it, read what is answered, and flag what is not."""
        for program in self._vendor.programs:
            await self._make_due(program)
            try:
                async with asyncio.timeout(self.SECONDS / len(self._vendor.programs)):
                    await self._carry(program)
            except TimeoutError:
                await self._failed(program, "it took too long")
            await self._flag_silent(program)
        await self._store.forget_contents(self._clock.now() - CONTENT_KEPT)

    async def _carry(self, program: str) -> None:
        exchange = await self._store.exchange(program, self._vendor.id) or {}
        try_at = exchange.get("try_at")
        if try_at is not None and self._clock.now() < try_at:
            return
        try:
            async with self._reach(self._vendor.sftp) as place:
                await self._deliver(place, program)
                await self._read(place, program)
                if self._read_more is not None:
                    await self._read_more(place, program)
        except Unavailable as error:
            await self._failed(program, str(error))
        else:
            change = {"failures": 0, "try_at": None, "error": None, "reached_at": self._clock.now()}
            await self._store.change_exchange(None, program, self._vendor.id, change)

    async def _failed(self, program: str, error: str) -> None:
        now = self._clock.now()
        exchange = await self._store.exchange(program, self._vendor.id) or {}
        failures = exchange.get("failures", 0) + 1
        wait = min(_FIRST_WAIT * 2 ** min(failures - 1, 10), _LONGEST_WAIT)
        since = exchange.get("failing_since") if exchange.get("failures") else now
        change = {"failures": failures, "failing_since": since, "try_at": now + wait, "error": error[:_MOST_TEXT]}
        await self._store.change_exchange(None, program, self._vendor.id, change)
        OUTAGES.labels(self._vendor.id).inc()
        log.warning("vendor_unreachable", vendor=self._vendor.id, program=program, count=failures)

    async def _deliver(self, place: Place, program: str) -> None:
        while (file := await self._store.next_undelivered(program, self._vendor.id)) is not None:
            try:
                await place.write(file["folder"], file["name"], bytes(file["content"]))
            except Unavailable as error:
                await self._store.tried(file["_id"], str(error)[:_MOST_TEXT])
                raise
            await self._store.delivered(file["_id"], self._clock.now())
            FILES.labels(self._vendor.id, file["kind"]).inc()
            log.info("vendor_file_delivered", vendor=self._vendor.id, program=program, file=file["name"])

    async def _read(self, place: Place, program: str) -> None:
        for section in self._sections:
            kind, answers = section.kind, section.shape.confirmations
            pattern = NamePattern(answers.file)
            named = {
                one.name: (one, places)
                for one in await place.files(answers.folder)
                if (places := pattern.read(one.name)) is not None and self._is_of(program, places)
            }
            keys = {self._key(program, kind, one): one.name for one, _ in named.values()}
            known = await self._store.known_confirmations(keys)
            for key, name in keys.items():
                if key not in known:
                    one, places = named[name]
                    found = {"_id": key, "program": program, "vendor": self._vendor.id, "kind": kind, "name": name}
                    await self._take(place, one, places, found, section)

    def _is_of(self, program: str, places: Mapping[str, str]) -> bool:
        """Whether a confirmation is read with this program; one that names none, with the first."""
        return places.get("program", self._vendor.programs[0]) == program

    def _key(self, program: str, kind: str, one: Found) -> str:
        return derived_id(program, self._vendor.id, kind, one.name, str(one.size), one.modified_at.isoformat())

    async def _take(
        self,
        place: Place,
        one: Found,
        places: Mapping[str, str],
        found: Document,
        section: Section,
    ) -> None:
        file_id = None
        # Numbers are those of a program; without its name a record's latest line is answered.
        if "number" in places and ("program" in places or len(self._vendor.programs) == 1):
            file_id = file_key(found["program"], self._vendor.id, section.kind, int(places["number"]))
        answers, content = section.shape.confirmations, bytearray()
        async for block in place.read(answers.folder, one.name):
            content += block
            if len(content) > MOST_BYTES:
                break
        too_large = len(content) > MOST_BYTES
        said = read_confirmation(
            b"" if too_large else bytes(content), section.record_column, answers, section.shape.letters
        )
        await self._confirmations.take(found, file_id, said)
        log.info("vendor_answer_read", vendor=self._vendor.id, program=found["program"], file=one.name)

    async def _flag_silent(self, program: str) -> None:
        now = self._clock.now()
        for section in self._sections:
            kind, since = section.kind, now - timedelta(hours=section.shape.silent_hours)
            for file in await self._store.newly_silent(program, self._vendor.id, kind, since):
                if await self._store.flag_silent(file["_id"]):
                    SILENT.labels(self._vendor.id, kind).inc()
                    log.warning("vendor_silent", vendor=self._vendor.id, program=program, file=file["name"])
