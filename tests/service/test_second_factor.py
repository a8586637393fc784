"""A second factor that asks at each login, takes each code once, and lets nobody guess."""

import asyncio
from base64 import b32decode
from dataclasses import dataclass
from datetime import timedelta

import pytest

from libs.common.events import identity
from services.identity.domain.lockout import FREE_TRIES
from services.identity.domain.one_time_codes import STEP_SECONDS, code_at
from services.identity.login.second_factor import RECOVERY_CODES
from services.identity.login.sessions import FRESH
from tests.service.identity_station import PASSWORD, WRONG, IdentityStation

NEEDED = "urn:certrail:problem:second-factor-needed"
STEP = timedelta(seconds=STEP_SECONDS)
OTHER = "another password altogether"


@dataclass
class Phone:
    """An account with a second factor, and its app."""

    station: IdentityStation
    candidate_id: str
    secret: bytes
    recovery: list[str]

    def code(self) -> str:
        return code_at(self.secret, int(self.station.base.clock.now().timestamp()) // STEP_SECONDS)

    def wrong(self) -> str:
        now = int(self.station.base.clock.now().timestamp()) // STEP_SECONDS
        near = {code_at(self.secret, now + off) for off in (-1, 0, 1)}
        return next(f"{n:06d}" for n in range(10) if f"{n:06d}" not in near)

    async def status(self, code: str) -> int:
        return (await self.station.login(self.candidate_id, code=code))[0]

    async def access(self, code: str) -> str:
        status, given = await self.station.login(self.candidate_id, code=code)
        assert status == 200
        return str(given["access_token"])


async def enrol(station: IdentityStation, candidate_id: str, access: str) -> Phone:
    status, enrolment = await station.ask("POST", "/second-factor", access)
    assert status == 201
    phone = Phone(station, candidate_id, b32decode(enrolment["secret"]), [])
    status, shown = await station.ask("POST", "/second-factor/confirmation", access, code=phone.code())
    assert status == 200
    phone.recovery = shown["recovery_codes"]
    return phone


@pytest.fixture
async def phone(station: IdentityStation) -> Phone:
    candidate_id = await station.open_account()
    _, given = await station.login(candidate_id)
    phone = await enrol(station, candidate_id, given["access_token"])
    station.base.clock.advance(STEP)
    return phone


async def test_factor_counts_once_it_is_confirmed(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    access = (await station.login(candidate_id))[1]["access_token"]
    assert (await station.ask("POST", "/second-factor/confirmation", access, code="123456"))[0] == 409
    _, enrolment = await station.ask("POST", "/second-factor", access)
    phone = Phone(station, candidate_id, b32decode(enrolment["secret"]), [])
    status, problem = await station.ask("POST", "/second-factor/confirmation", access, code=phone.wrong())
    assert (status, problem["errors"][0]["path"]) == (422, "body.code")
    assert (await station.login(candidate_id))[0] == 200
    assert (await station.ask("GET", "/second-factor", access))[1]["on"] is False
    assert (await station.ask("POST", "/second-factor/confirmation", access, code=phone.code()))[0] == 200
    status, shown = await station.ask("GET", "/second-factor", access)
    assert (shown["on"], shown["recovery_codes_left"]) == (True, RECOVERY_CODES)
    assert (await phone.status(phone.code())) == 401, "the code that confirmed is used up"
    (told,) = station.said(identity.SecondFactorChanged)
    assert told["data"]["state"] == "on"


async def test_login_asks_for_a_code_only_after_the_right_password(station: IdentityStation, phone: Phone) -> None:
    status, problem = await station.login(phone.candidate_id)
    assert (status, problem["type"]) == (401, NEEDED)
    status, problem = await station.login(phone.candidate_id, WRONG)
    assert problem["type"] != NEEDED
    assert (await station.login(phone.candidate_id, WRONG, code=phone.code()))[0] == 401
    assert await phone.status(phone.wrong()) == 401
    assert await phone.status(phone.code()) == 200


async def test_one_code_opens_one_of_ten_logins_at_once(phone: Phone) -> None:
    code = phone.code()
    answers = await asyncio.gather(*(phone.status(code) for _ in range(10)))
    assert sorted(answers) == [200] + [401] * 9


async def test_earlier_code_does_not_work_after_a_later_one(station: IdentityStation, phone: Phone) -> None:
    early = phone.code()
    station.base.clock.advance(STEP)
    assert await phone.status(phone.code()) == 200
    assert await phone.status(early) == 401


async def test_guessed_codes_rest_the_account_whatever_is_done_between(station: IdentityStation, phone: Phone) -> None:
    for n in range(FREE_TRIES):
        if n % 2:
            assert (await station.login(phone.candidate_id))[0] == 401
        else:
            assert await phone.status(phone.wrong()) == 401
    assert await phone.status(phone.code()) == 401
    station.base.clock.advance(timedelta(minutes=1, seconds=1))
    assert await phone.status(phone.code()) == 200


async def test_recovery_code_works_once_and_not_after_new_ones(station: IdentityStation, phone: Phone) -> None:
    first, second, third, *_ = phone.recovery
    answers = await asyncio.gather(*(phone.status(first) for _ in range(3)))
    assert sorted(answers) == [200, 401, 401]
    access = await phone.access(f" {second[:8].lower()}-{second[8:]}")
    status, shown = await station.ask("POST", "/second-factor/recovery-codes", access)
    assert (status, len(set(shown["recovery_codes"]))) == (200, RECOVERY_CODES)
    assert await phone.status(third) == 401
    assert await phone.status(shown["recovery_codes"][0]) == 200
    assert (await station.ask("GET", "/second-factor", access))[1]["recovery_codes_left"] == RECOVERY_CODES - 1
    stored = str(await station.base.rows("second_factors"))
    assert all(code not in stored for code in (*phone.recovery, *shown["recovery_codes"]))


async def test_sensitive_changes_ask_for_the_factor_too(station: IdentityStation, phone: Phone) -> None:
    access = await phone.access(phone.code())
    station.base.clock.advance(FRESH + timedelta(seconds=1))
    sensitive = (
        ("PUT", "/password", {"password": OTHER}),
        ("POST", "/second-factor", {}),
        ("POST", "/second-factor/recovery-codes", {}),
        ("DELETE", "/second-factor", {}),
    )
    for method, path, body in sensitive:
        assert (await station.ask(method, path, access, **body))[1]["type"] == "urn:certrail:problem:step-up-needed"
    status, problem = await station.ask("POST", "/step-up", access, password=PASSWORD)
    assert (status, problem["type"]) == (401, NEEDED)
    assert (await station.ask("POST", "/step-up", access, code=phone.wrong()))[0] == 401
    status, given = await station.ask("POST", "/step-up", access, code=phone.code())
    assert status == 200
    assert (await station.ask("DELETE", "/second-factor", given["access_token"]))[0] == 204
    assert (await station.ask("DELETE", "/second-factor", given["access_token"]))[0] == 404
    assert (await station.login(phone.candidate_id))[0] == 200
    assert [event["data"]["state"] for event in station.said(identity.SecondFactorChanged)] == ["on", "off"]


async def test_session_from_before_the_factor_needs_a_code_for_changes(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    access = (await station.login(candidate_id))[1]["access_token"]
    await enrol(station, candidate_id, access)
    status, problem = await station.ask("DELETE", "/second-factor", access)
    assert (status, problem["type"]) == (401, "urn:certrail:problem:step-up-needed")


async def test_recovered_password_still_needs_the_code(station: IdentityStation, phone: Phone) -> None:
    await station.ask("POST", "/access-requests", program="cisco", login=phone.candidate_id)
    await station.run("access-requests")
    assert (await station.activate(station.tokens_for(phone.candidate_id)[-1], OTHER))[0] == 204
    status, problem = await station.login(phone.candidate_id, OTHER)
    assert (status, problem["type"]) == (401, NEEDED)
    assert (await station.login(phone.candidate_id, OTHER, code=phone.code()))[0] == 200
