"""The composition of everything about vendors' files."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from libs.common.http.routes import Route
from libs.common.secret_files import Secrets
from libs.common.service import Background, Platform
from services.exams.feeds.api import FeedsApi
from services.exams.feeds.archive import Archive
from services.exams.feeds.folder import FolderSource
from services.exams.feeds.imports import Importer
from services.exams.feeds.remote import SftpSource
from services.exams.feeds.sources import FileSource, Sources
from services.exams.feeds.store import FeedStore
from services.exams.feeds.taking import Taking
from services.exams.settings import ExamsSettings
from services.exams.store import ExamsStore
from services.exams.vendors.definition import Vendor


class Feeds:
    """Vendors' files: the ways in, the archive, the imports, and what staff see of them."""

    def __init__(
        self, platform: Platform, settings: ExamsSettings, store: ExamsStore, vendors: Mapping[str, Vendor]
    ) -> None:
        self.store = FeedStore(platform.database)
        self.archive = Archive(platform.database, platform.clock, settings.exams_feeds_max_bytes)
        self._platform = platform
        self._settings = settings
        self._vendors = vendors
        self.importer = Importer(
            feeds=self.store,
            archive=self.archive,
            taking=Taking(self.store, store, platform.programs),
            vendors=vendors,
            programs=platform.programs,
            unit_of_work=platform.unit_of_work,
            clock=platform.clock,
            owner=platform.owner,
            most_unpacked_bytes=settings.exams_feeds_max_unpacked_bytes,
        )

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return FeedsApi(
            self.store, self.archive, self._vendors, self._platform.unit_of_work, self._platform.clock
        ).routes()

    def background(self) -> Sequence[Background]:
        """Loops of the worker."""
        sources = Sources(self.store, list(self.sources()), self._platform.clock, owner=self._platform.owner)
        return (sources.run, self.importer.run)

    def sources(self) -> Iterator[FileSource]:
        """The folder of each vendor, and the server of each that has one."""
        settle = timedelta(seconds=self._settings.exams_feeds_settle_seconds)
        clock = self._platform.clock
        for vendor in self._vendors.values():
            if self._settings.exams_feeds_dir is not None:
                folder = self._settings.exams_feeds_dir / vendor.id
                yield FolderSource(vendor.id, folder, self.archive, clock, settle)
            if vendor.sftp is not None and vendor.feeds is not None and vendor.feeds.sftp is not None:
                yield SftpSource(
                    vendor.id,
                    vendor.sftp,
                    vendor.feeds.sftp,
                    secrets=Secrets(self._settings.vendor_secrets_dir),
                    archive=self.archive,
                    feeds=self.store,
                    clock=clock,
                    settle=settle,
                )
