"""Writes the mails for what was gathered, when their time has come.

**One mail a day.** The key of such a mail follows from its reader, its bundle and the day, so no crash and no second
process makes two of them. What comes after the mail of its day waits for the next.

**Never about what has moved.** Reminders are held against what certs said last, when the mail is written and again
before each try to send it (`check.py`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from prometheus_client import Counter as Metric

from libs.common.clock import as_stored
from libs.common.ids import derived_id
from libs.common.mongo.client import Document, Session
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.notify.domain.gathering import (
    Bundle,
    Standings,
    digest_facts,
    entries_of,
    expiry_of,
    reminder_facts,
    still_true,
)
from services.notify.domain.mails import Template
from services.notify.domain.recipients import Recipient
from services.notify.domain.wishes import Wishes
from services.notify.letters import Cause
from services.notify.reminders.gathered import Gathered
from services.notify.reminders.standings import Standings as KnownStandings
from services.notify.rendering import Renderer
from services.notify.rows import known_recipient, new_message
from services.notify.store import NotifyStore, State
from services.notify.wishes import WishStore

NOBODY_YET = timedelta(hours=1)
"""Until it is looked again whether somebody is known whom a gathered mail could go to."""

GATHERED = Metric("certrail_mails_gathered_total", "What waited to be part of a mail", ["bundle", "outcome"])

_NO_WISHES = Wishes()
_TEMPLATES = {Bundle.REMINDERS: Template.CERTIFICATION_EXPIRING, Bundle.DIGEST: Template.DIGEST}


def mail_key(bundle: Bundle, reader: str, day: date) -> str:
    """The id of the one mail of a bundle that somebody gets on a day."""
    return derived_id(bundle, reader, day.isoformat())


class Writing:
    """The job that does it."""

    EVERY: ClassVar = timedelta(seconds=10)
    SLICE: ClassVar = 100
    SLICES: ClassVar = 50
    """In one run at most, which is well within a job's lease."""

    def __init__(  # noqa: PLR0917
        self,
        store: NotifyStore,
        gathered: Gathered,
        standings: KnownStandings,
        wishes: WishStore,
        renderer: Renderer,
        programs: Mapping[str, Program],
        unit_of_work: UnitOfWork,
    ) -> None:
        self._store = store
        self._gathered = gathered
        self._standings = standings
        self._wishes = wishes
        self._renderer = renderer
        self._programs = programs
        self._unit_of_work = unit_of_work

    def job(self) -> Job:
        return Job("gathered-mails", self.EVERY, self.run)

    async def run(self) -> None:
        for _ in range(self.SLICES):
            outcomes = await self._unit_of_work.run(self._slice)
            for (bundle, outcome), count in outcomes.items():
                GATHERED.labels(bundle, outcome).inc(count)
            if not outcomes:
                return

    async def _slice(self, transaction: Transaction) -> Mapping[tuple[Bundle, str], int]:
        """Deal with what waits longest. Returns how many rows had which outcome, and nothing where none was due."""
        session, now = transaction.session, transaction.now
        due = await self._gathered.due(session, now, self.SLICE)
        groups = await self._groups(session, {row["candidate_id"] for row in due}, now)
        readers = {reader for reader, _ in groups}
        recipients = await self._store.recipients(session, readers)
        standings = await self._standings.of(session, {*readers, *_told_of(groups)})
        wishes = await self._wishes.of(session, readers)
        days = {group: self._programs[rows[0]["program"]].day_of(now) for group, rows in groups.items()}
        written = await self._store.known(session, [mail_key(bundle, one, days[one, bundle]) for one, bundle in groups])
        mails: list[Document] = []
        settled: dict[str, str | None] = {}
        postponed: dict[str, datetime] = {}
        outcomes: Counter[tuple[Bundle, str]] = Counter()
        for (reader, bundle), rows in groups.items():
            program, today = self._programs[rows[0]["program"]], days[reader, bundle]
            key = mail_key(bundle, reader, today)
            recipient = known_recipient(recipients.get(reader))
            if key in written or recipient is None:
                until = program.end_of(today) if key in written else now + NOBODY_YET
                postponed.update({row["_id"]: until for row in rows})
                outcomes[bundle, "postponed"] += len(rows)
                continue
            wanted = [row for row in rows if not wishes.get(reader, _NO_WISHES).against(row["template"])]
            context = self._context(bundle, wanted, recipient, standings, today)
            if context is not None:
                mails.append(_mail(key, bundle, recipient, context, rows, now))
            settled.update({row["_id"]: key if context is not None else None for row in rows})
            outcomes[bundle, "mailed" if context is not None else "overtaken"] += len(rows)
        if mails:
            await self._store.add_messages(session, mails)
        await self._gathered.settle(session, settled)
        await self._gathered.postpone(session, postponed)
        return outcomes

    async def _groups(
        self, session: Session, candidates: set[str], now: datetime
    ) -> dict[tuple[str, Bundle], list[Document]]:
        """What goes into each mail: all that waits of the person, of whichever account, where some of it is due."""
        goes_on: dict[str, str] = {}
        for candidate in await self._store.merges.joined(session, candidates):
            family = await self._store.merges.family(session, candidate)
            goes_on.update(dict.fromkeys(family, family[0]))
        groups: dict[tuple[str, Bundle], list[Document]] = defaultdict(list)
        for row in await self._gathered.waiting(session, candidates | goes_on.keys()):
            reader = str(goes_on.get(row["candidate_id"], row["candidate_id"]))
            groups[reader, Bundle(row["bundle"])].append(row)
        return {group: rows for group, rows in groups.items() if any(row["due_at"] <= now for row in rows)}

    def _context(
        self, bundle: Bundle, rows: Sequence[Document], recipient: Recipient, standings: Standings, today: date
    ) -> dict[str, Any] | None:
        """What the mail states; None where nothing of it is so any more, or wanted."""
        if bundle is Bundle.REMINDERS:
            expiries = [expiry_of(row["context"]) for row in rows]
            still = still_true(expiries, standings, recipient.candidate_id, today)
            return reminder_facts(still) if still else None
        if not rows:
            return None
        program = self._programs[recipient.program]
        words = [(row["created_at"], self._words(row, recipient)) for row in rows]
        return digest_facts(entries_of(words, program))

    def _words(self, row: Document, recipient: Recipient) -> str:
        """A mail in one line: its subject is the sentence of the moment."""
        return self._renderer.words(Template(row["template"]), row["_id"], row["context"], recipient).subject


def _told_of(groups: Mapping[tuple[str, Bundle], Iterable[Document]]) -> set[str]:
    return {row["candidate_id"] for rows in groups.values() for row in rows}


def _mail(  # noqa: PLR0917
    key: str, bundle: Bundle, recipient: Recipient, context: Mapping[str, Any], rows: Sequence[Document], now: datetime
) -> Document:
    first = rows[0]
    message = new_message(
        key,
        program=recipient.program,
        template=_TEMPLATES[bundle],
        candidate_id=recipient.candidate_id,
        context=context,
        cause=Cause(first["cause_event_id"], first["correlation_id"], first["traceparent"]),
        now=now,
    )
    return message | {"state": State.QUEUED, "due_at": as_stored(now)}
