"""In and out: a session begins with tokens, however they were got, and ends at identity as well as here."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import structlog
from aiohttp import web

from libs.common.errors import Unavailable
from libs.common.http.auth import TokenVerifier
from libs.common.http.problems import Problem
from libs.common.programs import Program
from services.portal.backend.client import Down, Nothing, Refused
from services.portal.backend.shapes import Profile, Tokens
from services.portal.web.answers import forget_pages, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.drafts import Drafts
from services.portal.web.sessions import Session, Sessions
from services.portal.web.visit import VISIT, Visit, part

_GONE: Final = (Down, Refused, Problem, Unavailable)

log = structlog.get_logger(__name__)


class Entrance:
    """Opens and closes the sessions of browsers."""

    def __init__(self, sessions: Sessions, cookies: Cookies, verifier: TokenVerifier, drafts: Drafts) -> None:
        self._sessions = sessions
        self._cookies = cookies
        self._verifier = verifier
        self._drafts = drafts

    async def enter(self, request: web.Request, program: Program, tokens: Tokens) -> web.Response:
        """Let the browser in, to where somebody wanted to go."""
        caller = await self._verifier.verify(f"Bearer {tokens.access_token}")
        if caller.candidate_id is None:
            raise web.HTTPForbidden
        visit = request[VISIT]
        if visit.session is not None:
            await self.end(visit)
        answer = redirect(self._cookies.wanted(request))
        visit.browser = replace(visit.browser, token=tokens.access_token)
        path = f"/programs/{program.id}/candidates/{caller.candidate_id}/profile"
        profile = await part(visit.backend.read(visit.browser, "identity", path, Profile))
        cookie = await self._sessions.open(
            program.id,
            caller.candidate_id,
            tokens,
            language=profile.language if profile else None,
            time_zone=profile.time_zone if profile else None,
        )
        self._cookies.keep_session(answer, cookie)
        self._cookies.keep_program(answer, program.id)
        self._cookies.keep_owner(answer, self._drafts.owner(program.id, caller.candidate_id))
        self._cookies.drop_wanted(answer)
        self._cookies.drop_attempt(answer)
        return answer

    async def end(self, visit: Visit) -> None:
        """End the session here, and at identity, so that its refresh token is worth nothing any more."""
        session = visit.signed_in
        await self._sessions.close(session.key)
        await self._end_there(visit, session)
        visit.session = None

    async def forget(self, visit: Visit) -> None:
        """End it here, where identity has ended it already."""
        await self._sessions.close(visit.signed_in.key)
        visit.session = None

    def leave(self, answer: web.StreamResponse) -> None:
        """Let the browser keep nothing of the session."""
        forget_pages(answer)
        self._cookies.drop_session(answer)
        self._cookies.drop_wanted(answer)

    def last_program(self, request: web.Request, programs: Mapping[str, Program]) -> Program | None:
        """The program in which somebody signed in last in this browser."""
        return programs.get(self._cookies.program(request) or "")

    async def _end_there(self, visit: Visit, session: Session) -> None:
        try:
            caller = await self._verifier.verify(f"Bearer {session.access_token}")
            path = f"/sessions/{caller.session_id}"
            await visit.backend.send(visit.browser, "DELETE", "identity", path, Nothing)
        except _GONE as error:
            # Its refresh token went with our row, so nobody goes on with it: it ends by itself, or has ended before.
            log.warning("session_not_ended", cause=type(error).__name__)
