"""What each event does in notify: it makes a recipient known, or it is the cause of one mail."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.common.bus.messages import Received
from libs.common.clock import as_stored
from libs.common.errors import Unprocessable
from libs.common.events import identity
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.merges import FAMILY_EVENTS
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.notify.domain.causes import mail_for
from services.notify.domain.recipients import Recipient, latest, recipient_of
from services.notify.domain.words import about_of, word_of
from services.notify.letters import Cause, Letter
from services.notify.reminders.taking import Taking
from services.notify.rows import known_recipient, letter_of, new_message
from services.notify.sender import Sender
from services.notify.store import NotifyStore, State
from services.notify.wishes import WishStore
from services.notify.words import Words

ROOM_SECONDS = 5.0
"""How long a backlog of mails holds up the next events; past it their mails are queued in the database."""

PROFILE_EVENTS = (identity.CandidateRegistered, identity.CandidateProfileChanged)
RECIPIENT_EVENTS = (*PROFILE_EVENTS, identity.StaffInvited)
"""The events that say whom to write to. An invitation is also a mail: it brings the address that it goes to."""

SILENT_EVENTS = (*PROFILE_EVENTS, *FAMILY_EVENTS, identity.PreferencesChanged)
"""The events that call for no mail."""


class NotifyEvents:
    """Takes in what the other services tell candidates of."""

    def __init__(  # noqa: PLR0917
        self,
        store: NotifyStore,
        wishes: WishStore,
        words: Words,
        taking: Taking,
        sender: Sender,
        programs: Mapping[str, Program],
    ) -> None:
        self._store = store
        self._wishes = wishes
        self._words = words
        self._taking = taking
        self._sender = sender
        self._programs = programs

    async def handle(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        """Record a batch, and hand its mails to the sender once they are committed.

        Everything written has a key that follows from its event, so a batch that comes again finds its traces.
        """
        if not transaction.repeated:
            await self._sender.wait_for_room(ROOM_SECONDS)
        letters = await self.record(transaction, items)
        transaction.on_commit(lambda: self._sender.take(letters))

    async def record(self, transaction: Transaction, items: Sequence[Received[Any]]) -> list[Letter]:
        """Write what a batch says, as a part of `transaction`. Returns the mails claimed for this process."""
        profiles = latest(recipient_of(item.event) for item in items if isinstance(item.data, RECIPIENT_EVENTS))
        await self._store.merges.take(
            transaction.session, [item for item in items if isinstance(item.data, FAMILY_EVENTS)]
        )
        await self._wishes.take(
            transaction.session, [item for item in items if isinstance(item.data, identity.PreferencesChanged)]
        )
        words = [word for word in (word_of(item.event) for item in items) if word]
        await self._words.take(transaction.session, words, transaction.now)
        await self._taking.hear(transaction, items)
        messages = self._messages(transaction, items)
        await self._readdress(transaction, messages)
        await self._taking.take(transaction, messages)
        candidates = {*profiles, *(row["candidate_id"] for row in messages.values())}
        rows = await self._store.recipients(transaction.session, candidates)
        recipients = _known(rows)
        changed = [profile for profile in profiles.values() if _is_later(profile, recipients)]
        recipients.update({profile.candidate_id: profile for profile in changed})
        if changed:
            await self._store.save_recipients(transaction.session, changed)
            moved = [profile.candidate_id for profile in changed if _has_moved(profile, rows)]
            await self._store.note_moves(transaction.session, moved, transaction.now)
        letters = await self._add(transaction, messages, recipients)
        arrived = [profile.candidate_id for profile in changed if _was_awaited(profile, rows)]
        if arrived:
            letters = await self._release(transaction, arrived, recipients) + letters
        return letters

    def _messages(self, transaction: Transaction, items: Sequence[Received[Any]]) -> dict[str, Document]:
        """The mails that events call for, by their key: one event and one template make one mail, however often."""
        rows: dict[str, Document] = {}
        for item in items:
            if isinstance(item.data, SILENT_EVENTS):
                continue
            event = item.event
            program = self._programs.get(event.program)
            if program is None:
                raise Unprocessable("unknown_program", f"there is no program {event.program!r}")
            mail = mail_for(item.data, program)
            if mail is None:
                continue
            key = derived_id(event.id, mail.template)
            rows[key] = new_message(
                key,
                program=event.program,
                template=mail.template,
                candidate_id=mail.candidate_id,
                context=mail.context,
                cause=Cause(item.event_id, item.correlation_id, item.traceparent, type(item.data).__name__),
                now=transaction.now,
                about=about_of(event),
            )
        return rows

    async def _readdress(self, transaction: Transaction, messages: Mapping[str, Document]) -> None:
        """Write to the account that goes on, where the one a mail is about was merged into it."""
        about = {row["candidate_id"] for row in messages.values()}
        goes_on = await self._store.merges.survivors(transaction.session, about)
        for row in messages.values():
            row["candidate_id"] = goes_on.get(row["candidate_id"], row["candidate_id"])

    async def _add(
        self, transaction: Transaction, messages: dict[str, Document], recipients: Mapping[str, Recipient]
    ) -> list[Letter]:
        """Store the mails that are new, those with a known recipient claimed already if the sender has room."""
        if not messages:
            return []
        if transaction.repeated:  # an event that comes again is rare, and its mail's key stops the first attempt
            for known in await self._store.known(transaction.session, messages):
                del messages[known]
        ready = [row for row in messages.values() if row["candidate_id"] in recipients]
        waiting = [row for row in messages.values() if row["candidate_id"] not in recipients]
        state = self._ready_state(transaction, len(ready))
        for row in ready:
            row.update(state)
        for row in waiting:
            row["state"] = State.WAITING
        if messages:
            await self._store.add_messages(transaction.session, [*ready, *waiting])
        if waiting:
            await self._store.wait_for(transaction.session, (row["candidate_id"] for row in waiting))
        return _letters(ready, recipients)

    async def _release(
        self, transaction: Transaction, arrived: Sequence[str], recipients: Mapping[str, Recipient]
    ) -> list[Letter]:
        """Let the mails go that have waited for these candidates."""
        state = self._ready_state(transaction, len(arrived))
        return _letters(await self._store.take_waiting(transaction.session, arrived, state), recipients)

    def _ready_state(self, transaction: Transaction, count: int) -> Document:
        # Claimed by the transaction that stores it, a mail needs no second write before it is sent.
        if self._sender.room >= count:
            return self._sender.claim().fields()
        return {"state": State.QUEUED, "due_at": as_stored(transaction.now)}


def _known(rows: Mapping[str, Document]) -> dict[str, Recipient]:
    found = ((key, known_recipient(row)) for key, row in rows.items())
    return {key: recipient for key, recipient in found if recipient is not None}


def _is_later(profile: Recipient, recipients: Mapping[str, Recipient]) -> bool:
    known = recipients.get(profile.candidate_id)
    return known is None or profile.version > known.version


def _has_moved(profile: Recipient, before: Mapping[str, Document]) -> bool:
    known = known_recipient(before.get(profile.candidate_id))
    return known is not None and known.email != profile.email


def _was_awaited(profile: Recipient, before: Mapping[str, Document]) -> bool:
    """Whether mails may wait for a recipient: a document of theirs was there, and no profile in it."""
    row = before.get(profile.candidate_id)
    return row is not None and known_recipient(row) is None


def _letters(rows: Sequence[Document], recipients: Mapping[str, Recipient]) -> list[Letter]:
    """Those of the mails that this process has claimed."""
    return [letter_of(row, recipients[row["candidate_id"]]) for row in rows if row["state"] == State.SENDING]
