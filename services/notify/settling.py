"""Records what became of mails, and tells it, in one transaction for all that have been answered meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from prometheus_client import Counter, Histogram

from libs.common.clock import as_stored
from libs.common.events import notify
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.versions import next_version
from services.notify.domain.delivery import (
    Accepted,
    Outcome,
    Paced,
    Postponed,
    Refused,
    Verdict,
    Withheld,
    consequence,
)
from services.notify.feedback.returns import Returns
from services.notify.letters import Letter, named
from services.notify.rendering import Renderer
from services.notify.store import NotifyStore

MAILS = Counter("certrail_mails_total", "Mails by what became of them", ["template", "outcome"])
DOUBTFUL = Counter(
    "certrail_mails_doubtful_total", "Mails sent that may have arrived before, for nobody knows how a try of them ended"
)
SECONDS = Histogram(
    "certrail_mail_seconds",
    "From the event's arrival to the mail server's acceptance",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600, 86_400),
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """A letter and what became of it."""

    letter: Letter
    verdict: Verdict


Settled = tuple[Letter, Outcome]


class _ClaimLostError(Exception):
    """Another process has taken a mail over, or it is settled already; rare, so looked for only when it shows."""


class Settler:
    """Settles the mails that this process has claimed."""

    def __init__(
        self, store: NotifyStore, unit_of_work: UnitOfWork, renderer: Renderer, returns: Returns, *, owner: str
    ) -> None:
        self._store = store
        self._unit_of_work = unit_of_work
        self._renderer = renderer
        self._returns = returns
        self._owner = owner

    async def settle(self, answered: Sequence[Answered]) -> None:
        """Record answers, each at most once: what another process has taken over is that one's to settle.

        Raises:
            Unavailable: nothing is recorded; try the same again.
        """
        try:
            settled = await self._unit_of_work.run(lambda transaction: self._record(transaction, answered))
        except _ClaimLostError:
            settled = await self._unit_of_work.run(lambda transaction: self._record_ours(transaction, answered))
        for letter, outcome in settled:
            _count(letter, outcome)

    async def _record_ours(self, transaction: Transaction, answered: Sequence[Answered]) -> list[Settled]:
        ids = [answer.letter.id for answer in answered]
        ours = await self._store.still_claimed(transaction.session, ids, self._owner)
        return await self._record(transaction, [answer for answer in answered if answer.letter.id in ours])

    async def _record(self, transaction: Transaction, answered: Sequence[Answered]) -> list[Settled]:
        settled = [_settled(answer, transaction.now) for answer in answered]
        await self._mark(transaction, settled)
        for letter, outcome in settled:
            if isinstance(outcome, Accepted | Refused):
                self._tell(transaction, letter, outcome)
            if isinstance(outcome, Refused):
                await self._returns.refused(transaction, letter, outcome.reason)
        return settled

    async def _mark(self, transaction: Transaction, settled: Sequence[Settled]) -> None:
        """Write outcomes down. Raises `_ClaimLostError` where one of the mails is no longer ours to settle."""
        session = transaction.session
        accepted = {letter.id: outcome.at for letter, outcome in settled if isinstance(outcome, Accepted)}
        refused = {letter.id: outcome for letter, outcome in settled if isinstance(outcome, Refused)}
        postponed = {letter.id: outcome for letter, outcome in settled if isinstance(outcome, Postponed)}
        withheld = {letter.id: outcome for letter, outcome in settled if isinstance(outcome, Withheld)}
        paced = {letter.id: outcome for letter, outcome in settled if isinstance(outcome, Paced)}
        marked = 0
        if accepted:
            # Answered within one settlement of each other, so the last moment stands for all of them.
            marked = await self._store.mark_sent(
                session, list(accepted), self._owner, as_stored(max(accepted.values()))
            )
        marked += await self._store.mark_refused(session, refused, self._owner)
        marked += await self._store.mark_postponed(session, postponed, self._owner)
        marked += await self._store.mark_withheld(session, withheld, self._owner)
        marked += await self._store.mark_paced(session, paced, self._owner)
        if marked != len(settled):
            raise _ClaimLostError

    def _tell(self, transaction: Transaction, letter: Letter, outcome: Accepted | Refused) -> None:
        transaction.emit(
            self._event(letter, outcome),
            program=letter.program,
            subject=letter.recipient.candidate_id,
            version=next_version(None, outcome.at),
            cause=letter.cause,
        )

    def _event(self, letter: Letter, outcome: Accepted | Refused) -> notify.EmailSent | notify.EmailBounced:
        common: dict[str, Any] = {
            "candidate_id": letter.recipient.candidate_id,
            "message_id": self._renderer.message_id(letter.id, letter.program),
            "template": letter.template.value,
        }
        if isinstance(outcome, Accepted):
            return notify.EmailSent(**common, accepted_at=outcome.at)
        return notify.EmailBounced(**common, reason=outcome.reason, refused_at=outcome.at)


def _settled(answer: Answered, now: datetime) -> Settled:
    letter = answer.letter
    return letter, consequence(answer.verdict, attempts=letter.attempts + 1, created_at=letter.created_at, now=now)


def _count(letter: Letter, outcome: Outcome) -> None:
    MAILS.labels(letter.template.value, type(outcome).__name__.lower()).inc()
    if isinstance(outcome, Accepted):
        SECONDS.observe(max((outcome.at - letter.created_at).total_seconds(), 0.0))
        if letter.doubtful:
            DOUBTFUL.inc()
            log.info("mail_doubtful", **named(letter), count=letter.doubtful)
        log.debug("mail_accepted", **named(letter))
    elif not isinstance(outcome, Paced):
        log.info("mail_not_taken", **named(letter), cause=outcome.reason)
