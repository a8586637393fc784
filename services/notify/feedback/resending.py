"""Sends a mail once more, because staff say so.

A mail that is sent again is a new one, with a Message-ID of its own, so that no mailbox takes it for the one that it
already has. It names the one that it repeats, and goes to the address that its recipient has now.
"""

from typing import Final

from libs.common.clock import as_stored
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, ProblemType
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.notify.domain.mails import Template
from services.notify.feedback.returns import ELSEWHERE
from services.notify.feedback.suppressions import Place, Suppressions
from services.notify.letters import cause_of
from services.notify.rows import new_message
from services.notify.store import NotifyStore, State

NOT_REPEATED: Final = ELSEWHERE | {
    Template.ACTIVATION,
    Template.RECOVERY,
    Template.STAFF_INVITATION,
    Template.STAFF_RECOVERY,
    Template.ERASED,
}
"""Mails with a link that works once, or to an address that is no longer known: who needs one asks for a new one."""

MAIL_NOT_REPEATED = ProblemType("mail-not-repeated", "A mail of this kind is not sent a second time", 409)

_ON_ITS_WAY = frozenset({State.WAITING, State.QUEUED, State.SENDING})
_OF_ONE_TRY = frozenset({"state", "due_at", "claimed_by", "heard", "paced_at"})
"""What the repetition does not take over beside what every new mail has."""


class Resending:
    """Writes mails again."""

    def __init__(self, store: NotifyStore, suppressions: Suppressions, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._suppressions = suppressions
        self._unit_of_work = unit_of_work

    async def resend(self, message_id: str, operation_id: str) -> Document:
        """The repetition of a mail; for the same operation the same one.

        Raises:
            Problem: `mail-not-repeated`, or `conflict` while it is under way or its address takes no mails.
        """
        key = derived_id("again", message_id, operation_id)
        return await self._unit_of_work.run(lambda transaction: self._write(transaction, message_id, key))

    async def _write(self, transaction: Transaction, message_id: str, key: str) -> Document:
        written = await self._store.message(key, transaction.session)
        if written is not None:
            return written
        first = await self._store.message(message_id, transaction.session)
        if first is None:
            raise Problem(NOT_FOUND)
        if Template(first["template"]) in NOT_REPEATED:
            raise Problem(MAIL_NOT_REPEATED, "its link works once; a new one is sent where it is asked for")
        if first["state"] in _ON_ITS_WAY:
            raise Problem(CONFLICT, "it is still on its way")
        candidate: str = first["candidate_id"]
        candidate = (await self._store.merges.survivors(transaction.session, [candidate])).get(candidate, candidate)
        await self._check_address(transaction, candidate)
        row = {
            **{name: value for name, value in first.items() if name not in _OF_ONE_TRY},
            **new_message(
                key,
                program=first["program"],
                template=Template(first["template"]),
                candidate_id=candidate,
                context=first["context"],
                cause=cause_of(first),
                now=transaction.now,
            ),
            "repeats": message_id,
            "state": State.QUEUED,
            "due_at": as_stored(transaction.now),
        }
        await self._store.add_messages(transaction.session, [row])
        return row

    async def _check_address(self, transaction: Transaction, candidate_id: str) -> None:
        row = (await self._store.recipients(transaction.session, [candidate_id])).get(candidate_id)
        if row is None or "email" not in row:
            raise Problem(CONFLICT, "nobody knows where to send it")
        if await self._suppressions.among(transaction.session, [Place(candidate_id, row["email"])]):
            raise Problem(CONFLICT, "nothing is sent to this address; lift that first")
