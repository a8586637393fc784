"""Holds reminders against what certs said last, right before each try to send them."""

from collections.abc import Mapping, Sequence

from libs.common.clock import Clock
from libs.common.programs import Program
from services.notify.domain.gathering import expiry_of, reminder_facts, still_true
from services.notify.domain.mails import Template
from services.notify.letters import Letter
from services.notify.reminders.standings import Standings
from services.notify.store import NotifyStore

OVERTAKEN = "overtaken: what it says is no longer so"


class ReminderCheck:
    """What has moved meanwhile leaves the mail; a mail of which nothing is left does not go."""

    def __init__(self, store: NotifyStore, standings: Standings, programs: Mapping[str, Program], clock: Clock) -> None:
        self._store = store
        self._standings = standings
        self._programs = programs
        self._clock = clock

    async def withheld(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        """The reminders that need not go, with a word that says why; the others say what is so now."""
        reminders = [letter for letter in letters if letter.template is Template.CERTIFICATION_EXPIRING]
        if not reminders:
            return {}
        told_of = {row["candidate_id"] for letter in reminders for row in letter.context["rows"]}
        standings = await self._standings.of(None, told_of | {letter.recipient.candidate_id for letter in reminders})
        reasons: dict[str, str] = {}
        for letter in reminders:
            expiries = [expiry_of(row) for row in letter.context["rows"]]
            today = self._programs[letter.program].day_of(self._clock.now())
            still = still_true(expiries, standings, letter.recipient.candidate_id, today)
            if not still:
                reasons[letter.id] = OVERTAKEN
            elif still != letter.context["rows"]:
                letter.context = reminder_facts(still)
                await self._store.reword(letter.id, letter.context)
        return reasons
