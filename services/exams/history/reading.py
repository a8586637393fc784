"""A person's history as it is asked for: arranged, a page of it shown."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.common.clock import Clock
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.exams.history.entries import Entry, entries, is_shown
from services.exams.history.retakes import Judgement, judge
from services.exams.history.store import HistoryStore
from services.exams.history.views import HistoryItem, Shown
from services.exams.store import registration_key


@dataclass(frozen=True, slots=True)
class Past:
    """All that lies behind a person, as lines without details."""

    program: Program
    entries: list[Entry]
    judgement: Judgement

    @property
    def delivered(self) -> set[tuple[str, str | None]]:
        """Vendor and number of the appointments that have a result that may be shown."""
        return {(entry.vendor, entry.registration_id) for entry in self.entries if entry.result}


class History:
    """Reads histories. Programs are those of the running service."""

    def __init__(self, store: HistoryStore, programs: Mapping[str, Program], clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self._programs = programs

    def program(self, program: str) -> Program:
        """Raises `not-found` where there is none."""
        found = self._programs.get(program)
        if found is None:
            raise Problem(NOT_FOUND)
        return found

    async def past(self, program: str, candidate_id: str) -> Past:
        """Everything of a person, of all their accounts."""
        definition, now = self.program(program), self.clock.now()
        results, registrations, achievements = await self.store.sketch(program, candidate_id)
        bookings = await self.store.bookings(_unreported(program, registrations, results))
        lines = entries(definition, results, bookings, achievements, now)
        return Past(definition, lines, judge(definition, results, definition.day_of(now)))

    async def shown(self, past: Past, page: Sequence[Entry]) -> list[HistoryItem]:
        """Entries with what else is shown of them."""
        of = self.store
        results, registrations, achievements = await asyncio.gather(
            of.result_rows([entry.result for entry in page if entry.result]),
            of.registration_rows([entry.registration for entry in page if entry.registration]),
            of.achievement_rows([entry.achievement for entry in page if entry.achievement]),
        )
        rows = results | {f"appointment/{key}": row for key, row in registrations.items()}
        rows |= {f"achievement/{key}": row for key, row in achievements.items()}
        broken = past.judgement.broken
        return Shown(past.program).items((entry, rows.get(entry.key), broken.get(entry.key, ())) for entry in page)


def _unreported(program: str, registrations: Sequence[str], results: Sequence[Document]) -> list[str]:
    """The registrations that may stand for an exam; those whose result is shown do not."""
    reported = {
        registration_key(program, row["vendor"], row["registration_id"])
        for row in results
        if row["registration_id"] is not None and is_shown(row)
    }
    return [key for key in registrations if key not in reported]
