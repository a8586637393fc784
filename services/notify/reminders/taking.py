"""Takes in what is not to be a mail of its own: reminders, and for those who want a summary what can wait."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from libs.common.bus.messages import Received
from libs.common.clock import as_stored
from libs.common.events import identity
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.notify.domain.gathering import GATHERABLE, Bundle, Rhythm, bundle_of, next_digest
from services.notify.reminders.gathered import Gathered
from services.notify.reminders.standings import STANDING_EVENTS, Standings
from services.notify.store import NotifyStore
from services.notify.wishes import WishStore

WINDOW = timedelta(minutes=15)
"""How long reminders of one person wait for each other. They are told together, and a message that fails is tried
again for eleven minutes, which this outlasts."""


class Taking:
    """A mail's own key stays that of what is gathered, so an event that comes again finds it in either place."""

    def __init__(
        self,
        store: NotifyStore,
        gathered: Gathered,
        standings: Standings,
        wishes: WishStore,
        programs: Mapping[str, Program],
    ) -> None:
        self._store = store
        self._gathered = gathered
        self._standings = standings
        self._wishes = wishes
        self._programs = programs

    async def hear(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        """Keep of a batch what says how certifications stand, and let go what no longer waits for a summary."""
        session = transaction.session
        await self._standings.take(session, [item for item in items if isinstance(item.data, STANDING_EVENTS)])
        changed = {item.data.candidate_id for item in items if isinstance(item.data, identity.PreferencesChanged)}
        if not changed:
            return
        wishes = await self._wishes.of(session, changed)
        at_once = [candidate for candidate in changed if candidate in wishes and wishes[candidate].digest is None]
        if at_once:
            await self._gathered.hasten(session, at_once, Bundle.DIGEST, transaction.now)

    async def take(self, transaction: Transaction, messages: dict[str, Document]) -> None:
        """Take out of `messages`, by their keys, what is to be part of another mail or was once."""
        perhaps = {key: row for key, row in messages.items() if row["template"] in GATHERABLE}
        if not perhaps:
            return
        session = transaction.session
        for key in await self._gathered.known(session, perhaps):  # whatever is preferred now
            del messages[key], perhaps[key]
        wishes = await self._wishes.of(session, {row["candidate_id"] for row in perhaps.values()})
        rhythms = {candidate: wish.digest for candidate, wish in wishes.items()}
        taken = {key: row for key, row in perhaps.items() if self._wait(row, rhythms, transaction.now)}
        for key in taken:
            del messages[key]
        for key in await self._store.known(session, taken) if taken else ():  # sent before a summary was chosen
            del taken[key]
        if taken:
            await self._gathered.add(session, list(taken.values()))

    def _wait(self, row: Document, rhythms: Mapping[str, Rhythm | None], now: datetime) -> bool:
        """Let a row wait for its mail; False where it is one of its own."""
        rhythm = rhythms.get(row["candidate_id"])
        bundle = bundle_of(row["template"], rhythm)
        if bundle is None:
            return False
        until = now + WINDOW
        if bundle is Bundle.DIGEST and rhythm is not None:
            until = next_digest(rhythm, self._programs[row["program"]], now)
        row.update(bundle=bundle, due_at=as_stored(until))
        return True
