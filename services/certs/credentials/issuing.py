"""Brings credentials to what ledgers say: whoever is noted is compared, each in a transaction of its own.

Nothing is derived from events: what counts is the ledger as it stands and the credentials as they are. So a note may be
worked off twice, late, or by two processes at once. Rows are written unsigned; signing follows by itself.
"""

import asyncio
import secrets
import time
import uuid
from collections import defaultdict
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
from libs.common.programs import Program
from libs.common.versions import next_version
from services.certs.credentials.comparison import Award, Held, Plan, Recipient, Term, compare
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


NOBODY = Contact(None, None)


class Contacts(Protocol):
    """Tells what credentials may say of candidates."""

    async def several(self, session: Session, candidates: Collection[str]) -> Mapping[str, Contact]:
        """By candidate; those of whom nothing is known may be left out."""
        ...


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

    async def bring_up_to_date(self, transaction: Transaction, candidates: Collection[str]) -> bool:
        """Issue, correct and revoke what the ledgers ask for. Returns whether anything had to change."""
        by_program: defaultdict[str, list[Document]] = defaultdict(list)
        for row in await self._ledgers.standing(transaction.session, candidates):
            by_program[row["program"]].append(row)
        changed = False
        for program, rows in sorted(by_program.items()):
            policy = self._programs.get(program)
            if policy is not None and await self._of_program(transaction, policy, rows):
                changed = True
        return changed

    async def _of_program(self, transaction: Transaction, policy: Program, ledgers: Sequence[Document]) -> bool:
        session, today = transaction.session, policy.day_of(transaction.now)
        stands_for = {account: row["_id"] for row in ledgers for account in accounts_of(row)}
        holders = await self._store.hold(session, policy.id, stands_for)
        before: defaultdict[str, dict[str, Document]] = defaultdict(dict)
        for key, credential in (await self._store.valid(session, policy.id, stands_for)).items():
            before[stands_for[credential["candidate_id"]]][key] = credential
        contacts = await self._contacts.several(session, [row["_id"] for row in ledgers])
        due: list[tuple[_Change, Plan]] = []
        for row in ledgers:
            contact = contacts.get(row["_id"], NOBODY)
            recipient = Recipient(contact.name, contact.email is not None)
            there = before[row["_id"]]
            plan = compare(map(_held, row["certifications"]), map(issued_of, there.values()), recipient, today)
            if not plan.is_empty:
                change = _Change(
                    self._store, transaction, policy, contact, holders[row["_id"]], there, row["policy_version"]
                )
                due.append((change, plan))
        if due:
            await self._carry_out(transaction, policy.id, due)
        return bool(due)

    async def _carry_out(self, transaction: Transaction, program: str, due: Sequence[tuple["_Change", Plan]]) -> None:
        wanted = sum(len(plan.issue) for _, plan in due)
        entries = iter(await self._lists.entries(transaction.session, program, wanted) if wanted else ())
        issued: list[Credential] = []
        changed: list[Credential] = []
        versions: dict[str, int] = {}
        for change, plan in due:
            new = [change.new(award, next(entries)) for award in plan.issue]
            other = [await change.revoke(key) for key in plan.revoke]
            other += [await change.correct(key, award) for key, award in plan.correct]
            versions |= change.tell(new, other)
            issued += new
            changed += other
        if issued:
            await self._store.insert(transaction.session, [row_of(one) for one in issued])
            codes = {one.code: one.credential_id for one in issued}
            await self._codes.add_all(transaction.session, codes, program=program, kind="credential")
        await self._store.keep_versions(transaction.session, versions)
        for follower in self._followers:
            await follower.changed(transaction, [*changed, *issued])
        transaction.on_commit(lambda: _count(issued, changed))


