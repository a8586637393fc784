"""The HTTP API of the way in."""

from typing import Annotated, Any

from pydantic import Field

from libs.common.events.types import Line, ProgramId
from libs.common.http.models import Body, Nothing, View
from libs.common.http.routes import PUBLIC, Call, Route
from services.identity.login.access_requests import AccessRequests


class AccessRequest(Body):
    """Whoever cannot get in says who they are."""

    program: ProgramId
    login: Annotated[Line, Field(description="Candidate ID or e-mail address")]


class AccessRequestView(View):
    """The same whether there is such an account or not."""

    detail: str = "If there is such an account, a mail with its ID and a single-use link is on its way."


class LoginApi:
    """Handlers of the routes below."""

    def __init__(self, access_requests: AccessRequests) -> None:
        self._access_requests = access_requests

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path="/access-requests",
                handler=self.request_access,
                summary="Ask for a link: first login, forgotten password, forgotten ID",
                body=AccessRequest,
                response=AccessRequestView,
                status=202,
                scopes=PUBLIC,
            ),
        )

    async def request_access(self, call: Call[Nothing, Nothing, AccessRequest]) -> AccessRequestView:
        await self._access_requests.ask(call.body.program, call.body.login)
        return AccessRequestView()
