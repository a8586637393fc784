"""People who work for programs, at identity as it is composed."""

from base64 import b32decode
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from libs.common.events import identity
from services.identity.domain.one_time_codes import STEP_SECONDS, code_at
from tests.service.identity_station import PASSWORD, Answer, IdentityStation
from tests.service.test_signing_keys import operator

STEP = timedelta(seconds=STEP_SECONDS)


@dataclass
class Person:
    """Somebody of staff, with the phone in their hand."""

    station: IdentityStation
    email: str
    staff_id: str
    secret: bytes = b""
    recovery_codes: tuple[str, ...] = ()

    def code(self) -> str:
        """What the app shows next: no code works twice, so time goes on."""
        self.station.base.clock.advance(STEP)
        return code_at(self.secret, int(self.station.base.clock.now().timestamp()) // STEP_SECONDS)

    def links(self) -> list[str]:
        """The tokens of all links mailed to them, oldest first."""
        said = self.station.said(identity.StaffInvited)
        return [event["data"]["token"] for event in said if event["data"]["staff_id"] == self.staff_id]

    async def enrol(self) -> None:
        status, shown = await begin(self.station, self.links()[-1])
        assert status == 201
        self.secret = b32decode(shown["secret"])

    async def activate(self, password: str = PASSWORD, code: str | None = None) -> Answer:
        given = {"token": self.links()[-1], "password": password, "code": code or self.code()}
        return await self.station._send("POST", "/staff/activations", {}, given)

    async def open(self) -> None:
        await self.enrol()
        status, shown = await self.activate()
        assert status == 200
        self.recovery_codes = tuple(shown["recovery_codes"])

    async def login(self, program: str = "cisco", **changes: Any) -> Answer:
        given = {"program": program, "email": self.email, "password": PASSWORD, "code": self.code()} | changes
        body = {name: value for name, value in given.items() if value is not None}
        return await self.station.ask("POST", "/staff/tokens", grant_type="password", **body)

    async def enter(self, program: str = "cisco") -> str:
        """An access token."""
        status, given = await self.login(program)
        assert status == 200, given
        return str(given["access_token"])

    async def refresh(self, token: str) -> Answer:
        return await self.station.ask("POST", "/staff/tokens", grant_type="refresh_token", refresh_token=token)


async def begin(station: IdentityStation, link: str) -> Answer:
    """Begin with an app, by a link."""
    return await station._send("POST", "/staff/enrolments", {}, {"token": link})


async def invite(
    station: IdentityStation, *roles: str, email: str = "mia@example.com", program: str = "cisco", by: str = ""
) -> Person:
    """Somebody with roles, whose invitation waits."""
    given = {"email": email, "name": "Mia Maier", "roles": list(roles)}
    status, shown = await station.ask("POST", f"/programs/{program}/staff", by or await operator(station), **given)
    assert status == 201, shown
    return Person(station, email, shown["staff_id"])


async def hire(station: IdentityStation, *roles: str, email: str = "mia@example.com", program: str = "cisco") -> Person:
    """Somebody with roles, who has opened their account."""
    person = await invite(station, *roles, email=email, program=program)
    await person.open()
    return person
