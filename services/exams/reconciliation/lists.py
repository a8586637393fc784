"""Lists of registrations that a vendor puts into its folder: each is compared once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import ClassVar

import structlog

from libs.common.errors import Unavailable
from libs.common.ids import derived_id
from libs.common.mongo.jobs import Job
from libs.common.vendor_files.names import NamePattern, is_finished_name
from libs.common.vendor_files.places import Found, Place, Reach
from services.exams.reconciliation.definition import RegistrationsShape
from services.exams.reconciliation.rows import Format
from services.exams.reconciliation.runs import Runs
from services.exams.reconciliation.store import ReconciliationStore
from services.exams.vendors.definition import Vendor

log = structlog.get_logger(__name__)

_FORMATS: Mapping[str, Format] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
"""By how a name ends; anything else is tab-separated."""


class Lists:
    """Looks into a vendor's folder."""

    EVERY: ClassVar = timedelta(minutes=5)

    def __init__(
        self, vendor: Vendor, section: RegistrationsShape, runs: Runs, store: ReconciliationStore, reach: Reach
    ) -> None:
        self._vendor = vendor
        self._section = section
        self._runs = runs
        self._store = store
        self._reach = reach
        self._refused: set[str] = set()

    def job(self) -> Job:
        return Job(f"registrations-{self._vendor.id}", self.EVERY, self.run)

    async def run(self) -> None:
        """Take each list that was not taken before."""
        pattern = NamePattern(self._section.file)
        try:
            async with self._reach(self._vendor.sftp) as place:
                for one in await place.files(self._section.folder):
                    named = pattern.read(one.name)
                    if named is not None and named["program"] in self._vendor.programs and is_finished_name(one.name):
                        await self._take(place, one, named)
        except Unavailable as error:
            log.warning("vendor_unreachable", vendor=self._vendor.id, cause=type(error).__name__)

    async def _take(self, place: Place, one: Found, named: Mapping[str, str]) -> None:
        key = derived_id(self._vendor.id, one.name, str(one.size), one.modified_at.isoformat())
        if key in self._refused or await self._store.run(None, key) is not None:
            return
        form = _FORMATS.get(PurePath(one.name).suffix.lower(), "tsv")
        try:
            first, last = (datetime.strptime(named[name], "%Y%m%d").date() for name in ("from", "to"))  # noqa: DTZ007
            await self._runs.take(
                key,
                program=named["program"],
                vendor=self._vendor,
                first=first,
                last=last,
                form=form,
                blocks=place.read(self._section.folder, one.name),
                by=f"vendor:{self._vendor.id}",
            )
        except ValueError as error:  # no list, or no days: said once by each process, until the file is another
            self._refused.add(key)
            log.warning("list_refused", vendor=self._vendor.id, file=one.name, cause=type(error).__name__)
