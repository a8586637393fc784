"""The HTTP API of changing one's address for mail."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from libs.common.events.types import EmailAddress
from libs.common.http.models import Body, Nothing, View
from libs.common.http.problems import CONFLICT, FORBIDDEN
from libs.common.http.routes import ANY_CALLER, PUBLIC, Call, Route
from services.identity.email_changes import EmailChanges
from services.identity.login.addresses import AddressLimit
from services.identity.login.problems import LINK_INVALID, STEP_UP_NEEDED, TOO_MANY_TRIES
from services.identity.login.second_factor import SecondFactors
from services.identity.login.sessions import Sessions


class NewEmail(Body):
    email: EmailAddress


class NewEmailView(View):
    detail: str = "A mail with a link is on its way to the new address. Until it is followed nothing changes."


class EmailConfirmation(Body):
    token: Annotated[
        str, StringConstraints(min_length=1, max_length=512), Field(description="From the link in the mail")
    ]


class EmailChangesApi:
    """Handlers of the routes below."""

    def __init__(self, changes: EmailChanges, factors: SecondFactors, sessions: Sessions, limit: AddressLimit) -> None:
        self._changes = changes
        self._factors = factors
        self._sessions = sessions
        self._limit = limit

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path="/email-changes",
                handler=self.ask_for_email_change,
                summary="Ask for another address for mail, which a link to it confirms",
                body=NewEmail,
                response=NewEmailView,
                status=202,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN, STEP_UP_NEEDED, CONFLICT, LINK_INVALID),
            ),
            Route(
                method="POST",
                path="/email-confirmations",
                handler=self.confirm_email,
                summary="Make an address for mail one's own by the link that was sent to it",
                body=EmailConfirmation,
                response=None,
                status=204,
                scopes=PUBLIC,
                errors=(LINK_INVALID, TOO_MANY_TRIES),
            ),
        )

    async def ask_for_email_change(self, call: Call[Nothing, Nothing, NewEmail]) -> NewEmailView:
        session = await self._factors.fresh(self._sessions, call.principal)
        await self._changes.ask(session["candidate_id"], call.body.email)
        return NewEmailView()

    async def confirm_email(self, call: Call[Nothing, Nothing, EmailConfirmation]) -> None:
        tried = await self._limit.count(call.remote, call.headers)
        await self._changes.confirm(call.body.token)
        await self._limit.give_back(tried)
