"""One request of a browser: who is there, and what the page for them needs."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

from aiohttp import web

from libs.common.programs import Program
from services.portal.backend.client import Backend, Browser, Content, Down, Fetched, M
from services.portal.backend.shapes import Profile
from services.portal.web.sessions import Session, StaffSession

T = TypeVar("T")
Theme = Literal["device", "light", "dark"]


class SignedOut(Exception):
    """The page is for somebody who is signed in, and nobody is."""


@dataclass
class Visit:
    """A request.

    Attributes:
        browser: with the token of whoever is signed in.
        session: of a candidate; None where nobody is signed in, and on pages of staff.
        staff: on pages of staff: who of them is there.
        program: whose look the page has; None before one is known.
        anchor: the secret in the browser's cookie that forms are bound to.
        form_token: what its forms carry.
        theme: as the browser's device, or chosen.
        said: what the change before this page has done, to be told once.
    """

    backend: Backend
    browser: Browser
    path: str
    anchor: str
    form_token: str
    theme: Theme = "device"
    said: str | None = None
    session: Session | None = None
    staff: StaffSession | None = None
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

    @property
    def at_desk(self) -> StaffSession:
        """Who of staff is there. Raises `SignedOut`."""
        if self.staff is None:
            raise SignedOut
        return self.staff

    @property
    def name(self) -> str:
        """Of the candidate, for the head of the page; empty where nobody has said it."""
        if self.profile is not None:
            return self.profile.name
        return self.session.name if self.session is not None else ""

    async def introduce(self) -> None:
        """Learn the name for the head of the page, where the session does not know it; without it there is the ID."""
        if not self.name:
            await self.know()

    async def know(self) -> Profile | None:
        """What the program knows of the candidate; None where identity does not answer."""
        if self.profile is None:
            self.profile = await part(self.mine("identity", "/profile", Profile))
        return self.profile

    def below(self, path: str) -> str:
        """A service's API below what is theirs: a candidate's own, of staff their program. Raises `SignedOut`."""
        if self.staff is not None:
            return f"/programs/{self.staff.program}{path}"
        session = self.signed_in
        return f"/programs/{session.program}/candidates/{session.candidate_id}{path}"

    async def mine(self, service: str, below: str, into: type[M], **query: str) -> M:
        """What a service has in their part. Raises `SignedOut`, `Down`, `Refused`."""
        return await self.backend.read(self.browser, service, self.below(below), into, query or None)

    async def change(
        self,
        method: str,
        service: str,
        below: str,
        into: type[M],
        *,
        key: str,
        body: Mapping[str, Any] | None = None,
    ) -> M:
        """Change something in their part; the same key again is the same change.

        Raises `SignedOut`, `Down`, `Refused`.
        """
        return await self.backend.send(self.browser, method, service, self.below(below), into, body=body, key=key)

    async def give(self, service: str, below: str, into: type[M], content: Content, *, key: str) -> M:
        """Upload a file to their part. Raises `SignedOut`, `Down`, `Refused`."""
        return await self.backend.upload(self.browser, service, self.below(below), into, content=content, key=key)

    async def fetch_mine(self, service: str, below: str, **query: str) -> Fetched:
        """A file in their part. Raises `SignedOut`, `Down`, `Refused`."""
        return await self.backend.fetch(self.browser, service, self.below(below), query or None)


async def part(answer: Awaitable[T]) -> T | None:
    """A part of a page; None where its service does not answer, so that it costs its part and not the page."""
    try:
        return await answer
    except Down:
        return None


def is_of_staff(path: str) -> bool:
    """Whether a page is for staff: they have sessions of their own, and no page is for both."""
    return path == "/staff" or path.startswith("/staff/")


VISIT: Final = web.RequestKey("visit", Visit)
