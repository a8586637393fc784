"""The HTTP API of certs: what a candidate holds, and why."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import Field

from libs.common.clock import Clock
from libs.common.http.models import View
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import CERTS_READ, OPERATIONS_READ
from libs.common.http.server import Api
from libs.common.languages import ENGLISH, READER
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.certs.domain.standing import Status
from services.certs.rewording import reworded
from services.certs.store import CertsStore
from services.certs.views import CandidatePath


class ReasonView(View):
    """A fact, and the clause of the program that gave it effect."""

    fact: str
    clause: str
    text: str


class HoldingView(View):
    """One unbroken time of holding."""

    earned_on: date
    expires_on: date | None


class CertificationView(View):
    certification: str
    title: str
    status: Status
    earned_on: date
    expires_on: date | None
    """Last active day; null where it never expires."""
    text: str
    """The status and its reason as one sentence."""
    because: list[ReasonView]
    holdings: list[HoldingView]
    designations: list[str] = Field(default=[])
    """Titles that came by themselves and stay, whatever the status."""


class CertificationsView(View):
    """Everything a candidate holds or has held in a program, as of today there."""

    candidate_id: str
    """Of a merged account, the one that goes on."""
    program: str
    as_of: date
    version: int
    certifications: list[CertificationView]


class TotalsView(View):
    candidates: int
    active: int
    expired: int
    """Neither active nor set aside by staff."""
    suspended: int
    revoked: int


class CertsApi:
    """Handlers of the routes below."""

    def __init__(self, store: CertsStore, programs: Mapping[str, Program], clock: Clock) -> None:
        self._store = store
        self._programs = programs
        self._clock = clock

    def api(
        self, more: tuple[Route[Any, Any, Any, Any], ...] = (), closing: Sequence[Callable[[], Awaitable[None]]] = ()
    ) -> Api:
        """The service's whole API; `more` are routes of other parts of it, `closing` what those have to finish."""
        return Api(
            closing=closing,
            service="certs",
            title="Certrail certifications",
            description="What candidates hold, when it expires, and why.",
            version="1.0.0",
            routes=(
                Route(
                    method="GET",
                    path="/programs/{program}/candidates/{candidate_id}/certifications",
                    handler=self.list_certifications,
                    summary="What a candidate holds and has held, with the reasons",
                    parameters=CandidatePath,
                    response=CertificationsView,
                    scopes=CERTS_READ,
                    errors=(NOT_FOUND,),
                ),
                Route(
                    method="GET",
                    path="/totals",
                    handler=self.show_totals,
                    summary="How many certifications there are",
                    response=TotalsView,
                    scopes=OPERATIONS_READ,
                    audited=False,
                ),
                *more,
            ),
        )

    def _today(self, program: str) -> date:
        return self._programs[program].day_of(self._clock.now())

    async def list_certifications(self, call: Call[CandidatePath]) -> CertificationsView:
        program, candidate_id = call.path.program, call.path.candidate_id
        call.principal.require(program, candidate_id)
        if program not in self._programs:
            raise Problem(NOT_FOUND)
        today = self._today(program)
        if READER.get() is ENGLISH:
            row = await self._store.certifications(program, candidate_id)
            entries: Sequence[Document] = row["certifications"] if row else ()
        else:
            row = await self._store.ledger(program, candidate_id)
            entries = await asyncio.to_thread(reworded, row, self._programs[program], today) if row else ()
        # A candidate without facts yet is no error: nothing is held.
        return CertificationsView(
            candidate_id=row["_id"] if row else candidate_id,
            program=program,
            as_of=today,
            version=row["version"] if row else 0,
            certifications=[certification_view(entry, today) for entry in entries],
        )

    async def show_totals(self, call: Call) -> TotalsView:
        programs = sorted(call.principal.programs & self._programs.keys())
        today = {program: self._today(program).isoformat() for program in programs}
        return TotalsView(**await self._store.totals(programs, today))


def certification_view(entry: Document, today: date) -> CertificationView:
    """A stored entry as of a day."""
    expires_on = date.fromisoformat(entry["expires_on"]) if entry["expires_on"] else None
    # The sweep tells an expiry soon after midnight; a reader is told the truth at midnight.
    status = entry.get("status", "active")
    if status == "active" and expires_on is not None and expires_on < today:
        status = "expired"
    return CertificationView.model_validate({**entry, "status": status})
