"""One request of a browser: who is there, and what the page for them needs."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from aiohttp import web

from libs.common.programs import Program
from services.portal.backend.client import Backend, Browser, Down, M
from services.portal.backend.shapes import Profile
from services.portal.web.sessions import Session

T = TypeVar("T")


class SignedOut(Exception):
    """The page is for somebody who is signed in, and nobody is."""


@dataclass
class Visit:
    """A request.

    Attributes:
        browser: with the token of whoever is signed in.
        session: None where nobody is.
        program: whose look the page has; None before one is known.
        anchor: the secret in the browser's cookie that forms are bound to.
        form_token: what its forms carry.
    """

    backend: Backend
    browser: Browser
    path: str
    anchor: str
    form_token: str
    session: Session | None = None
    program: Program | None = None
    profile: Profile | None = field(default=None)

    @property
    def signed_in(self) -> Session:
        """Raises `SignedOut`."""
        if self.session is None:
            raise SignedOut
        return self.session

    @property
    def theirs(self) -> Program:
        """The program of whoever is signed in. Raises `SignedOut`."""
        if self.session is None or self.program is None:
            raise SignedOut
        return self.program

    async def introduce(self) -> None:
        """Learn the name for the head of the page; without it the page has the ID alone."""
        self.profile = await part(self.mine("identity", "/profile", Profile))

    async def mine(self, service: str, below: str, into: type[M], **query: str) -> M:
        """What a service has of the candidate. Raises `SignedOut`, `Down`, `Refused`."""
        session = self.signed_in
        path = f"/programs/{session.program}/candidates/{session.candidate_id}{below}"
        return await self.backend.read(self.browser, service, path, into, query or None)


async def part(answer: Awaitable[T]) -> T | None:
    """A part of a page; None where its service does not answer, so that it costs its part and not the page."""
    try:
        return await answer
    except Down:
        return None


VISIT: Final = web.RequestKey("visit", Visit)
