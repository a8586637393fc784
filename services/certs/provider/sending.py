"""Sends what is due to a provider: a step is claimed, sent and settled, one after the other.

- Claiming writes down the step, with the key that its request will carry, before anything is sent.
- Settling writes down what the provider has answered.
- A step that was claimed and not settled (a crash, a lost answer, an answer that cannot be read) is asked about, by its
  key, and only sent again, under a new key, where the provider has nothing under the old one. It is asked no earlier
  than a lease after the request, so that no request is still on its way.
- A refusal is asked about as well: it may refuse a repetition. What is refused for good waits for a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Protocol

import structlog
from prometheus_client import Counter

from libs.common.clock import Clock
from libs.common.mongo.client import Document, Session
from libs.common.mongo.people import Person
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.provider.chains import STANDING, Chain, Seen, Step, answered, assumed, done, plan, taken
from services.certs.provider.circuit import LEASE, rest
from services.certs.provider.credly import Credly, Denied, Refused, Silent
from services.certs.provider.orders import Order, order_of
from services.certs.provider.rows import LONG_AGO, chain_of, fields_of, is_idle
from services.certs.provider.store import ProviderStore

REQUESTS = Counter("certrail_badge_requests_total", "Steps at badge providers", ["program", "act", "outcome"])
REFUSED = Counter("certrail_badges_refused_total", "Steps that a badge provider refuses for good", ["program"])

log = structlog.get_logger(__name__)


class Persons(Protocol):
    """Tells who a candidate is."""

    async def get(self, program: str, candidate_id: str, session: Session | None = None) -> Person | None: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A step that is this process's to send, for as long as its lease lasts."""

    chain: str
    step: Step
    order: Order | None
    until: datetime
    """The end of its lease."""
    asked_too: str | None = None
    """Another key to ask for: that of the badge that was to be replaced."""


