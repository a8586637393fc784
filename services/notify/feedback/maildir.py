"""A maildir that a mail server delivers reports to: they are read from `new`, and what is no report stays in `cur`."""

import asyncio
import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import structlog

from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import UnitOfWork
from services.notify.feedback import reports
from services.notify.feedback.returns import Returns, counted

SEEN = ":2,"
"""What a maildir's readers put behind the name of a file that they have looked at."""

log = structlog.get_logger(__name__)


class ReportFolder:
    """Reads what is delivered. A file goes only after what it says is committed, so a crash reads it again."""

    EVERY: ClassVar = timedelta(seconds=5)
    SLICE: ClassVar = 200
    """Files of one run, which has to end well within a job's lease."""

    def __init__(self, folder: Path, returns: Returns, unit_of_work: UnitOfWork) -> None:
        self._new = folder / "new"
        self._read = folder / "cur"
        self._returns = returns
        self._unit_of_work = unit_of_work

    def job(self) -> Job:
        return Job("mail-reports", self.EVERY, self.run)

    async def run(self) -> None:
        try:
            for name in await asyncio.to_thread(self._names):
                await self._take(name)
        except OSError as error:
            log.error("mail_reports_unreadable", path=error.filename, cause=error.strerror)  # noqa: TRY400 no fault of ours

    async def _take(self, name: str) -> None:
        try:
            raw = await asyncio.to_thread(_content, self._new / name)
        except FileNotFoundError:
            return  # another process was quicker
        report = await asyncio.to_thread(reports.read, raw)
        mail = None
        if report is not None:
            mail = await self._unit_of_work.run(lambda transaction: self._returns.take(transaction, report))
        counted(report, mail)
        await asyncio.to_thread(self._settle, name, taken=mail is not None)

    def _settle(self, name: str, *, taken: bool) -> None:
        if taken:
            (self._new / name).unlink(missing_ok=True)
            return
        try:
            (self._new / name).rename(self._read / f"{name.partition(':')[0]}{SEEN}")
        except FileNotFoundError:
            if not self._read.is_dir():
                raise

    def _names(self) -> list[str]:
        """The oldest files; links and folders are left alone."""
        with os.scandir(self._new) as entries:
            found = [(entry.stat(follow_symlinks=False), entry.name) for entry in entries]
        files = sorted((state.st_mtime_ns, name) for state, name in found if stat.S_ISREG(state.st_mode))
        return [name for _, name in files if not name.startswith(".")][: self.SLICE]


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(reports.MAX_BYTES)
