"""Notify's database, a scripted mail server, and as many processes of notify as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from typing import Any

import orjson
from aiosmtpd.smtp import SMTP, Envelope

from libs.common.bus.messages import Delivery, Received
from libs.common.clock import FixedClock
from libs.common.events import CloudEvent, EventData, exams, identity
from libs.common.ids import new_id
from libs.common.mongo.client import Client, Document, open_database
from libs.common.mongo.unit_of_work import UnitOfWork
from libs.common.programs import load_programs
from services.notify.announcements.mailing import Mailing
from services.notify.announcements.store import AnnouncementStore
from services.notify.checks import Checks, Together
from services.notify.consumers import NotifyEvents
from services.notify.domain.pacing import Pacing
from services.notify.editions.shelf import Shelf, Worded
from services.notify.editions.store import EditionStore
from services.notify.feedback.parts import Feedback
from services.notify.feedback.suppressions import Suppressions
from services.notify.letters import Letter
from services.notify.reminders.check import ReminderCheck
from services.notify.reminders.gathered import Gathered
from services.notify.reminders.standings import Standings
from services.notify.reminders.taking import Taking
from services.notify.reminders.writing import Writing
from services.notify.rendering import Renderer
from services.notify.rows import known_recipient, letter_of
from services.notify.sender import Sender
from services.notify.settings import NotifySettings
from services.notify.settling import Answered, Settler
from services.notify.smtp import Connection, MailServer
from services.notify.store import NotifyStore
from services.notify.suppressed import Suppressed
from services.notify.unsubscribing.links import UnsubscribeLinks
from services.notify.wishes import WishStore
from services.notify.words import Words
from tests.service.rig import Kept, eventually

PROGRAMS_DIR = Path(__file__).resolve().parents[2] / "deploy" / "programs"
PROGRAMS = load_programs(PROGRAMS_DIR)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ADA = "CSCO10000001"
NAME = {"given_name": "Ada", "family_name": "Lovelace"}
NOWHERE = Delivery(b"", "certrail.events", "", None, None, None, None, {})


@dataclass
class Mailbox:
    """A mail server; `answer` says what to reply to a mail, None for acceptance."""

    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    senders: list[str | None] = field(default_factory=list)
    answer: Callable[[], Awaitable[str | None]] | None = None
    port: int = 0

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Envelope) -> str:  # noqa: N802
        reply = await self.answer() if self.answer else None
        if reply is not None:
            return reply
        assert isinstance(envelope.original_content, bytes)
        self.raw.append(envelope.original_content)
        self.senders.append(envelope.mail_from)
        message = message_from_bytes(envelope.original_content, policy=modern)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        return "250 2.0.0 taken"

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self, loop=loop), "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            # Whoever is connected stays so: from Python 3.12 on, to wait would be to wait for them.
            server.close()

    @property
    def ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]


class DyingSettler(Settler):
    """Of a process that is killed after the server has accepted a mail, before that is recorded."""

    async def settle(self, answered: Sequence[Answered]) -> None:
        self.accepted = list(answered)
        await asyncio.Event().wait()


@dataclass
class Station:
    """The database of notify and as many processes on it as a test wants."""

    client: Client
    clock: FixedClock
    mailbox: Mailbox

    def __post_init__(self) -> None:
        self.database = open_database(self.client)
        self.store = NotifyStore(self.database)
        self.editions = EditionStore(self.database)
        self.shelf = Shelf(self.editions, fresh_seconds=0.0)
        self.links = UnsubscribeLinks("s" * 32, "https://certs.example")
        self.renderer = Renderer(PROGRAMS, "https://certs.example", links=self.links, editions=self.shelf)
        self.wishes, self.words = WishStore(self.database), Words(self.database)
        self.suppressions = Suppressions(self.database)
        self.gathered, self.standings = Gathered(self.database), Standings(self.database)
        self.announcements = AnnouncementStore(self.database)
        self.pacing = Pacing({})

    def process(
        self, owner: str, settler: type[Settler] = Settler, port: int | None = None, **settings_: Any
    ) -> "Process":
        settings = NotifySettings.model_construct(smtp_port=port or self.mailbox.port, **settings_)
        unit_of_work = UnitOfWork(
            self.client, self.database, service="notify", owner=owner, clock=self.clock, relay=Kept()
        )
        feedback = Feedback(self.database, self.store, self.renderer, unit_of_work)
        settle = settler(self.store, unit_of_work, self.renderer, feedback.returns, owner=owner)
        ways = Connection.many(4, MailServer(settings), self.clock)
        reminders = ReminderCheck(self.store, self.standings, PROGRAMS, self.clock)
        writing = Writing(self.store, self.gathered, self.standings, self.wishes, self.renderer, PROGRAMS, unit_of_work)
        mailing = Mailing(
            self.announcements, self.wishes, self.store, self.standings, PROGRAMS, unit_of_work, self.clock
        )
        sender = Sender(
            self.store,
            settle,
            self.renderer,
            ways,
            self.clock,
            check=Checks(
                Together(Suppressed(self.suppressions), self.wishes, self.words),
                reminders,
                mailing,
                Worded(self.shelf, self.store),
            ),
            pacing=self.pacing,
            owner=owner,
        )
        taking = Taking(self.store, self.gathered, self.standings, self.wishes, PROGRAMS)
        events = NotifyEvents(self.store, self.wishes, self.words, taking, sender, PROGRAMS)
        return Process(unit_of_work, settle, sender, events, writing, mailing)

    async def messages(self, **query: Any) -> list[Document]:
        return await self.database["messages"].find(query).to_list(None)

    async def rows(self, collection: str) -> list[Document]:
        return await self.database[collection].find().sort("_id", 1).to_list(None)

    async def told(self) -> list[dict[str, Any]]:
        """The events that the outbox holds."""
        rows = await self.database["outbox"].find().sort("_id", 1).to_list(None)
        bodies = [orjson.loads(row["body"]) for row in rows]
        return [event for body in bodies for event in (body if isinstance(body, list) else [body])]

    async def letter(self, row: Document) -> Letter:
        """A stored mail as it lies in the memory of a process that had claimed it."""
        recipient = known_recipient(await self.store.recipient(row["candidate_id"]))
        assert recipient is not None
        return letter_of({**row, "due_at": NOON}, recipient)

    async def settled(self, count: int) -> list[Document]:
        """Wait until so many mails are sent or refused, and return them."""
        return await eventually(
            lambda: self.messages(state={"$in": ["sent", "refused", "withheld"]}), lambda rows: len(rows) >= count
        )


@dataclass
class Process:
    unit_of_work: UnitOfWork
    settler: Settler
    sender: Sender
    events: NotifyEvents
    writing: Writing
    mailing: Mailing

    async def handle(self, *items: Received[Any]) -> None:
        await self.unit_of_work.run(lambda transaction: self.events.handle(transaction, items))

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        task = asyncio.create_task(self.sender.run(stopping))
        try:
            yield
        finally:
            stopping.set()
            await task


def received(data: EventData, version: int = 1) -> Received[Any]:
    event: CloudEvent[Any] = CloudEvent(
        id=new_id(),
        source=f"certrail/{data.publisher}",
        type=data.event_type,
        subject=ADA,
        time=NOON,
        program="cisco",
        correlationid="first-cause",
        subjectversion=version,
        data=data,
    )
    return Received(event, NOWHERE, "00-" + "1" * 32 + "-" + "2" * 16 + "-01")


def registered(candidate_id: str = ADA, email: str = "ada@example.com", version: int = 1) -> Received[Any]:
    data: dict[str, Any] = {"candidate_id": candidate_id, "email": email, **NAME}
    return received(identity.CandidateRegistered(**data, country="GB", registered_at=NOON), version)


def moved(email: str, version: int) -> Received[Any]:
    data: dict[str, Any] = {"candidate_id": ADA, "email": email, **NAME}
    return received(identity.CandidateProfileChanged(**data, country="GB"), version)


def passed(candidate_id: str = ADA) -> Received[Any]:
    return received(
        exams.ExamPassed(
            candidate_id=candidate_id,
            result_id=new_id(),
            revision=1,
            registration_id="R1",
            exam_code="200-301",
            taken_on=date(2026, 11, 20),
            taken_at=NOON,
            known_at=NOON,
        )
    )


def activation() -> Received[Any]:
    return received(
        identity.AccessRequested(
            candidate_id=ADA, reason="activation", token="open-sesame", expires_at=NOON + timedelta(days=2)
        ),
        version=2,
    )


def invited(email: str, version: int) -> Received[Any]:
    """Somebody of staff is invited at an address."""
    data = identity.StaffInvited(
        staff_id="staff-1",
        full_name="Mia Maier",
        email=email,
        reason="invitation",
        token="open-sesame",
        expires_at=NOON + timedelta(days=2),
    )
    return received(data, version)
