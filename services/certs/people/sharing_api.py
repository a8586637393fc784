"""The HTTP API of what candidates let others see."""

from typing import Any

from libs.common.http.models import Body, View
from libs.common.http.principal import Kind
from libs.common.http.problems import FORBIDDEN, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import CERTS_CLAIM, CERTS_READ
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.directory.directory import Directory
from services.certs.people.sharing import Sharing, SharingSettings
from services.certs.policies import Policies
from services.certs.store import CertsStore
from services.certs.views import CandidatePath


class SharingBody(Body):
    """What the candidate wants, all of it."""

    directory: bool
    name_in_badges: bool
    native_name: bool


class SharingView(View):
    directory: bool
    """Whether the candidate is listed in the program's public directory, where it has one."""
    name_in_badges: bool
    """Whether their name is in badges, which anybody may read who gets hold of one."""
    native_name: bool
    """Whether certificates have their name in its own script, where they have given it."""


class SharingApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        store: CertsStore,
        sharing: SharingSettings,
        directory: Directory,
        policies: Policies,
        unit_of_work: UnitOfWork,
    ) -> None:
        self._store = store
        self._sharing = sharing
        self._directory = directory
        self._policies = policies
        self._unit_of_work = unit_of_work

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/candidates/{candidate_id}/sharing",
                handler=self.show_sharing,
                summary="What the candidate lets others see",
                parameters=CandidatePath,
                response=SharingView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path="/programs/{program}/candidates/{candidate_id}/sharing",
                handler=self.choose_sharing,
                summary="Choose what others see; what is switched off is gone at once",
                parameters=CandidatePath,
                body=SharingBody,
                response=SharingView,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND, FORBIDDEN),
            ),
        )

    async def show_sharing(self, call: Call[CandidatePath]) -> SharingView:
        program, account = await self._account(call)
        return _view(await self._sharing.get(program.id, account))

    async def choose_sharing(self, call: Call[CandidatePath, Any, SharingBody]) -> SharingView:
        program, account = await self._account(call)
        if call.principal.kind is not Kind.CANDIDATE:
            raise Problem(FORBIDDEN, "only the candidate chooses what others see")
        wanted = Sharing(**call.body.model_dump())

        async def work(transaction: Transaction) -> None:
            await self._sharing.put(transaction, program.id, account, wanted)
            await self._directory.settle(transaction, [account])
            await self._store.look_again(transaction, [account])

        await self._unit_of_work.run(work)
        return _view(wanted)

    async def _account(self, call: Call[CandidatePath, Any, Any]) -> tuple[Program, str]:
        """The program, and the account that goes on for the candidate's."""
        path = call.path
        program = await self._policies.entered(call.principal, path.program, path.candidate_id)
        ledger = await self._store.ledger(program.id, path.candidate_id)
        return program, ledger["_id"] if ledger else path.candidate_id


def _view(sharing: Sharing) -> SharingView:
    return SharingView(**sharing._asdict())
