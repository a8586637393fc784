"""Brings credentials to what ledgers say: whoever is noted is compared, each in a transaction of its own.

Nothing is derived from events: what counts is the ledger as it stands and the credentials as they are. So a note may be
worked off twice, late, or by two processes at once. Rows are written unsigned; signing follows by itself.
"""

import asyncio
import secrets
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar, NamedTuple, Protocol

import structlog
from prometheus_client import Counter

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.events import certs
from libs.common.mongo.client import Document, Session
from libs.common.mongo.faults import database_faults
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy.pseudonyms import is_pseudonym
from libs.common.programs import Program
from libs.common.versions import next_version
from services.certs.credentials.comparison import Award, Held, Recipient, Term, compare
from services.certs.credentials.credential import Credential
from services.certs.credentials.documents import email_hash
from services.certs.credentials.status_lists import StatusLists
from services.certs.credentials.store import (
    CredentialsDue,
    CredentialStore,
    days_of,
    issued_of,
    row_of,
    unsigned,
)
from services.certs.credentials.waking import Wake
from services.certs.ledger import accounts_of
from services.certs.public.codes import Codes, new_code
from services.certs.store import CertsStore

CHANGES = Counter("certrail_credentials_total", "Credentials issued, corrected and revoked", ["change"])

log = structlog.get_logger(__name__)


class Contact(NamedTuple):
    """What credentials may say of a candidate."""

    name: str | None
    """Only where they have chosen that it is said."""
    email: str | None
    """None where nothing is known of them yet."""


class Contacts(Protocol):
    """Tells what credentials may say of candidates."""

    async def of(self, session: Session, program: str, candidate_id: str) -> Contact: ...


class Follower(Protocol):
    """Is told of every credential that changes, in the transaction that changes it."""

    async def changed(self, transaction: Transaction, credentials: Sequence[Credential]) -> None: ...


Beside = Callable[[Transaction, Collection[str]], Awaitable[None]]
"""What else follows from ledgers, and is brought in step with them for candidates who are noted."""


class Issuing:
    """Compares candidates, and writes what differs."""

    def __init__(
        self,
        ledgers: CertsStore,
        store: CredentialStore,
        lists: StatusLists,
        codes: Codes,
        *,
        contacts: Contacts,
        programs: Mapping[str, Program],
        followers: Sequence[Follower],
    ) -> None:
        self._ledgers = ledgers
        self._store = store
        self._lists = lists
        self._codes = codes
        self._contacts = contacts
        self._programs = programs
        self._followers = followers

    async def bring_up_to_date(self, transaction: Transaction, candidate_id: str) -> bool:
        """Issue, correct and revoke what the ledger asks for. Returns whether anything had to change."""
        session = transaction.session
        row = await self._ledger(session, candidate_id)
        if row is None:
            return False
        policy = self._programs.get(row["program"])
        if policy is None:
            return False
        account = row["_id"]
        holder = await self._store.hold(session, policy.id, account, f"urn:uuid:{uuid.uuid4()}")
        for other in (accounts := accounts_of(row))[1:]:
            await self._store.hold(session, policy.id, other, f"urn:uuid:{uuid.uuid4()}")
        before = await self._store.valid(session, policy.id, accounts)
        contact = await self._contacts.of(session, policy.id, account)
        recipient = Recipient(contact.name, contact.email is not None)
        today = policy.day_of(transaction.now)
        plan = compare(map(_held, row["certifications"]), map(issued_of, before.values()), recipient, today)
        if plan.is_empty:
            return False
        change = _Change(self._store, transaction, policy, contact, account, row["policy_version"])
        changed = [await change.revoke(key) for key in plan.revoke]
        changed += [await change.correct(before[key], award) for key, award in plan.correct]
        issued = await self._issue(change, plan.issue, holder["subject"])
        await self._tell(transaction, holder, issued, changed)
        return True

    async def _ledger(self, session: Session, candidate_id: str) -> Document | None:
        """The ledger that stands for an account; None where nobody is to have credentials."""
        if is_pseudonym(candidate_id):
            return None
        found = await self._ledgers.ledgers(session, [candidate_id])
        row = found.get(candidate_id)
        if row is not None and row.get("merged_into"):
            return await self._ledger(session, row["merged_into"])
        return row

    async def _issue(self, change: "_Change", awards: Sequence[Award], subject: str) -> list[Credential]:
        if not awards:
            return []
        session, program = change.transaction.session, change.policy.id
        entries = await self._lists.entries(session, program, len(awards))
        made = [change.new(award, entry, subject) for award, entry in zip(awards, entries, strict=True)]
        await self._store.insert(session, [row_of(one) for one in made])
        for one in made:
            await self._codes.add(session, one.code, program=program, kind="credential", subject=one.credential_id)
        return made

    async def _tell(
        self, transaction: Transaction, holder: Document, issued: Sequence[Credential], changed: Sequence[Credential]
    ) -> None:
        version: int = holder["version"]
        told = [*map(_issued_event, issued), *(_withdrawn_event(one) for one in changed if one.state == "revoked")]
        for event in told:
            version = next_version(version, transaction.now)
            candidate_id = holder["_id"]
            said = event.model_copy(update={"candidate_id": candidate_id})
            transaction.emit(said, program=holder["program"], subject=candidate_id, version=version)
        if told:
            await self._store.keep_version(transaction.session, holder["_id"], version)
        every = [*changed, *issued]
        for follower in self._followers:
            await follower.changed(transaction, every)
        transaction.on_commit(lambda: _count(issued, changed))


