"""The HTTP API of vendors' files: what came, what became of it, which rows were bad; and a way in.

A vendor's file may hold rows of any of its programs, so files are for callers of all programs of their vendor.
"""

import csv
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from io import StringIO
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.clock import Clock
from libs.common.csv_cells import safe_cell
from libs.common.events.types import Code, Identifier, Line
from libs.common.http.files import Download, UploadStream
from libs.common.http.models import Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.principal import Principal
from libs.common.http.problems import CONFLICT, NOT_FOUND, TOO_LARGE, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import FEEDS_WRITE, OPERATIONS_READ
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.exams.feeds.archive import Archive, Arrival, TooLargeError
from services.exams.feeds.store import FeedStore
from services.exams.vendors.definition import Vendor

State = Literal["waiting", "importing", "done", "refused"]
CSV_PAGE = 1000
"""Bad rows in hand at once."""


class FeedFilePath(Parameters):
    file_id: Identifier


class FeedFilesQuery(PageQuery):
    vendor: Annotated[Code | None, Field(description="Only this vendor's")] = None
    state: Annotated[State | None, Field(description="Only files in this state")] = None


class FeedUploadQuery(Parameters):
    vendor: Annotated[Code, Field(description="Whose file it is")]
    name: Annotated[Line, Field(description="What its sender calls it")] = "upload.zip"


class ZipUpload(UploadStream):
    """A vendor's file of results."""

    media_types = ("application/zip", "application/octet-stream")


class BadRowsFile(Download):
    """Rows that were not taken, one fault a line."""

    media_types = ("text/csv",)


class FeedRefusalView(View):
    code: str
    message: str


class FeedMemberView(View):
    """One member of the zip."""

    name: str
    size: int
    lines: int
    refusal: FeedRefusalView | None
    """Why none of its rows could be read."""


class FeedCountsView(View):
    """What became of the rows so far."""

    rows: int = 0
    results: int = 0
    """New, or other than before."""
    absences: int = 0
    """Appointments that were missed."""
    unchanged: int = 0
    """Said before."""
    bad: int = 0


class FeedProgressView(View):
    lines: int
    lines_done: int
    share: float
    """From 0 to 1."""
    lines_per_second: float | None
    """Over the last few seconds of the import."""


class FeedFileView(View):
    """A vendor's file."""

    file_id: str
    vendor: str
    name: str
    via: Literal["folder", "sftp", "upload"]
    sha256: str
    size: int
    received_at: datetime
    written_at: datetime | None
    times_seen: int
    """How often it came; only the first time does anything."""
    last_seen_at: datetime
    state: State
    refusal: FeedRefusalView | None
    started_at: datetime | None
    finished_at: datetime | None
    progress: FeedProgressView
    counts: FeedCountsView
    members: list[FeedMemberView]


class FeedFaultView(View):
    column: str
    """Empty where the row as a whole is at fault."""
    code: str
    message: str


class BadRowView(View):
    """A row that was not taken, with every column at fault."""

    member: str
    line: int
    registration_id: str | None
    program: str | None
    faults: list[FeedFaultView]


class FeedSourceFaultView(View):
    code: str
    message: str
    since: datetime


class FeedSourceView(View):
    """A folder or server that files are fetched from."""

    source: str
    vendor: str
    looked_at: datetime | None
    next_look_at: datetime
    taken: int
    last_file_at: datetime | None
    fault: FeedSourceFaultView | None
    """What keeps us from it now."""
    failures: int
    """In a row."""


class FeedSourcesView(View):
    items: list[FeedSourceView]


_FILES = Cursor("exams-feed-files", tuple[datetime, str])
_BAD_ROWS = Cursor("exams-feed-bad-rows", str)


class FeedsApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        store: FeedStore,
        archive: Archive,
        vendors: Mapping[str, Vendor],
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._store = store
        self._archive = archive
        self._vendors = vendors
        self._unit_of_work = unit_of_work
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/feeds/sources",
                handler=self.list_feed_sources,
                summary="The folders and servers that vendors' files are fetched from, and what keeps us from them",
                response=FeedSourcesView,
                scopes=OPERATIONS_READ,
                audited=False,
            ),
            Route(
                method="GET",
                path="/feeds/files",
                handler=self.list_feed_files,
                summary="Vendors' files, latest first",
                query=FeedFilesQuery,
                response=Page[FeedFileView],
                scopes=OPERATIONS_READ,
                audited=False,
            ),
            Route(
                method="POST",
                path="/feeds/files",
                handler=self.upload_feed_file,
                summary="Give in a vendor's file; it is imported in the background",
                query=FeedUploadQuery,
                body=ZipUpload,
                response=FeedFileView,
                status=202,
                scopes=FEEDS_WRITE,
                errors=(NOT_FOUND, TOO_LARGE),
            ),
            Route(
                method="GET",
                path="/feeds/files/{file_id}",
                handler=self.show_feed_file,
                summary="A vendor's file, and how far its import has come",
                parameters=FeedFilePath,
                response=FeedFileView,
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
                audited=False,
            ),
            Route(
                method="GET",
                path="/feeds/files/{file_id}/bad-rows",
                handler=self.list_bad_rows,
                summary="The rows of a file that were not taken, in the file's order",
                parameters=FeedFilePath,
                query=PageQuery,
                response=Page[BadRowView],
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/feeds/files/{file_id}/bad-rows.csv",
                handler=self.download_bad_rows,
                summary="All rows of a file that were not taken, one fault a line",
                parameters=FeedFilePath,
                response=BadRowsFile,
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/feeds/files/{file_id}/retry",
                handler=self.retry_feed_file,
                summary="Try a refused file again, from its beginning",
                parameters=FeedFilePath,
                response=FeedFileView,
                scopes=FEEDS_WRITE,
                errors=(NOT_FOUND, CONFLICT),
            ),
        )

    async def list_feed_sources(self, call: Call) -> FeedSourcesView:
        rows = await self._store.sources(self._seen_by(call.principal))
        return FeedSourcesView(items=[FeedSourceView.model_validate({**row, "source": row["_id"]}) for row in rows])

    async def list_feed_files(self, call: Call[Parameters, FeedFilesQuery]) -> Page[FeedFileView]:
        before = _FILES.decode(call.query.cursor)
        seen = self._seen_by(call.principal)
        vendors = [vendor for vendor in seen if call.query.vendor in {None, vendor}]
        rows = await self._store.files(vendors, call.query.state, before=before, limit=call.query.limit + 1)
        return _FILES.page(
            Page[FeedFileView], rows, call.query.limit, key=lambda row: (row["received_at"], row["_id"]), show=_file
        )

    async def upload_feed_file(self, call: Call[Parameters, FeedUploadQuery, ZipUpload]) -> FeedFileView:
        if call.query.vendor not in self._seen_by(call.principal):
            raise Problem(NOT_FOUND, "there is no such vendor")
        arrival = Arrival(call.query.vendor, call.query.name, "upload", by=call.principal.subject)
        try:
            row, _new = await self._archive.keep(arrival, call.body.blocks)
        except TooLargeError as error:
            raise Problem(TOO_LARGE, str(error)) from error
        return _file(row)

    async def show_feed_file(self, call: Call[FeedFilePath]) -> FeedFileView:
        return _file(await self._file(call))

    async def list_bad_rows(self, call: Call[FeedFilePath, PageQuery]) -> Page[BadRowView]:
        row = await self._file(call)
        after = _BAD_ROWS.decode(call.query.cursor)
        rows = await self._store.bad_rows(row["_id"], after=after, limit=call.query.limit + 1)
        return _BAD_ROWS.page(
            Page[BadRowView],
            rows,
            call.query.limit,
            key=lambda each: str(each["_id"]),
            show=BadRowView.model_validate,
        )

    async def download_bad_rows(self, call: Call[FeedFilePath]) -> BadRowsFile:
        row = await self._file(call)
        return BadRowsFile("text/csv", f"bad-rows-{row['_id']}.csv", self._bad_rows_csv(row["_id"]))

    async def retry_feed_file(self, call: Call[FeedFilePath]) -> FeedFileView:
        row = await self._file(call)
        if not await self._archive.has(row):
            raise Problem(CONFLICT, "the archive does not have it any more; send it again")

        async def work(transaction: Transaction) -> bool:
            reopened = await self._store.reopen(transaction.session, row["_id"], self._clock.now())
            if reopened:
                await self._store.forget_bad_rows(transaction.session, row["_id"])
            return reopened

        if not await self._unit_of_work.run(work):
            raise Problem(CONFLICT, "only a refused file can be tried again")
        return _file(await self._file(call))

    async def _file(self, call: Call[FeedFilePath, Any]) -> Document:
        row = await self._store.file(call.path.file_id)
        if row is None or row["vendor"] not in self._seen_by(call.principal):
            raise Problem(NOT_FOUND)
        return row

    def _seen_by(self, principal: Principal) -> list[str]:
        """The vendors all of whose programs the caller may enter."""
        return [vendor.id for vendor in self._vendors.values() if principal.programs.issuperset(vendor.programs)]

    async def _bad_rows_csv(self, key: str) -> AsyncIterator[bytes]:
        buffer = StringIO()
        writer = csv.writer(buffer)
        writer.writerow(("member", "line", "registration_id", "program", "column", "code", "message"))
        after: str | None = None
        while True:
            rows = await self._store.bad_rows(key, after=after, limit=CSV_PAGE)
            for row in rows:
                about = (row["member"], row["line"], row["registration_id"] or "", row["program"] or "")
                for fault in row["faults"]:
                    cells = (*about, fault["column"], fault["code"], fault["message"])
                    writer.writerow([safe_cell(str(cell)) for cell in cells])
            yield buffer.getvalue().encode()
            if len(rows) < CSV_PAGE:
                return
            after = str(rows[-1]["_id"])
            buffer.seek(0)
            buffer.truncate()


def _file(row: Document) -> FeedFileView:
    done, lines = row["lines"]["done"], row["lines"]["all"]
    progress = {"lines": lines, "lines_done": done, "share": done / lines if lines else 0.0}
    if row["state"] == "done":
        progress["share"] = 1.0
    return FeedFileView.model_validate(
        {
            **row,
            "file_id": row["_id"],
            "times_seen": row["seen"],
            "progress": {**progress, "lines_per_second": row["pace"]},
            "members": row["members"] or [],
        }
    )
