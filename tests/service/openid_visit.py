"""Somebody signs in with a provider through the service, step by step."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from libs.common.clock import FixedClock
from libs.common.programs import OpenIdProvider, Program, SignIn
from tests.service.identity_station import Answer, IdentityStation
from tests.service.node_provider import Browser
from tests.service.test_second_factor import STEP, Phone, enrol

PROBLEM = "urn:certrail:problem:"


def offer(
    programs: dict[str, Program], given: OpenIdProvider, program: str = "cisco", *, passwords: bool = True
) -> None:
    """Let a program have a provider, as publishing a definition does."""
    programs[program] = replace(programs[program], sign_in=SignIn(passwords, given))


def keep_up(clock: FixedClock) -> None:
    """The provider lives in true time."""
    clock.advance(max(timedelta(), datetime.now(UTC) - clock.now()))


@dataclass
class Visit:
    """One sign-in: what identity gave to the browser, and what the provider sent it back with."""

    station: IdentityStation
    program: str
    begun: dict[str, Any]
    returned: dict[str, str]

    async def finish(self, **changes: Any) -> Answer:
        keep_up(self.station.base.clock)
        body = {**self.returned, "binding": self.begun["binding"]} | changes
        sent = {name: value for name, value in body.items() if value is not None}
        return await self.station.ask("POST", f"/programs/{self.program}/openid/sessions", **sent)


async def begin(station: IdentityStation, program: str = "cisco", *, fresh: bool = False) -> dict[str, Any]:
    status, begun = await station.ask("POST", f"/programs/{program}/openid/authorizations", fresh=fresh)
    assert status == 201, begun
    return dict(begun)


async def visit(
    station: IdentityStation, browser: Browser, account: str, program: str = "cisco", *, fresh: bool = False
) -> Visit:
    """Begin, and sign in at the provider."""
    begun = await begin(station, program, fresh=fresh)
    return Visit(station, program, begun, await browser.sign_in(begun["authorization_url"], account))


async def prove(station: IdentityStation, pending: str, program: str = "cisco", **proof: str) -> Answer:
    """By login and password, by a link, or by a code alone."""
    kind = "password" if "login" in proof else "link" if "link" in proof else "code"
    return await station.ask("POST", f"/programs/{program}/openid/proofs", kind=kind, pending=pending, **proof)


async def signed_in(answer: Answer) -> dict[str, Any]:
    """The tokens of somebody who is in."""
    status, given = answer
    assert (status, given["state"]) == (200, "signed_in"), given
    return dict(given["tokens"])


def claims(access_token: str) -> dict[str, Any]:
    return dict(jwt.decode(access_token, options={"verify_signature": False}))


async def with_phone(station: IdentityStation, person: str = "P1", **changes: Any) -> Phone:
    """An account with a second factor."""
    candidate_id = await station.open_account(person, **changes)
    _, given = await station.login(candidate_id)
    phone = await enrol(station, candidate_id, given["access_token"])
    station.base.clock.advance(STEP)
    return phone


def code_of(answer: Answer) -> tuple[int, str]:
    """What was wrong."""
    status, problem = answer
    return status, str(problem["type"]).removeprefix(PROBLEM)
