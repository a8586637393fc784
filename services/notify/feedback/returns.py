"""What follows from a report about a mail: it is marked, and where the address takes no mails nothing more is sent."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import structlog
from prometheus_client import Counter

from libs.common.bus.consumer import Work
from libs.common.bus.messages import Cause as Caused
from libs.common.bus.messages import Received
from libs.common.clock import as_stored
from libs.common.events import identity, notify
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.versions import next_version
from services.notify.domain.addresses import wire_address
from services.notify.domain.bounces import SOFT_DAYS, Severity, severity, severity_of_refusal
from services.notify.domain.mails import Template
from services.notify.feedback.reports import Kind, Report
from services.notify.feedback.store import FeedbackStore
from services.notify.feedback.suppressions import Place, Reason, Suppressions
from services.notify.letters import Letter, cause_of
from services.notify.store import NotifyStore

ELSEWHERE = frozenset({Template.EMAIL_CONFIRMATION, Template.EMAIL_CHANGED})
"""Mails that go to another address than their recipient's, of which nothing is kept."""

_PROFILES = (identity.CandidateRegistered, identity.CandidateProfileChanged, identity.StaffInvited)

REPORTS = Counter("certrail_mail_reports_total", "Reports about mails by what they said", ["kind"])
SUPPRESSED = Counter("certrail_mail_suppressions_total", "Addresses that nothing more is sent to", ["reason"])

log = structlog.get_logger(__name__)


class _About(NamedTuple):
    """The mail over which something is done."""

    mail: str
    program: str
    cause: Caused


