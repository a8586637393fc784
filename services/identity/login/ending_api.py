"""The HTTP API by which staff log a candidate out, who has lost a device or whose account somebody else is in."""

from typing import Any

from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import ACCOUNTS_MANAGE
from services.identity.api import CandidatePath
from services.identity.login.sessions import Sessions
from services.identity.store import IdentityStore


class EndingApi:
    """Handlers of the routes below."""

    def __init__(self, accounts: IdentityStore, sessions: Sessions) -> None:
        self._accounts = accounts
        self._sessions = sessions

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="DELETE",
                path="/programs/{program}/candidates/{candidate_id}/sessions",
                handler=self.end_candidate_sessions,
                summary="Log a candidate out everywhere",
                parameters=CandidatePath,
                response=None,
                status=204,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND,),
            ),
        )

    async def end_candidate_sessions(self, call: Call[CandidatePath]) -> None:
        call.principal.require_program(call.path.program)
        account = await self._accounts.standing(call.path.program, call.path.candidate_id)
        if account is None:
            raise Problem(NOT_FOUND)
        await self._sessions.end_all_of(account["_id"])
