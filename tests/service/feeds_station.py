"""Vendors' files as exams is composed: two vendors, a folder for each, and processes to import what comes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from libs.common.mongo.client import Database
from libs.common.programs import Program
from libs.common.service import Platform
from services.exams.consumers import ServiceEvents
from services.exams.feeds.archive import Arrival
from services.exams.feeds.parts import Feeds
from services.exams.feeds.shape import FeedsShape
from services.exams.settings import ExamsSettings
from services.exams.store import ExamsStore
from services.exams.vendors.definition import Vendor, load_vendors
from tests.service.rig import ERASURE_KEY, Base, said

VENDORS = Path(__file__).parents[2] / "deploy" / "vendors"
SETTLED = 10
"""Seconds without a change after which a file is whole."""


def vendors(feeds: FeedsShape | None = None, **changes: Any) -> dict[str, Vendor]:
    """The sample vendors; changes are of `vue`."""
    found = dict(load_vendors(VENDORS))
    found["vue"] = replace(found["vue"], feeds=feeds, **changes)
    return found


@dataclass
class FeedsStation:
    """Exams' part that reads files, on its own database."""

    base: Base
    programs: Mapping[str, Program]
    folder: Path
    vendors: Mapping[str, Vendor] = field(default_factory=vendors)
    settings: Mapping[str, Any] = field(default_factory=dict)
    owner: str = "first"

    def __post_init__(self) -> None:
        settings = ExamsSettings(
            mongo_url=SecretStr("-"),
            amqp_url=SecretStr("-"),
            programs_dir=self.folder,
            erasure_key=ERASURE_KEY,
            exams_feeds_dir=self.folder / "in",
            exams_feeds_settle_seconds=SETTLED,
            vendor_secrets_dir=self.folder / "secrets",
            **self.settings,
        )
        for vendor in self.vendors:
            (self.folder / "in" / vendor).mkdir(parents=True, exist_ok=True)
        (self.folder / "secrets").mkdir(exist_ok=True)
        self.store = ExamsStore(self.database)
        platform = Platform(self.database, self.base.unit_of_work, self.programs, self.base.clock, self.owner)
        self.feeds = Feeds(platform, settings, self.store, self.vendors)
        self.stopping = asyncio.Event()

    @property
    def database(self) -> Database:
        return self.base.database

    def another(self, owner: str) -> "FeedsStation":
        """Another process of the service."""
        return replace(self, owner=owner)

    def inbox(self, vendor: str = "vue") -> Path:
        return self.folder / "in" / vendor

    async def keep(self, content: bytes, *, vendor: str = "vue", name: str = "results.zip") -> str:
        """Give a file in. Returns its id."""
        row, _ = await self.feeds.archive.keep(Arrival(vendor, name, "upload", by="staff:ada"), blocks(content))
        return str(row["_id"])

    async def imported(self, content: bytes, **how: Any) -> dict[str, Any]:
        """Give a file in and import it."""
        key = await self.keep(content, **how)
        await self.feeds.importer.import_next(self.stopping)
        return await self.file(key)

    async def file(self, key: str) -> dict[str, Any]:
        row = await self.feeds.store.file(key)
        assert row is not None
        return row

    async def link(self, *items: Any) -> None:
        """Let exams take in what identity says."""
        await self.base.handle(ServiceEvents(self.store).handle, *items)

    def told(self) -> list[tuple[str, str]]:
        """Type and registration of each event, in order."""
        return [(event["type"].split(".")[-2], event["data"]["registration_id"]) for event in said(self.base)]

    async def bad(self) -> list[tuple[int, list[tuple[str, str]]]]:
        """Line, and column and code of each fault."""
        rows = await self.base.rows("feed_bad_rows")
        return [(row["line"], [(fault["column"], fault["code"]) for fault in row["faults"]]) for row in rows]


async def blocks(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