class _Change(NamedTuple):
    """Writes changes of one candidate's credentials."""

    store: CredentialStore
    transaction: Transaction
    policy: Program
    contact: Contact
    account: str
    policy_version: int

    @property
    def now(self) -> datetime:
        return self.transaction.now.replace(microsecond=0)

    async def revoke(self, key: str) -> Credential:
        flip = {"state": "revoked", "revoked_at": self.transaction.now, "unlisted": True}
        return await self.store.change(self.transaction.session, key, flip)

    async def correct(self, before: Document, award: Award) -> Credential:
        """The same credential says something else from now on, as a newer version."""
        fields = {
            "title": award.title,
            **days_of(award.term, date.fromisoformat(before["longest"])),
            "recipient_name": award.recipient.name,
            "version": before["version"] + 1,
            "valid_from": max(self.now, before["valid_from"] + timedelta(seconds=1)),
            **unsigned(),
        }
        if before["email_hash"] is None and self.contact.email is not None and award.recipient.identified:
            fields["email_hash"] = email_hash(self.contact.email, before["email_salt"])
        return await self.store.change(self.transaction.session, before["_id"], fields)

    def new(self, award: Award, entry: tuple[int, int], subject: str) -> Credential:
        salt = secrets.token_hex(16)
        return Credential(
            credential_id=str(uuid.uuid4()),
            program=self.policy.id,
            candidate_id=self.account,
            certification=award.certification,
            title=award.title,
            earned_on=award.term.earned_on,
            expires_on=award.term.expires_on,
            state="valid",
            version=1,
            code=new_code(),
            status_list=entry[0],
            status_index=entry[1],
            valid_from=self.now,
            issued_at=self.transaction.now,
            revoked_at=None,
            erased=False,
            policy_version=self.policy_version,
            subject=subject,
            recipient_name=award.recipient.name,
            email_salt=salt,
            email_hash=email_hash(self.contact.email, salt) if self.contact.email is not None else None,
        )


class IssuingLoop:
    """Works notes off, urgent ones first."""

    SECONDS: ClassVar = 1.0
    SLICE: ClassVar = 20
    """Candidates of a note at a time: an urgent one waits for no more than these."""
    TOGETHER: ClassVar = 4
    """Most of a comparison is waiting for the database."""

    def __init__(
        self,
        due: CredentialsDue,
        issuing: Issuing,
        unit_of_work: UnitOfWork,
        clock: Clock,
        *,
        owner: str,
        signing: Wake,
        beside: Sequence[Beside] = (),
    ) -> None:
        """`signing` is rung when something was changed: there is something to sign."""
        self._due = due
        self._issuing = issuing
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._owner = owner
        self._signing = signing
        self._beside = beside

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set."""
        while not stopping.is_set():
            async with database_faults(log):
                while not stopping.is_set() and await self.step():
                    pass
            await self._due.wake.wait(stopping, self.SECONDS)

    async def step(self) -> bool:
        """Work off a note, or the beginning of a long one. Returns whether there was one."""
        note = await self._due.claim(self._owner, self._clock.now())
        if note is None:
            return False
        candidates: list[str] = list(dict.fromkeys(note["candidates"]))
        failed: list[str] = []
        for at in range(0, min(len(candidates), self.SLICE), self.TOGETHER):
            several = candidates[at : at + self.TOGETHER]
            done = await asyncio.gather(*map(self._compare, several))
            failed += [one for one, well in zip(several, done, strict=True) if not well]
        await self._due.done(note, candidates[self.SLICE :], failed)
        return True

    async def _compare(self, candidate_id: str) -> bool:
        try:
            if await self._unit_of_work.run(lambda transaction: self._bring_up_to_date(transaction, candidate_id)):
                self._signing.ring()
        except Unavailable as error:
            log.warning("credentials_postponed", cause=type(error).__name__)
            return False
        except Exception as error:  # noqa: BLE001 one candidate that cannot be compared must not stop the others
            log.error("credentials_not_compared", candidate_id=candidate_id, cause=type(error).__name__)  # noqa: TRY400
            return False
        return True

    async def _bring_up_to_date(self, transaction: Transaction, candidate_id: str) -> bool:
        for settle in self._beside:
            await settle(transaction, [candidate_id])
        return await self._issuing.bring_up_to_date(transaction, candidate_id)


def _held(entry: Document) -> Held:
    terms = tuple(
        Term(
            date.fromisoformat(one["earned_on"]),
            date.fromisoformat(one["expires_on"]) if one["expires_on"] else None,
        )
        for one in entry["holdings"]
    )
    return Held(entry["certification"], entry["title"], entry["status"], terms)


def _issued_event(one: Credential) -> certs.BadgeIssued:
    return certs.BadgeIssued(
        candidate_id=one.candidate_id,
        credential_id=one.credential_id,
        certification=one.certification,
        title=one.title,
        earned_on=one.earned_on,
        expires_on=one.expires_on,
    )


def _withdrawn_event(one: Credential) -> certs.BadgeWithdrawn:
    return certs.BadgeWithdrawn(
        candidate_id=one.candidate_id,
        credential_id=one.credential_id,
        certification=one.certification,
        title=one.title,
    )


def _count(issued: Sequence[Credential], changed: Sequence[Credential]) -> None:
    revoked = sum(one.state == "revoked" for one in changed)
    for change, count in (("issued", len(issued)), ("revoked", revoked), ("corrected", len(changed) - revoked)):
        CHANGES.labels(change).inc(count)