class Sending:
    """Works off the chains of one program."""

    FOR_PERSON: ClassVar = "who it is for is not known yet"

    def __init__(  # noqa: PLR0917 parts
        self,
        program: str,
        store: ProviderStore,
        people: Persons,
        programs: Mapping[str, Program],
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._program = program
        self._store = store
        self._people = people
        self._programs = programs
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def turn(self, credly: Credly) -> bool:
        """Do one step of one chain. Returns whether there may be more.

        Raises:
            Silent, Denied: the provider gave no answer to rely on; the step is in hand, and is asked about later.
        """
        if not await self._store.has_due(self._program, self._clock.now()):
            return False
        await credly.pace.turn()  # before the lease begins
        found = await self._unit_of_work.run(self._claim)
        if not isinstance(found, Claim):
            return found
        act = found.step.act
        try:
            seen = await self._send(credly, found)
        except Refused as refusal:
            REQUESTS.labels(self._program, act, "refused").inc()
            await self._unit_of_work.run(partial(self._refuse, claim=found, refusal=refusal))
        except (Silent, Denied) as silence:
            REQUESTS.labels(self._program, act, "unanswered").inc()
            await self._unit_of_work.run(partial(self._put_off, claim=found, why=str(silence)))
            raise
        else:
            REQUESTS.labels(self._program, act, "done").inc()
            await self._unit_of_work.run(partial(self._settle, claim=found, found=seen))
        return True

    # Claiming

    async def _claim(self, transaction: Transaction) -> Claim | bool:
        session, now = transaction.session, transaction.now
        row = await self._store.due(session, self._program, now)
        if row is None:
            return False
        order = await self.order(row, session)
        chain = assumed(chain_of(row), order.said) if order else chain_of(row)
        step = plan(chain, order.said if order else None, self._programs[self._program].day_of(now))
        if step is None:
            await self._rest(transaction, row, chain, waits=order is None and self._is_to_have_one(row))
            return True
        asked_too = _replaced_key(chain) if row["refusal"] else None
        row |= fields_of(chain if step.act == "ask" else taken(chain, step)) | {"lease_until": now + LEASE}
        await self._store.save(session, row)
        return Claim(row["_id"], step, order, row["lease_until"], asked_too)

    async def order(self, row: Document, session: Session | None = None) -> Order | None:
        """What the wanted badge of a chain should say; None where none can be sent."""
        policy, wanted = self._programs[self._program], chain_of(row).wanted
        template = _template(policy, row)
        if wanted is None or template is None:
            return None
        person = await self._people.get(self._program, row["candidate_id"], session)
        return order_of(wanted, template, person, policy) if person is not None else None

    def _is_to_have_one(self, row: Document) -> bool:
        """Whether a badge of it is sent as soon as the person is known."""
        wanted = chain_of(row).wanted
        return wanted is not None and wanted.badge is None and _template(self._programs[self._program], row) is not None

    async def _rest(self, transaction: Transaction, row: Document, chain: Chain, *, waits: bool) -> None:
        """Nothing is to be done now."""
        now = transaction.now
        if chain.erased and is_idle(chain):
            await self._store.forget(transaction.session, row["_id"])
            return
        trouble = {"kind": chain.trouble, "text": "", "said": None, "since": now} if chain.trouble else None
        row |= fields_of(chain) | {"due_at": None, "tries": 0, "error": None, "trouble": trouble}
        if waits:
            row |= {"due_at": now + LEASE, "error": self.FOR_PERSON}
        await self._store.save(transaction.session, row)

    # Sending

    async def _send(self, credly: Credly, claim: Claim) -> list[Seen]:
        step, order = claim.step, claim.order
        if claim.until - self._clock.now() < timedelta(seconds=credly.SECONDS):
            raise Silent("this process was held up for too long to send it")
        if step.act == "ask":
            found = await credly.find(step.key)
            return found if claim.asked_too is None else found + await credly.find(claim.asked_too)
        if step.act == "revoke" and step.badge_id is not None:
            return [await credly.revoke(step.badge_id)]
        if order is None:
            raise ValueError("a badge is sent without saying what is on it")
        if step.badge_id is None:
            return [await credly.issue(step.key, order)]
        return [await credly.replace(step.badge_id, step.key, order)]

    # Settling

    async def _settle(self, transaction: Transaction, *, claim: Claim, found: Sequence[Seen]) -> None:
        now = transaction.now
        row = await self._store.chain(transaction.session, claim.chain)
        if row is None:
            return
        before = after = chain_of(row)
        if claim.step.act != "ask":
            after = done(before, claim.step, found[0])
        else:
            for key in (claim.step.key, claim.asked_too):
                after = answered(after, key, [one for one in found if one.key == key], now) if key else after
        refusal = row["refusal"]
        row |= fields_of(after) | {"due_at": now, "lease_until": LONG_AGO, "tries": 0, "error": None, "refusal": None}
        if refusal is not None and before.hand is not None and _stands_refused(before.hand, after):
            row |= {"due_at": None, "trouble": {"kind": "refused", "said": before.hand.said, "since": now, **refusal}}
            REFUSED.labels(self._program).inc()
            log.warning("badge_refused", program=self._program, state=before.hand.act)
        await self._store.save(transaction.session, row)

    async def _refuse(self, transaction: Transaction, *, claim: Claim, refusal: Refused) -> None:
        row = await self._store.chain(transaction.session, claim.chain)
        if row is not None:
            row |= {"refusal": {"text": str(refusal)}, "due_at": transaction.now, "lease_until": LONG_AGO}
            await self._store.save(transaction.session, row)

    async def _put_off(self, transaction: Transaction, *, claim: Claim, why: str) -> None:
        row = await self._store.chain(transaction.session, claim.chain)
        if row is not None:
            tries = row["tries"] + 1
            row |= {"tries": tries, "due_at": transaction.now + rest(tries), "error": why}
            await self._store.save(transaction.session, row)


def _template(policy: Program, row: Document) -> str | None:
    provider = policy.badge_provider
    return provider.templates.get(row["certification"]) if provider is not None else None


def _replaced_key(chain: Chain) -> str | None:
    """The key of the badge whose place the step in hand was to take."""
    hand = chain.hand
    if hand is None or hand.act != "replace":
        return None
    return next((one.badge.key for one in chain.links if one.badge and one.badge.badge_id == hand.badge_id), None)


def _stands_refused(hand: Step, after: Chain) -> bool:
    """Whether a refused step is still to be done, and would be refused again."""
    badges = [one.badge for one in after.links if one.badge is not None]
    standing = {badge.badge_id for badge in badges if badge.state in STANDING} | {one for one, _ in after.extras}
    if hand.act == "revoke":
        return hand.badge_id in standing
    if any(badge.key == hand.key for badge in badges):
        return False
    return hand.badge_id is None or hand.badge_id in standing
