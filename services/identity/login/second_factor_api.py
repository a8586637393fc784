"""The HTTP API of the second factor: enrol, confirm, recovery codes, remove."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from libs.common.http.models import Body, Nothing, View
from libs.common.http.problems import CONFLICT, FORBIDDEN, NOT_FOUND
from libs.common.http.routes import ANY_CALLER, Call, Route
from libs.common.programs import Program
from services.identity.login.problems import STEP_UP_NEEDED
from services.identity.login.second_factor import SecondFactors
from services.identity.login.sessions import Sessions, candidate_of

Code = Annotated[str, StringConstraints(min_length=6, max_length=40)]


class SecondFactorView(View):
    on: bool
    since: datetime | None
    recovery_codes_left: int


class EnrolmentView(View):
    """Shown this once."""

    secret: Annotated[str, Field(description="For typing into the app, base32")]
    otpauth_uri: Annotated[str, Field(description="For a QR code")]


class Confirmation(Body):
    code: Annotated[Code, Field(description="What the app shows now")]


class RecoveryCodesView(View):
    """Shown this once. Each stands in for a code of the app, once."""

    recovery_codes: list[str]


class SecondFactorApi:
    """Handlers of the routes below."""

    def __init__(self, factors: SecondFactors, sessions: Sessions, programs: Mapping[str, Program]) -> None:
        self._factors = factors
        self._sessions = sessions
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/second-factor",
                handler=self.show_second_factor,
                summary="Whether the caller's account asks for a second factor",
                response=SecondFactorView,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN,),
            ),
            Route(
                method="POST",
                path="/second-factor",
                handler=self.begin_second_factor,
                summary="Begin with an authenticator app; it counts once it is confirmed",
                response=EnrolmentView,
                status=201,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN, STEP_UP_NEEDED),
            ),
            Route(
                method="POST",
                path="/second-factor/confirmation",
                handler=self.confirm_second_factor,
                summary="Confirm an app by its code: from now on logins ask for one",
                body=Confirmation,
                response=RecoveryCodesView,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN, STEP_UP_NEEDED, CONFLICT),
            ),
            Route(
                method="POST",
                path="/second-factor/recovery-codes",
                handler=self.renew_recovery_codes,
                summary="Get new recovery codes; the old ones end",
                response=RecoveryCodesView,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN, STEP_UP_NEEDED, NOT_FOUND),
            ),
            Route(
                method="DELETE",
                path="/second-factor",
                handler=self.remove_second_factor,
                summary="Log in without a second factor from now on",
                response=None,
                status=204,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN, STEP_UP_NEEDED, NOT_FOUND),
            ),
        )

    async def show_second_factor(self, call: Call) -> SecondFactorView:
        row = await self._factors.of(candidate_of(call.principal))
        if row is None:
            return SecondFactorView(on=False, since=None, recovery_codes_left=0)
        return SecondFactorView(on=True, since=row["since"], recovery_codes_left=len(row["recovery"]))

    async def begin_second_factor(self, call: Call) -> EnrolmentView:
        session = await self._factors.fresh(self._sessions, call.principal)
        enrolment = await self._factors.begin(session["candidate_id"], self._programs[session["program"]].name)
        return EnrolmentView(secret=enrolment.secret, otpauth_uri=enrolment.uri)

    async def confirm_second_factor(self, call: Call[Nothing, Nothing, Confirmation]) -> RecoveryCodesView:
        session = await self._factors.fresh(self._sessions, call.principal)
        return RecoveryCodesView(recovery_codes=await self._factors.confirm(session, call.body.code))

    async def renew_recovery_codes(self, call: Call) -> RecoveryCodesView:
        session = await self._factors.fresh(self._sessions, call.principal)
        codes = await self._factors.renew_recovery_codes(session["candidate_id"])
        return RecoveryCodesView(recovery_codes=codes)

    async def remove_second_factor(self, call: Call) -> None:
        await self._factors.remove(await self._factors.fresh(self._sessions, call.principal))
