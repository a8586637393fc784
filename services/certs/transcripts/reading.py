"""What a transcript shows at this moment, read from the database each time it is asked."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.mongo.client import Document
from libs.common.mongo.people import People
from libs.common.programs import Program
from services.certs.ledger import facts_on
from services.certs.people.sharing import SharingSettings
from services.certs.store import CertsStore
from services.certs.transcripts.shown import (
    Shown,
    ShownCertification,
    as_frozen,
    as_of_now,
    certifications_held,
    credits_counting,
    exams_frozen,
    exams_now,
    exams_passed,
    former_names,
)
from services.certs.transcripts.store import Transcript

_NOBODY = ""
"""An id that no candidate has."""


class Content(NamedTuple):
    """What a transcript shows, and of whom."""

    program: Program
    account: str
    """The account that stands for the candidate."""
    name: str
    shown: Shown


class TranscriptReader:
    """Reads what transcripts show."""

    def __init__(
        self,
        certs: CertsStore,
        people: People,
        sharing: SharingSettings,
        programs: Mapping[str, Program],
        clock: Clock,
    ) -> None:
        self._certs = certs
        self._people = people
        self._sharing = sharing
        self._programs = programs
        self._clock = clock

    async def content(self, transcript: Transcript) -> Content:
        """What it shows now. Raises `Unavailable` where the program or the name is not known here."""
        program = self._programs.get(transcript.program)
        if program is None:
            raise Unavailable(f"no definition of {transcript.program}")
        row = await self._certs.certifications(program.id, transcript.candidate_id)
        account = row["_id"] if row is not None else transcript.candidate_id
        name = await self.name(program.id, account)
        if transcript.frozen_name is not None:
            name = transcript.frozen_name
        if name is None:
            raise Unavailable("the candidate's name has not arrived here yet")
        return Content(program, account, name, await self._shown(transcript, program, row))

    async def nothing(self) -> None:
        """Ask for what no transcript leads to, so that an unknown link takes as long as a known one."""
        await self._certs.certifications(_NOBODY, _NOBODY)
        await self.name(_NOBODY, _NOBODY)

    async def name(self, program: str, account: str) -> str | None:
        """The candidate's name as they want it shown; None where it is not known yet."""
        person, sharing = await asyncio.gather(self._people.get(program, account), self._sharing.get(program, account))
        return person.shown(native=sharing.native_name) if person is not None else None

    async def choices(self, program: Program, candidate_id: str) -> Shown:
        """Everything that a candidate could put on a transcript, and some that they could not yet."""
        today = self._today(program)
        row = await self._certs.ledger(program.id, candidate_id)
        if row is None:
            return Shown()
        held = certifications_held(row["certifications"], today)
        return await asyncio.to_thread(_everything, program, row, held, today)

    async def _shown(self, transcript: Transcript, program: Program, row: Document | None) -> Shown:
        today, chosen, frozen = self._today(program), transcript.chosen, transcript.kind == "frozen"
        held = certifications_held(row["certifications"] if row is not None else (), today)
        certifications = (as_frozen if frozen else as_of_now)(chosen.certifications, held, former_names(program))
        if not chosen.exams and (chosen.credits is None or frozen):
            return Shown(certifications, (), chosen.credits)
        ledger = await self._certs.ledger(program.id, transcript.candidate_id)
        if ledger is None:
            return Shown(certifications, exams_now(chosen.exams, {}), None)
        now = await asyncio.to_thread(_everything, program, ledger, held, today)
        passed = {exam.exam: exam for exam in now.exams}
        exams = (exams_frozen if frozen else exams_now)(chosen.exams, passed)
        credit = None if chosen.credits is None else (chosen.credits if frozen else now.credits)
        return Shown(certifications, exams, credit)

    def _today(self, program: Program) -> date:
        return program.day_of(self._clock.now())


def _everything(program: Program, row: Document, held: Mapping[str, ShownCertification], today: date) -> Shown:
    facts = facts_on(row, program, today)
    passed = exams_passed(program, facts, today)
    exams = tuple(sorted(passed.values(), key=lambda exam: (exam.passed_on, exam.exam), reverse=True))
    return Shown(tuple(held.values()), exams, credits_counting(program, facts, today))