class Returns:
    """Takes in reports about mails.

    Args:
        message_id: the Message-ID header of a mail by its id and program.
    """

    def __init__(
        self,
        mails: NotifyStore,
        store: FeedbackStore,
        suppressions: Suppressions,
        message_id: Callable[[str, str], str],
    ) -> None:
        self._mails = mails
        self._store = store
        self._suppressions = suppressions
        self._message_id = message_id

    async def take(
        self, transaction: Transaction, report: Report, programs: Collection[str] | None = None
    ) -> Document | None:
        """Do what follows from a report, once however often it comes.

        Returns:
            the mail that it is about; None where it is about none, or about one of other programs than `programs`.
        """
        mail = await self._store.mail(transaction.session, report.ids, programs)
        if mail is None or report.kind is Kind.DELAYED:  # which says no more than that somebody goes on trying
            return mail
        at = as_stored(transaction.now)
        if not await self._store.hear(transaction.session, mail, report.kind, at=at, status=report.status):
            return mail
        if report.kind is not Kind.DELIVERED:
            await self._consequences(transaction, mail, report)
        return mail

    async def _consequences(self, transaction: Transaction, mail: Document, report: Report) -> None:
        about = _About(mail["_id"], mail["program"], cause_of(mail))
        place, is_named = await self._place(transaction, mail, report.addresses)
        if report.kind is Kind.COMPLAINED:
            if place is not None:
                await self._suppress(transaction, place, Reason.COMPLAINED, about)
            return
        self._tell_bounce(transaction, mail, report)
        found = severity(report.status)
        if place is None or found is Severity.NONE:
            return
        if report.addresses and not is_named:
            # Another address, to which this one sends its mails on; whether that is all it does is not known.
            found = Severity.SOFT
        await self._weigh(transaction, place, found, about)

    def around(self, work: Work) -> Work:
        """`work`, after which nothing stands any more against addresses that were given up."""

        async def handle(transaction: Transaction, items: Sequence[Received[Any]]) -> None:
            await work(transaction, items)
            profiles = [item for item in items if isinstance(item.data, _PROFILES)]
            if profiles:
                await self._restore_moved(transaction, profiles)

        return handle

    async def refused(self, transaction: Transaction, letter: Letter, reason: str) -> None:
        """Do what follows from our own mail server's refusal of a mail, when that is settled."""
        place = Place(letter.recipient.candidate_id, letter.recipient.email)
        found = severity_of_refusal(reason)
        if found is Severity.NONE or letter.template in ELSEWHERE:
            return
        if await self._store.hold_address(transaction.session, place):
            await self._weigh(transaction, place, found, _About(letter.id, letter.program, letter.cause))

    async def _weigh(self, transaction: Transaction, place: Place, found: Severity, about: _About) -> None:
        """Suppress an address for good reason, or count towards it."""
        if found is Severity.SOFT:
            at = as_stored(transaction.now)
            if await self._store.count_soft(transaction.session, place, about.program, at) < SOFT_DAYS:
                return
        await self._suppress(transaction, place, Reason.BOUNCED, about)

    async def _place(
        self, transaction: Transaction, mail: Document, named: Collection[str]
    ) -> tuple[Place | None, bool]:
        """Where a mail went to, if that is still its recipient's address, and whether a report names it."""
        if Template(mail["template"]) in ELSEWHERE:
            return None, False
        first: str = mail["candidate_id"]
        owner = (await self._mails.merges.survivors(transaction.session, [first])).get(first, first)
        rows = await self._mails.recipients(transaction.session, {first, owner})
        written_to, present = rows.get(first, {}), rows.get(owner, {})
        if "email" not in written_to or "email" not in present:
            return None, False
        place = Place(owner, present["email"])
        if Place(owner, written_to["email"]).key != place.key:
            return None, False
        is_named = any(form in named for form in _forms(place.address))
        since = written_to.get("email_since")
        if since is not None and (mail["sent_at"] or mail["created_at"]) < since and not is_named:
            return None, False
        held = await self._store.hold_address(transaction.session, place)
        return (place if held else None), is_named

    async def _suppress(self, transaction: Transaction, place: Place, reason: Reason, about: _About) -> None:
        at = as_stored(transaction.now)
        is_new = await self._suppressions.add(
            transaction.session, place, program=about.program, reason=reason, message_id=about.mail, at=at
        )
        if not is_new:
            return
        transaction.emit(
            notify.EmailSuppressed(
                candidate_id=place.candidate_id,
                reason=reason.value,
                message_id=self._message_id(about.mail, about.program),
                suppressed_at=at,
            ),
            program=about.program,
            subject=place.candidate_id,
            version=next_version(None, transaction.now),
            cause=about.cause,
        )
        transaction.on_commit(SUPPRESSED.labels(reason.value).inc)

    async def lift(self, transaction: Transaction, candidate_id: str) -> bool:
        """Send to a candidate's present address again. Returns whether anything stood against it."""
        row = (await self._mails.recipients(transaction.session, [candidate_id])).get(candidate_id)
        if row is None or "email" not in row:
            return False
        place = Place(candidate_id, row["email"])
        await self._store.forget_soft(transaction.session, place)
        if not await self._suppressions.lift(transaction.session, place):
            return False
        self._tell_restored(transaction, candidate_id, row["program"], None)
        return True

    async def _restore_moved(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        """Lift what stood against addresses that are no longer their candidates'."""
        causes = {item.event.subject: item for item in items}
        rows = await self._suppressions.of(transaction.session, [key for key in causes if key is not None])
        if not rows:
            return
        recipients = await self._mails.recipients(transaction.session, [row["candidate_id"] for row in rows])
        for row in rows:
            candidate = row["candidate_id"]
            former = Place(candidate, row["address"])
            if former.key == Place(candidate, recipients[candidate]["email"]).key:
                continue
            await self._suppressions.lift(transaction.session, former)
            await self._store.forget_soft(transaction.session, former)
            self._tell_restored(transaction, candidate, row["program"], causes[candidate])

    def _tell_bounce(self, transaction: Transaction, mail: Document, report: Report) -> None:
        transaction.emit(
            notify.EmailBounced(
                candidate_id=mail["candidate_id"],
                message_id=self._message_id(mail["_id"], mail["program"]),
                template=mail["template"],
                reason=report.status or "came back",
                refused_at=as_stored(transaction.now),
            ),
            program=mail["program"],
            subject=mail["candidate_id"],
            version=next_version(None, transaction.now),
            cause=cause_of(mail),
        )

    def _tell_restored(self, transaction: Transaction, candidate_id: str, program: str, cause: Caused | None) -> None:
        transaction.emit(
            notify.EmailRestored(candidate_id=candidate_id, restored_at=as_stored(transaction.now)),
            program=program,
            subject=candidate_id,
            version=next_version(None, transaction.now),
            cause=cause,
        )


def counted(report: Report | None, mail: Document | None) -> None:
    """Count a report that was taken in, or could not be."""
    kind = "unreadable" if report is None else report.kind.value if mail is not None else "unmatched"
    REPORTS.labels(kind).inc()
    log.info("mail_report", kind=kind, message_id=mail["_id"] if mail else None)


def _forms(address: str) -> set[str]:
    """An address as reports may write it."""
    folded = address.strip().casefold()
    try:
        return {folded, wire_address(folded).text}
    except ValueError:
        return {folded}
