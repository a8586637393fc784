"""One transaction: a service's state, the inbox records of what it took in, the outbox rows of what it says.

Motor's own transaction helper does not retry a failed commit, so both retry loops stand here: the whole work for
a transient error, the commit alone where its outcome is unknown (MongoDB driver specification, transactions).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

import structlog
from prometheus_client import Counter
from pymongo import ReadPreference
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from libs.common.bus.messages import Cause, Outgoing, Received
from libs.common.bus.outgoing import OutgoingEvents
from libs.common.clock import Clock
from libs.common.errors import Contended, Unavailable
from libs.common.events import EventData
from libs.common.mongo.client import Client, Database, Session
from libs.common.mongo.faults import is_outage
from libs.common.mongo.inbox import Inbox
from libs.common.mongo.outbox import Outbox
from libs.common.mongo.said_before import SaidBefore

DEADLINE_SECONDS = 15.0
"""How long one unit of work is tried, conflicts included. The server ends a single attempt after four seconds."""
DUPLICATE_KEY = 11000

RETRIES = Counter("certrail_transaction_retries_total", "Transactions tried again", ["reason"])

log = structlog.get_logger(__name__)
T = TypeVar("T")


class Hand(Protocol):
    """Takes committed messages, to be published at once."""

    def hand_over(self, messages: Sequence[Outgoing]) -> None: ...


class Transaction:
    """What a handler works with: the session for its store, and `emit` for what it has to say."""

    def __init__(
        self, session: Session, events: OutgoingEvents, inbox: Inbox, now: datetime, *, repeated: bool = False
    ) -> None:
        self.session = session
        self.now = now
        """The one moment at which everything in this transaction happens."""
        self.repeated = repeated
        """Whether an attempt at the same work has failed before, on a duplicate key perhaps. Work whose repetition is
        rare may insert first, and look for what is there already only then."""
        self._events = events
        self._inbox = inbox
        self._notes: list[Callable[[], None]] = []

    def on_commit(self, note: Callable[[], None]) -> None:
        """Call `note` once, after this very attempt has committed: what a retry must not do again, or too early."""
        self._notes.append(note)

    def committed(self) -> None:
        """Call what waits for the commit; the unit of work does this."""
        for note in self._notes:
            note()

    def emit(self, data: EventData, *, program: str, subject: str, version: int, cause: Cause | None = None) -> None:
        """Publish an event once, if and only if this transaction commits.

        Args:
            data: what happened.
            program: the tenant.
            subject: whom it concerns, usually the candidate's id.
            version: grows with every event of this service about this subject.
            cause: the event that led to it, whose correlation and trace it carries on; without one, those of the
                request that is being answered.
        """
        self._events.add(data, program=program, subject=subject, version=version, cause=cause, now=self.now)

    def send(self, message: Outgoing) -> None:
        """Publish a message that is no event of ours, under the same promise."""
        self._events.add_message(message)

    async def take_new(self, events: Sequence[Received[Any]]) -> list[Received[Any]]:
        """The events not taken in before, recorded as taken in."""
        return await self._inbox.take_new(self.session, events, self.now)


class UnitOfWork:
    """Runs work in transactions until one commits, then hands its messages to the relay."""

    def __init__(
        self,
        client: Client,
        database: Database,
        *,
        service: str,
        owner: str,
        clock: Clock,
        relay: Hand,
        said_before: SaidBefore | None = None,
    ) -> None:
        self._client = client
        self._service = service
        self._owner = owner
        self._clock = clock
        self._relay = relay
        self._inbox = Inbox(database)
        self._outbox = Outbox(database)
        self._said_before = said_before

    async def run(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `work` and commit. `work` may run several times and must have no effect outside its transaction.

        A cancellation waits for the attempt under way: a driver call cannot be abandoned half-way without
        leaving its locks behind.

        Raises:
            Unavailable: the database cannot be reached.
            Contended: conflicts with others lasted until the deadline.
        """
        attempt = asyncio.ensure_future(self._until_committed(work))
        try:
            return await asyncio.shield(attempt)
        except asyncio.CancelledError:
            await asyncio.wait([attempt])
            raise

    async def _until_committed(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DEADLINE_SECONDS
        duplicates = 0
        for attempt in range(1_000_000):
            try:
                return await self._attempt(work, deadline, repeated=attempt > 0)
            except (DuplicateKeyError, BulkWriteError) as error:
                # Two transactions inserted the same key; the second look finds the other's document.
                duplicates += 1
                if not _is_duplicate(error) or duplicates > 5:  # noqa: PLR2004 a real duplicate never goes away
                    raise
                RETRIES.labels("duplicate_key").inc()
            except PyMongoError as error:
                if not error.has_error_label("TransientTransactionError"):
                    if is_outage(error):
                        raise Unavailable(str(error)) from error
                    raise
                if isinstance(error, ConnectionFailure) and loop.time() > deadline:
                    raise Unavailable(str(error)) from error
                if loop.time() > deadline:
                    raise Contended(f"gave up after {attempt + 1} conflicts") from error
                RETRIES.labels("transient").inc()
            await asyncio.sleep(random.uniform(0.001, min(0.005 * 2**attempt, 0.25)))  # noqa: S311 jitter
        raise AssertionError  # the deadline ends the loop long before

    async def _attempt(self, work: Callable[[Transaction], Awaitable[T]], deadline: float, *, repeated: bool) -> T:
        events = OutgoingEvents(self._service)
        async with await self._client.start_session() as session:
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
                read_preference=ReadPreference.PRIMARY,
            )
            try:
                now = self._clock.now()
                transaction = Transaction(session, events, self._inbox, now, repeated=repeated)
                result = await work(transaction)
                if self._said_before is not None:
                    await self._said_before.adopt(session, events)
                messages = events.messages()
                if messages:
                    await self._outbox.add(session, messages, owner=self._owner, now=now)
            except BaseException:
                await _abort(session)
                raise
            await _commit(session, deadline)
        transaction.committed()
        if messages:
            self._relay.hand_over(messages)
        return result


async def _abort(session: Session) -> None:
    try:
        await session.abort_transaction()
    except PyMongoError:
        # The server ends what it did not hear the end of; the error worth telling is the one that led here.
        log.warning("transaction_abort_failed", exc_info=True)


async def _commit(session: Session, deadline: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult") or loop.time() > deadline:
                raise
            RETRIES.labels("unknown_commit").inc()
            await asyncio.sleep(0.05)
        else:
            return


def _is_duplicate(error: PyMongoError) -> bool:
    if isinstance(error, BulkWriteError):
        faults = (error.details or {}).get("writeErrors", [])
        return bool(faults) and all(fault.get("code") == DUPLICATE_KEY for fault in faults)
    return isinstance(error, DuplicateKeyError)
