"""Sends claimed mails over a few open connections, and takes over those that others have left behind.

**What a crash leaves.** A mail is claimed before it is sent and settled after the server has accepted it. When the
process dies in between, nobody can know whether it was accepted. The rule: the claim runs out and the mail is sent
again under the same Message-ID. It is never lost; a repetition can be recognised by mailbox and reader, and is
counted, recorded and told once. What can be repeated is bounded by `UNSETTLED`, and is in practice what was accepted
during one settlement.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from prometheus_client import Counter, Gauge

from libs.common.bus.connection import wait_or_stop
from libs.common.clock import Clock, as_stored
from libs.common.errors import Unavailable
from libs.common.mongo.faults import database_faults
from libs.common.tracing import Tracing
from services.notify.checks import Check
from services.notify.clearing import Cleared, Clearing
from services.notify.domain.delivery import Paced, Refused, Verdict, Withheld
from services.notify.domain.pacing import Pacing
from services.notify.letters import Envelope, Letter, named
from services.notify.rendering import Renderer
from services.notify.rows import known_recipient, letter_of
from services.notify.settling import Answered, Settler
from services.notify.smtp import Connection
from services.notify.store import Claim, NotifyStore

LEASE = timedelta(seconds=20)
"""How long a claim lasts: after a crash its mails wait at most this long for another. It is extended only for mails
that are begun. One that still waits here by then goes to whoever claims it first, and that may be this process."""
EXTEND_SECONDS = LEASE.total_seconds() / 5
MARGIN = LEASE / 2
"""A mail whose claim ends sooner than this is not begun. Well above `EXTEND_SECONDS`: a mail must not lose its claim
between being begun and the next extension, or another process would send it too."""
BATCH = 400
"""Mails that one batch of events may call for; room for so many is waited for."""
MEMORY = 1_000
"""Mails in hand at most. More than these stay in the database until there is room."""
UNSETTLED = 200
"""Mails begun or answered, and not settled: how many a crash may repeat. Sending pauses at this number."""
SETTLE_MAILS = 100
SETTLE_SECONDS = 0.05
"""One settlement takes what was answered within this time, or so many: a transaction costs the same for one as for
a hundred. It delays no mail, only the record of it, and with that what a crash repeats."""
POLL_SECONDS = 1.0
POLL_LIMIT = 200
LONGEST_PAUSE = 2.0
"""Seconds between two tries to settle while the database is away; short, for the claims go on running out."""

IN_HAND = Gauge("certrail_mails_in_hand", "Mails claimed by this process and not settled")
TAKEN_OVER = Counter("certrail_mails_polled_total", "Mails found due in the database rather than handed over")
LAPSED = Counter("certrail_mail_claims_lapsed_total", "Claims that ran out before the mail was begun")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Mail:
    letter: Letter
    envelope: Envelope


class Sender:
    """The sending half of notify. Letters come from `take`, straight after their commit, and from the poll."""

    def __init__(
        self,
        store: NotifyStore,
        settler: Settler,
        renderer: Renderer,
        connections: Sequence[Connection],
        clock: Clock,
        *,
        check: Check,
        pacing: Pacing,
        owner: str,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing or Tracing()
        self._store = store
        self._pacing = pacing
        self._clearing = Clearing(check, pacing, clock, self._withhold)
        self._settler = settler
        self._renderer = renderer
        self._connections = connections
        self._clock = clock
        self._owner = owner
        self._in_hand: dict[str, Letter] = {}
        self._begun: dict[str, Letter] = {}
        self._answered: list[Answered] = []
        self._news = asyncio.Event()
        self._enough = asyncio.Event()
        self._settled = asyncio.Event()
        self._window = asyncio.Semaphore(UNSETTLED)
        self._giving_back: set[asyncio.Future[None]] = set()
        self._closing = False
        self._all_answered = False

    @property
    def room(self) -> int:
        """How many letters `take` can hold; none when this process is about to stop."""
        return 0 if self._closing else max(MEMORY - len(self._in_hand), 0)

    async def wait_for_room(self, seconds: float) -> None:
        """Return when there is room for another batch, or when `seconds` have passed without.

        So a backlog waits in the broker's queue, where waiting costs nothing, rather than as claims to be made anew.
        """
        if self.room >= BATCH:
            return
        try:
            async with asyncio.timeout(seconds):
                while self.room < BATCH and not self._closing:
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            log.debug("no_room_for_mails", count=len(self._in_hand))

    def claim(self) -> Claim:
        """A claim for this process, from now on."""
        return Claim(self._owner, as_stored(self._clock.now() + LEASE))

    def take(self, letters: Sequence[Letter]) -> None:
        """Take letters whose claim by this process is committed."""
        if self._closing:
            self._give_back([letter.id for letter in letters])
            return
        for letter in letters:
            known = self._in_hand.get(letter.id)
            if known is not None:  # ran out while it lay here, and was claimed again by our own poll
                known.claimed_until = letter.claimed_until
                continue
            self._in_hand[letter.id] = letter
            self._clearing.put(letter)
        IN_HAND.set(len(self._in_hand))

    def _give_back(self, ids: Sequence[str]) -> None:
        task = asyncio.ensure_future(self._release(ids))
        self._giving_back.add(task)
        task.add_done_callback(self._giving_back.discard)

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until `stopping` is set; then finish what is begun, settle it, and give the rest back."""
        settled = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            working = [
                tasks.create_task(self._clearing.run(stopping)),
                *(tasks.create_task(self._send(way, stopping)) for way in self._connections),
            ]
            settling = tasks.create_task(self._settle())
            tasks.create_task(self._poll(stopping))
            tasks.create_task(self._extend(settled))
            await stopping.wait()
            self._closing = True
            self._settled.set()
            self._clearing.end(takers=len(self._connections))
            await asyncio.wait(working)
            self._all_answered = True
            self._enough.set()
            self._news.set()
            await asyncio.wait([settling])
            settled.set()
        await self._release(list(self._in_hand))
        self._in_hand.clear()
        IN_HAND.set(0)

    # Sending

    async def _send(self, connection: Connection, stopping: asyncio.Event) -> None:
        try:
            mail = await self._next_mail(connection, stopping)
            while mail is not None:
                following = await self._mail_at_hand()
                verdict = await self._deliver(connection, mail, following)
                self._pacing.hear(mail.letter.recipient.email, verdict)
                self._answer(mail.letter, verdict)
                if following is None:
                    following = await self._next_mail(connection, stopping)
                elif not await connection.connect(stopping):
                    return
                mail = following
        finally:
            await connection.close()

    async def _deliver(self, connection: Connection, mail: _Mail, following: _Mail | None) -> Verdict:
        """Hand a mail over, as the last span of its trace."""
        cause = mail.letter.cause
        spans = self._tracing.begin(
            "smtp send",
            (cause.traceparent,),
            kind="client",
            correlations=(cause.correlation_id,),
            template=mail.letter.template.value,
            message_id=mail.letter.id,
        )
        try:
            verdict = await connection.send(mail.envelope, following=following.envelope if following else None)
        except BaseException as error:
            spans.end(error)
            raise
        spans.end()
        return verdict

    async def _next_mail(self, connection: Connection, stopping: asyncio.Event) -> _Mail | None:
        """The next mail to send, begun, however long it takes to come. None where a stop came first."""
        while not self._closing:
            # Connected first: an outage of the server holds mails up here and costs them no try.
            cleared = await self._clearing.take()
            if cleared is None or not await connection.connect(stopping):
                return None
            mail = await self._begin(cleared)
            if mail is not None:
                return mail
        return None

    async def _mail_at_hand(self) -> _Mail | None:
        """A mail that can be begun without waiting for anything."""
        while not (self._closing or self._window.locked()):
            cleared = self._clearing.at_hand()
            if cleared is None:
                return None
            mail = await self._begin(cleared)
            if mail is not None:
                return mail
        return None

    async def _withhold(self, letter: Letter, verdict: Withheld | Paced) -> None:
        """Settle a letter that must not go, or not yet."""
        if await self._hold(letter):
            self._answer(letter, verdict)

    async def _hold(self, letter: Letter) -> bool:
        """Keep a letter claimed until it is settled. False where its claim has run out."""
        await self._window.acquire()
        if letter.claimed_until - MARGIN < self._clock.now():
            self._window.release()
            self._forget(letter)
            return False
        self._begun[letter.id] = letter
        return True

    async def _begin(self, cleared: Cleared) -> _Mail | None:
        """Write a letter out; from here on it is kept claimed. None where that is no longer so, or cannot be done."""
        letter = cleared.letter
        if asyncio.get_running_loop().time() > cleared.until:
            self._clearing.put(letter)
            return None
        if not await self._hold(letter):
            return None
        try:
            return _Mail(letter, self._renderer.envelope(letter))
        except Exception as error:  # noqa: BLE001 one mail that cannot be written must not stop the others
            # The error's own text may hold what the mail says.
            cause = type(error).__name__
            log.error("mail_unwritable", **named(letter), cause=cause)  # noqa: TRY400 a traceback may hold it as well
            self._answer(letter, Refused(self._clock.now(), f"could not be written: {cause}"))
            return None

    def _answer(self, letter: Letter, verdict: Verdict) -> None:
        self._answered.append(Answered(letter, verdict))
        self._news.set()
        if len(self._answered) >= SETTLE_MAILS:
            self._enough.set()

    def _forget(self, letter: Letter) -> None:
        """Leave a letter whose claim has run out to whoever claims it next."""
        LAPSED.inc()
        del self._in_hand[letter.id]

    # Settling

    async def _settle(self) -> None:
        while True:
            if self._answered:
                await wait_or_stop(self._enough, SETTLE_SECONDS)
                self._enough.clear()
                batch, self._answered = self._answered, []
                await self._settle_despite_outages(batch)
                for answer in batch:
                    del self._begun[answer.letter.id], self._in_hand[answer.letter.id]
                    self._window.release()
                IN_HAND.set(len(self._in_hand))
                self._settled.set()
            elif self._all_answered:
                return
            else:
                self._news.clear()
                await self._news.wait()

    async def _settle_despite_outages(self, batch: list[Answered]) -> None:
        pause = 0.1
        while True:
            try:
                await self._settler.settle(batch)
            except Unavailable as error:
                log.warning("mails_unsettled", cause=type(error).__name__, count=len(batch))
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 jitter, not a secret
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return

    # Claims

    async def _poll(self, stopping: asyncio.Event) -> None:
        """Look for mails that are due, at start and then every second."""
        while not stopping.is_set():
            found = 0
            async with database_faults(log):
                found = await self._claim_due()
            if found < POLL_LIMIT:
                await wait_or_stop(stopping, POLL_SECONDS)

    async def _claim_due(self) -> int:
        limit = min(self.room, POLL_LIMIT)
        if limit == 0:
            return 0
        waiting = self._in_hand.keys() - self._begun.keys()
        rows = await self._store.claim_due(self.claim(), self._clock.now(), limit, waiting=waiting)
        if not rows:
            return 0
        recipients = await self._store.recipients(None, (row["candidate_id"] for row in rows))
        letters = []
        for row in rows:
            recipient = known_recipient(recipients.get(row["candidate_id"]))
            if recipient is not None:
                letters.append(letter_of(row, recipient))
            else:
                log.error("mail_without_recipient", message_id=row["_id"], correlation_id=row["correlation_id"])
        TAKEN_OVER.inc(len(letters))
        self.take(letters)
        return len(rows)

    async def _extend(self, settled: asyncio.Event) -> None:
        """Keep the claims on mails that are begun, for as long as the server or the database makes them last."""
        while not await wait_or_stop(settled, EXTEND_SECONDS):
            claim = self.claim()
            aging = [letter for letter in self._begun.values() if claim.until - letter.claimed_until > LEASE / 4]
            if not aging:
                continue
            async with database_faults(log):
                await self._store.extend([letter.id for letter in aging], claim)
                for letter in aging:
                    letter.claimed_until = claim.until

    async def _release(self, ids: Sequence[str]) -> None:
        if not ids:
            return
        async with database_faults(log):  # what stays claimed is taken over when the claim runs out
            await self._store.release(ids, self._owner, self._clock.now())
