"""A program that leaves signing in to its provider takes no password, in no place where one could be given."""

from dataclasses import replace

import pytest

from libs.common.events import identity
from libs.common.programs import OpenIdProvider, Program, SignIn
from tests.service.identity_station import PASSWORD, Answer, IdentityStation

OFF = "urn:certrail:problem:local-passwords-off"
OTHER = "another password altogether"
PROVIDER = OpenIdProvider("Acme ID", "https://id.acme.example", "certrail", "acmeid", ("openid",), frozenset())


@pytest.fixture
def programs(programs: dict[str, Program]) -> dict[str, Program]:
    """A copy that a test may change, as publishing a definition does."""
    return dict(programs)


def leave_it_to_the_provider(programs: dict[str, Program]) -> None:
    programs["cisco"] = replace(programs["cisco"], sign_in=SignIn(local_passwords=False, openid=PROVIDER))


def refused(answer: Answer) -> bool:
    status, problem = answer
    return (status, problem["type"], problem["detail"]) == (403, OFF, "sign in with Acme ID")


async def test_no_password_is_taken_anywhere(station: IdentityStation, programs: dict[str, Program]) -> None:
    candidate_id = await station.open_account()
    access = (await station.login(candidate_id))[1]["access_token"]
    leave_it_to_the_provider(programs)
    assert refused(await station.login(candidate_id))
    assert refused(await station.login("nobody@example.com")), "it says nothing about an account"
    assert refused(await station.ask("POST", "/step-up", access, password=PASSWORD))
    assert refused(await station.ask("PUT", "/password", access, password=OTHER))
    leave_to_both = replace(programs["cisco"], sign_in=SignIn(openid=PROVIDER))
    programs["cisco"] = leave_to_both
    assert (await station.login(candidate_id))[0] == 200


async def test_links_still_remind_of_the_id_and_stay_as_they_are(
    station: IdentityStation, programs: dict[str, Program]
) -> None:
    candidate_id = await station.register()
    leave_it_to_the_provider(programs)
    assert (await station.ask("POST", "/access-requests", program="cisco", login="p1@example.com"))[0] == 202
    await station.run("access-requests")
    told = station.said(identity.AccessRequested)[-1]["data"]
    assert told["candidate_id"] == candidate_id
    assert refused(await station.activate(told["token"]))
    (account,) = await station.base.rows("candidates")
    assert (account["activated_at"], account["password"]) == (None, None)
    programs["cisco"] = replace(programs["cisco"], sign_in=SignIn())
    assert (await station.activate(told["token"]))[0] == 204


async def test_other_programs_and_sessions_go_on(station: IdentityStation, programs: dict[str, Program]) -> None:
    juniper = await station.open_account("P2", program="juniper", exam_code="JN0-105")
    token = (await station.login(await station.open_account()))[1]["refresh_token"]
    leave_it_to_the_provider(programs)
    assert (await station.login(juniper, program="juniper"))[0] == 200
    assert (await station.ask("POST", "/tokens", grant_type="refresh_token", refresh_token=token))[0] == 200
