"""The HTTP API of what candidates aim at."""

from typing import Annotated, Any

from pydantic import Field

from libs.common.events.types import Code
from libs.common.http.models import Body, View
from libs.common.http.problems import INVALID, NOT_FOUND, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import CERTS_CLAIM, CERTS_READ
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.goals import Goals
from services.certs.policies import Policies
from services.certs.store import CertsStore
from services.certs.views import CandidatePath

MOST_GOALS = 20


class GoalsBody(Body):
    certifications: Annotated[list[Code], Field(max_length=MOST_GOALS, description="All of them, in their order")]


class GoalsView(View):
    certifications: list[str]


class GoalsApi:
    """Handlers of the routes below."""

    def __init__(self, store: CertsStore, goals: Goals, policies: Policies, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._goals = goals
        self._policies = policies
        self._unit_of_work = unit_of_work

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        path = "/programs/{program}/candidates/{candidate_id}/goals"
        return (
            Route(
                method="GET",
                path=path,
                handler=self.show_goals,
                summary="The certifications that the candidate aims at, as chosen",
                parameters=CandidatePath,
                response=GoalsView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path=path,
                handler=self.choose_goals,
                summary="Choose the certifications to aim at; nothing follows from it",
                parameters=CandidatePath,
                body=GoalsBody,
                response=GoalsView,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND, INVALID),
            ),
        )

    async def show_goals(self, call: Call[CandidatePath]) -> GoalsView:
        program, account = await self._account(call)
        kept = await self._goals.get(program.id, account)
        # A later version of the program may have dropped one.
        return GoalsView(certifications=[name for name in kept if name in program.certifications])

    async def choose_goals(self, call: Call[CandidatePath, Any, GoalsBody]) -> GoalsView:
        program, account = await self._account(call)
        wanted = list(dict.fromkeys(call.body.certifications))
        for number, name in enumerate(call.body.certifications):
            if name not in program.certifications:
                path = f"body.certifications.{number}"
                raise invalid(path, "unknown_certification", f"{program.name} has no such certification")

        async def work(transaction: Transaction) -> None:
            await self._goals.put(transaction, program.id, account, wanted)

        await self._unit_of_work.run(work)
        return GoalsView(certifications=wanted)

    async def _account(self, call: Call[CandidatePath, Any, Any]) -> tuple[Program, str]:
        """The program, and the account that goes on for the candidate's."""
        path = call.path
        program = await self._policies.entered(call.principal, path.program, path.candidate_id)
        ledger = await self._store.ledger(program.id, path.candidate_id)
        return program, ledger["_id"] if ledger else path.candidate_id
