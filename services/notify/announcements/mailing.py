"""Mails announcements to those who agreed to news, in slices that go on where a stop or a crash left them.

Each candidate gets a mail of an announcement once: its key follows from both. A slice and how far it came are one
transaction. News never crowd out other mails: no more of them are written while many still wait to be sent.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from prometheus_client import Counter

from libs.common.clock import Clock, as_stored
from libs.common.ids import derived_id
from libs.common.mongo.client import Document, Session
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.notify.announcements.store import AnnouncementStore, audience_of, texts_of
from services.notify.domain.announcements import choose, is_shown
from services.notify.domain.mails import Template
from services.notify.domain.recipients import Recipient
from services.notify.letters import Cause, Letter
from services.notify.reminders.standings import Standings
from services.notify.rows import known_recipient, new_message
from services.notify.store import NotifyStore, State

OVER = "over: the announcement is withdrawn, or its last day is past"

NEWS = Counter("certrail_news_written_total", "Mails written of announcements", ["program"])


class Readers(Protocol):
    """Who agreed to news."""

    async def readers(self, session: Session, program: str, *, after: str, limit: int) -> Sequence[str]:
        """Candidates of a program whose ids come after `after`, in their order."""


class Mailing:
    """The job that writes the mails, and the check that holds them back when the announcement is over."""

    EVERY: ClassVar = timedelta(seconds=5)
    SLICE: ClassVar = 200
    SLICES: ClassVar = 20
    UNSENT: ClassVar = 400
    """News that may wait to be sent before more are written: less than half of what a sender takes in hand."""

    def __init__(  # noqa: PLR0917
        self,
        announcements: AnnouncementStore,
        readers: Readers,
        store: NotifyStore,
        standings: Standings,
        programs: Mapping[str, Program],
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._announcements = announcements
        self._readers = readers
        self._store = store
        self._standings = standings
        self._programs = programs
        self._unit_of_work = unit_of_work
        self._clock = clock

    def job(self) -> Job:
        return Job("news", self.EVERY, self.run)

    async def run(self) -> None:
        for _ in range(self.SLICES):
            if not await self._unit_of_work.run(self._slice):
                return

    async def _slice(self, transaction: Transaction) -> bool:
        """Write some mails of the oldest announcement that is due. False where there is nothing to do now."""
        session, now = transaction.session, transaction.now
        for row in await self._announcements.to_mail(session):
            program = self._programs[row["program"]]
            today = program.day_of(now).isoformat()
            if today < row["first_day"]:
                continue
            if today > row["last_day"]:
                await self._announcements.mailed(session, row, after=None, count=0, at=now)
                return True
            if await self._store.unsent(session, Template.NEWS, self.UNSENT) >= self.UNSENT:
                return False
            await self._mail(transaction, row, program)
            return True
        return False

    async def _mail(self, transaction: Transaction, row: Document, program: Program) -> None:
        session, after = transaction.session, row["mailing"].get("after", "")
        slice_ = await self._readers.readers(session, program.id, after=after, limit=self.SLICE)
        goes_on = await self._store.merges.survivors(session, slice_)
        readers = sorted({goes_on.get(one, one) for one in slice_})
        held = await self._held(session, readers)
        recipients = await self._store.recipients(session, readers)
        audience = audience_of(row)
        mails = [
            _mail(row, recipient, transaction)
            for one in readers
            if (recipient := known_recipient(recipients.get(one))) and audience.includes(held.get(one, ()), program)
        ]
        written = await self._store.known(session, [mail["_id"] for mail in mails])
        new = [mail for mail in mails if mail["_id"] not in written]
        if new:
            await self._store.add_messages(session, new)
        last = slice_[-1] if len(slice_) == self.SLICE else None
        await self._announcements.mailed(session, row, after=last, count=len(new), at=transaction.now)
        transaction.on_commit(lambda: NEWS.labels(program.id).inc(len(new)))

    async def _held(self, session: Session, readers: Sequence[str]) -> dict[str, set[str]]:
        """The certifications that are active now, by candidate."""
        held: dict[str, set[str]] = {}
        for (candidate, certification), standing in (await self._standings.of(session, readers)).items():
            if standing.active:
                held.setdefault(candidate, set()).add(certification)
        return held

    async def withheld(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        """The news that need not go any more, with a word that says why."""
        news = {letter.id: letter for letter in letters if letter.template is Template.NEWS}
        if not news:
            return {}
        found = await self._announcements.several([letter.context["announcement_id"] for letter in news.values()])
        return {
            key: OVER
            for key, letter in news.items()
            if not self._goes_on(found.get(letter.context["announcement_id"]), letter)
        }

    def _goes_on(self, row: Document | None, letter: Letter) -> bool:
        if row is None:
            return False
        today = self._programs[letter.program].day_of(self._clock.now()).isoformat()
        return is_shown(row["state"], row["first_day"], row["last_day"], today)


def _mail(row: Document, recipient: Recipient, transaction: Transaction) -> Document:
    _, words = choose(texts_of(row), recipient.language)
    context: dict[str, Any] = {
        "announcement_id": row["_id"],
        "title": words.title,
        "paragraphs": list(words.paragraphs),
    }
    message = new_message(
        derived_id("news", row["_id"], recipient.candidate_id),
        program=recipient.program,
        template=Template.NEWS,
        candidate_id=recipient.candidate_id,
        context=context,
        cause=Cause(row["_id"], row["_id"], None),
        now=transaction.now,
    )
    return message | {"state": State.QUEUED, "due_at": as_stored(transaction.now)}