class _Change(NamedTuple):
    """Makes, writes and tells changes of one candidate's credentials.

    Attributes:
        holder: whom they are about.
        before: the valid credentials, by id.
        policy_version: under which the ledger was evaluated.
    """

    store: CredentialStore
    transaction: Transaction
    policy: Program
    contact: Contact
    holder: Document
    before: Mapping[str, Document]
    policy_version: int

    @property
    def now(self) -> datetime:
        return self.transaction.now.replace(microsecond=0)

    async def revoke(self, key: str) -> Credential:
        flip = {"state": "revoked", "revoked_at": self.transaction.now, "unlisted": True}
        return await self.store.change(self.transaction.session, key, flip)

    async def correct(self, key: str, award: Award) -> Credential:
        """The same credential says something else from now on, as a newer version."""
        before = self.before[key]
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
        return await self.store.change(self.transaction.session, key, fields)

    def new(self, award: Award, entry: tuple[int, int]) -> Credential:
        """A credential, not stored yet, with its place in a status list."""
        salt = secrets.token_hex(16)
        return Credential(
            credential_id=str(uuid.uuid4()),
            program=self.policy.id,
            candidate_id=self.holder["_id"],
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
            subject=self.holder["subject"],
            recipient_name=award.recipient.name,
            email_salt=salt,
            email_hash=email_hash(self.contact.email, salt) if self.contact.email is not None else None,
        )

    def tell(self, issued: Sequence[Credential], changed: Sequence[Credential]) -> dict[str, int]:
        """Emit what happened. Returns the version of the last event, by whom it is about."""
        version: int = self.holder["version"]
        account = self.holder["_id"]
        told = [*map(_issued_event, issued), *(_withdrawn_event(one) for one in changed if one.state == "revoked")]
        for event in told:
            version = next_version(version, self.transaction.now)
            said = event.model_copy(update={"candidate_id": account})  # also of what a merged account was issued
            self.transaction.emit(said, program=self.policy.id, subject=account, version=version)
        return {account: version} if told else {}


class IssuingLoop:
    """Works notes off, urgent ones first. What nobody waits for gives way to the work of the bus beside it."""

    SECONDS: ClassVar = 1.0
    SLICE: ClassVar = 100
    """Candidates in one transaction: an urgent one waits for no more than these."""
    REST: ClassVar = 3.0
    """Times as long as a slice took: so much of the time the loop leaves to others, where nothing is urgent."""
    GATHERED_SECONDS: ClassVar = 0.5
    """Between a slice that was not full and the next: at a moderate rate notes share transactions, and signatures."""

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
        self._rest = 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set."""
        while not stopping.is_set():
            async with database_faults(log):
                while not stopping.is_set() and await self.step():
                    await self._due.urgent.wait(stopping, self._rest)
            await self._due.wake.wait(stopping, self.SECONDS)

    async def step(self) -> bool:
        """Work off notes, together where they are short: what a transaction costs is shared by all in it.

        Returns whether there were any.
        """
        notes = await self._due.claim(self._owner, self._clock.now(), self.SLICE)
        if not notes:
            return False
        began = time.perf_counter()
        candidates: list[str] = list(dict.fromkeys(one for note in notes for one in note["candidates"]))
        failed = await self._compare(candidates[: self.SLICE])
        await self._due.done(notes, candidates[self.SLICE :], failed)
        self._rest = 0.0 if notes[0]["urgent"] else self._left_to_others(time.perf_counter() - began, len(candidates))
        return True

    def _left_to_others(self, seconds: float, candidates: int) -> float:
        """Seconds to rest after a slice that took so long; what is urgent does not wait for it."""
        gathering = self.GATHERED_SECONDS if candidates < self.SLICE else 0.0
        return max(self.REST * seconds, gathering)

    async def _compare(self, candidates: Sequence[str]) -> Sequence[str]:
        """Bring these candidates' credentials up to date together. Returns those for whom it could not be done."""
        try:
            if await self._unit_of_work.run(lambda transaction: self._bring_up_to_date(transaction, candidates)):
                self._signing.ring()
        except Unavailable as error:
            log.warning("credentials_postponed", cause=type(error).__name__)
            return candidates
        except Exception as error:  # noqa: BLE001 one candidate that cannot be compared must not stop the others
            if len(candidates) == 1:
                log.error("credentials_not_compared", candidate_id=candidates[0], cause=type(error).__name__)  # noqa: TRY400
                return candidates
            middle = len(candidates) // 2
            return [*await self._compare(candidates[:middle]), *await self._compare(candidates[middle:])]
        return ()

    async def _bring_up_to_date(self, transaction: Transaction, candidates: Sequence[str]) -> bool:
        for settle in self._beside:
            await settle(transaction, candidates)
        return await self._issuing.bring_up_to_date(transaction, candidates)


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
