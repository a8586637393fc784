"""Staff: invited by mail, two factors always, one program at a time, and no role beyond their own program."""

import asyncio
import json
from datetime import timedelta

import pytest
from joserfc import jws
from structlog.testing import capture_logs

from libs.common.events import identity
from libs.common.http.principal import Kind
from services.identity.domain.lockout import FREE_TRIES
from services.identity.staff.entrance import IDLE, LONGEST
from services.identity.staff.invitations import INVITATION_LASTS
from services.identity.staff.roles import SCOPES, Role
from tests.service.identity_station import PASSWORD, WRONG, IdentityStation
from tests.service.staff_station import Person, begin, hire, invite
from tests.service.test_signing_keys import operator

OTHER = "another password altogether"


def claims(token: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(jws.extract_compact(token.encode()).payload)
    return found


# Opening an account


async def test_invitation_opens_an_account_with_password_and_app(station: IdentityStation) -> None:
    person = await invite(station, "reviewer")
    (event,) = station.said(identity.StaffInvited)
    assert (event["program"], event["data"]["email"], event["data"]["reason"]) == ("cisco", person.email, "invitation")
    await person.open()
    assert len(person.recovery_codes) == 10
    token = await person.enter()
    found = claims(token)
    assert (found["kind"], found["sub"]) == (Kind.STAFF, f"staff:{person.staff_id}")
    assert (found["programs"], set(str(found["scope"]).split())) == (["cisco"], set(SCOPES[Role.REVIEWER]))
    assert found["acr"] == "second-factor"
    assert (await person.activate())[0] == 410, "the link worked once"
    stored = str([await station.base.rows(name) for name in ("staff", "staff_links", "staff_sessions")])
    assert not [secret for secret in (token, PASSWORD, *person.links()) if secret in stored]


async def test_no_account_opens_without_its_app(station: IdentityStation) -> None:
    person = await invite(station, "support")
    assert (await person.activate(code="000000"))[0] == 409, "nothing was enrolled"
    await person.enrol()
    status, problem = await person.activate(code="000000")
    assert (status, problem["errors"][0]["path"]) == (422, "body.code")
    assert (await person.activate("short"))[0] == 422
    assert (await person.activate("mia@example.com!"))[0] == 422, "made of the address"
    assert (await person.login())[0] == 401
    assert (await person.activate())[0] == 200


async def test_invitation_runs_out_and_is_sent_again(station: IdentityStation) -> None:
    person = await invite(station, "support")
    station.base.clock.advance(INVITATION_LASTS)
    assert (await begin(station, person.links()[-1]))[0] == 410
    path = f"/programs/cisco/staff/{person.staff_id}/invitations"
    for _ in range(3):
        assert (await station.ask("POST", path, await operator(station), forget_second_factor=False))[0] == 204
    assert (await station.ask("POST", path, await operator(station), forget_second_factor=False))[0] == 409
    await person.open()
    for link in person.links():
        assert (await begin(station, link))[0] == 410, "all links end with the first"


# Entering


async def test_every_login_needs_both_factors(station: IdentityStation) -> None:
    person = await hire(station, "support")
    status, problem = await person.login(code=None)
    assert (status, problem["type"]) == (401, "urn:certrail:problem:second-factor-needed")
    assert (await person.login(code="000000"))[0] == 401
    status, problem = await person.login(password=WRONG, code=None)
    assert (status, problem["type"]) == (401, "urn:certrail:problem:unauthenticated")
    used = person.code()
    assert (await person.login(code=used))[0] == 200
    assert (await person.login(code=used))[0] == 401
    code = person.recovery_codes[0]
    assert [(await person.login(code=code))[0] for _ in range(2)] == [200, 401]


async def test_unknown_wrong_and_foreign_are_answered_alike(station: IdentityStation) -> None:
    person = await hire(station, "support")
    waiting = await invite(station, "support", email="new@example.com")
    with capture_logs() as lines:
        told = [
            await person.login(email="nobody@example.com"),
            await person.login(password=WRONG),
            await person.login("juniper"),
            await waiting.login(code="000000"),
        ]
    assert {status for status, _ in told} == {401}
    assert len({(problem["type"], problem["detail"]) for _, problem in told}) == 1
    known = f"staff:{person.staff_id}"
    refused = [line["subject"] for line in lines if line["event"] == "sign_in_refused"]
    assert refused == ["staff", known, known, f"staff:{waiting.staff_id}"], "the log says whose account was tried"
    for email in ("nobody@example.com", person.email):
        status, answer = await station.ask("POST", "/staff/access-requests", program="cisco", email=email)
        assert (status, answer) == (202, {"detail": answer["detail"]})


async def test_account_rests_after_wrong_passwords_and_wrong_codes(station: IdentityStation) -> None:
    person = await hire(station, "support")
    for number in range(FREE_TRIES):
        await person.login(**({"password": WRONG} if number % 2 else {"code": "000000"}))
    assert (await person.login())[0] == 401
    station.base.clock.advance(timedelta(hours=1))
    assert (await person.login())[0] == 200


async def test_forgotten_password_needs_the_app_beside_the_link(station: IdentityStation) -> None:
    person = await hire(station, "support")
    _, given = await person.login()
    for program in ("juniper", "cisco"):
        await station.ask("POST", "/staff/access-requests", program=program, email=person.email.upper())
    await station.run("staff-requests")
    _, recovery = station.said(identity.StaffInvited)
    assert (recovery["program"], recovery["data"]["reason"]) == ("cisco", "recovery"), "and none for juniper"
    assert (await begin(station, person.links()[-1]))[0] == 409
    assert (await person.activate(OTHER, code="000000"))[0] == 422
    status, shown = await person.activate(OTHER)
    assert (status, shown["recovery_codes"]) == (200, [])
    assert (await person.refresh(given["refresh_token"]))[0] == 401
    assert [(await person.login(password=each))[0] for each in (PASSWORD, OTHER)] == [401, 200]


async def test_lost_app_is_forgotten_by_whoever_manages_all_programs_of_the_account(station: IdentityStation) -> None:
    person = await hire(station, "support")
    manager = await hire(station, "manager", email="max@example.com")
    await invite(station, "support", email=person.email, program="juniper")
    _, given = await person.login()
    path = f"/programs/cisco/staff/{person.staff_id}/invitations"
    status, _ = await station.ask("POST", path, await manager.enter(), forget_second_factor=True)
    assert status == 403, "it guards another program too"
    assert (await station.ask("POST", path, await operator(station), forget_second_factor=True))[0] == 204
    assert (await person.refresh(given["refresh_token"]))[0] == 401
    assert (await person.login())[0] == 401
    await person.open()
    assert (await person.login())[0] == 200


# Sessions


async def test_sessions_go_on_for_a_day_at_most_and_end_idle(station: IdentityStation) -> None:
    person = await hire(station, "support")
    _, given = await person.login()
    begun = station.base.clock.now()
    while station.base.clock.now() - begun < LONGEST - IDLE:
        station.base.clock.advance(IDLE / 2)
        status, given = await person.refresh(given["refresh_token"])
        assert status == 200
    station.base.clock.advance(IDLE)
    assert (await person.refresh(given["refresh_token"]))[0] == 401
    _, given = await person.login()
    station.base.clock.advance(IDLE)
    assert (await person.refresh(given["refresh_token"]))[0] == 401


async def test_copied_refresh_token_ends_the_session(station: IdentityStation) -> None:
    person = await hire(station, "support")
    _, given = await person.login()
    status, following = await person.refresh(given["refresh_token"])
    assert status == 200
    with capture_logs() as lines:
        assert (await person.refresh(given["refresh_token"]))[0] == 401
    copied = [line["subject"] for line in lines if line["event"] == "session_copied"]
    assert copied == [f"staff:{person.staff_id}"]
    assert (await person.refresh(following["refresh_token"]))[0] == 401


async def test_sessions_of_staff_and_of_candidates_are_not_each_others(station: IdentityStation) -> None:
    person = await hire(station, "support")
    _, mine = await person.login()
    _, theirs = await station.login(await station.open_account())
    asked = {"grant_type": "refresh_token", "refresh_token": mine["refresh_token"]}
    assert (await station.ask("POST", "/tokens", **asked))[0] == 401
    assert (await person.refresh(theirs["refresh_token"]))[0] == 401
    assert (await station.ask("DELETE", "/staff/sessions", theirs["access_token"]))[0] == 403
    for method, path in (("GET", "/sessions"), ("DELETE", "/sessions"), ("GET", "/second-factor")):
        assert (await station.ask(method, path, mine["access_token"]))[0] == 403
    assert (await station.ask("DELETE", "/staff/sessions", mine["access_token"]))[0] == 204
    assert (await person.refresh(mine["refresh_token"]))[0] == 401


async def test_removed_staff_are_out_at_once_there_and_nowhere_else(station: IdentityStation) -> None:
    person = await hire(station, "reviewer")
    await invite(station, "support", email=person.email, program="juniper")
    _, cisco = await person.login()
    _, juniper = await person.login("juniper")
    path = f"/programs/cisco/staff/{person.staff_id}"
    assert (await station.ask("DELETE", path, await operator(station)))[0] == 204
    assert await station.base.rows("staff_sessions", program="cisco") == []
    assert (await person.refresh(cisco["refresh_token"]))[0] == 401
    assert (await person.login())[0] == 401
    assert (await person.refresh(juniper["refresh_token"]))[0] == 200
    assert (await station.ask("GET", path, await operator(station)))[0] == 404
    _, page = await station.ask("GET", "/programs/juniper/staff", await operator(station))
    assert [row["roles"] for row in page["items"]] == [["support"]]


async def test_session_opened_while_the_roles_were_taken_ends_at_its_first_refresh(station: IdentityStation) -> None:
    person = await hire(station, "support")
    _, given = await person.login()
    # What a login leaves that has read the roles just before, and opens its session just after.
    await station.base.database["staff"].update_one({"_id": person.staff_id}, {"$unset": {"roles.cisco": ""}})
    assert (await person.refresh(given["refresh_token"]))[0] == 401
    assert await station.base.rows("staff_sessions") == []


async def test_invitation_of_somebody_removed_opens_nothing(station: IdentityStation) -> None:
    person = await invite(station, "support")
    await station.ask("DELETE", f"/programs/cisco/staff/{person.staff_id}", await operator(station))
    assert (await begin(station, person.links()[-1]))[0] == 410


async def test_other_roles_hold_from_the_next_refresh_on(station: IdentityStation) -> None:
    person = await hire(station, "manager")
    _, given = await person.login()
    path = f"/programs/cisco/staff/{person.staff_id}/roles"
    assert (await station.ask("PUT", path, await operator(station), roles=["auditor"]))[0] == 200
    _, given = await person.refresh(given["refresh_token"])
    assert set(str(claims(given["access_token"])["scope"]).split()) == set(SCOPES[Role.AUDITOR])
    assert (await station.ask("GET", "/programs/cisco/staff", given["access_token"]))[0] == 403


# Roles by program


async def test_roles_of_one_program_open_nothing_of_another(station: IdentityStation) -> None:
    cisco = await station.register("P1")
    juniper = await station.register("P1", program="juniper", exam_code="JN0-105")
    person = await hire(station, "manager")
    await invite(station, "auditor", email=person.email, program="juniper")
    own, foreign = await person.enter("cisco"), await person.enter("juniper")
    assert set(str(claims(foreign)["scope"]).split()) == set(SCOPES[Role.AUDITOR])
    assert (await station.ask("GET", f"/programs/cisco/candidates/{cisco}", own))[0] == 200
    assert (await station.ask("GET", f"/programs/juniper/candidates/{juniper}", foreign))[0] == 200
    for token, program, candidate in ((own, "juniper", juniper), (foreign, "cisco", cisco), (own, "cisco", juniper)):
        assert (await station.ask("GET", f"/programs/{program}/candidates/{candidate}", token))[0] == 404
    for path in ("/programs/juniper/staff", "/programs/juniper/systems", "/programs/none/staff"):
        assert (await station.ask("GET", path, own))[0] == 404
    given = {"email": "x@example.com", "name": "X", "roles": ["support"]}
    assert (await station.ask("POST", "/programs/juniper/staff", own, **given))[0] == 404
    assert (await station.ask("POST", "/programs/juniper/systems", own, description="x", scopes=["exams:read"]))[
        0
    ] == 404
    assert (await station.ask("GET", "/programs/juniper/staff", foreign))[0] == 403, "an auditor manages nobody"


async def test_managers_change_staff_of_their_program_only(station: IdentityStation) -> None:
    manager = await hire(station, "manager")
    other = await hire(station, "support", email="jo@example.com", program="juniper")
    token = await manager.enter()
    for method, path, body in (
        ("GET", "", {}),
        ("DELETE", "", {}),
        ("PUT", "/roles", {"roles": ["auditor"]}),
        ("POST", "/invitations", {"forget_second_factor": True}),
    ):
        for program in ("juniper", "cisco"):
            status, _ = await station.ask(method, f"/programs/{program}/staff/{other.staff_id}{path}", token, **body)
            assert status == 404, (method, path, program)
    assert (await other.login("juniper"))[0] == 200


@pytest.mark.parametrize("roles", [[], ["operator"], ["auditor", "manager"], ["support"] * 5])
async def test_there_are_no_other_roles(station: IdentityStation, roles: list[str]) -> None:
    token = await operator(station)
    given = {"email": "x@example.com", "name": "X", "roles": roles}
    assert (await station.ask("POST", "/programs/cisco/staff", token, **given))[0] == 422
    person = await invite(station, "support", by=token)
    path = f"/programs/cisco/staff/{person.staff_id}/roles"
    assert (await station.ask("PUT", path, token, roles=roles))[0] == 422


async def test_one_account_an_address(station: IdentityStation) -> None:
    person = await invite(station, "support")
    given = {"email": "MIA@example.com", "name": "Mia", "roles": ["support"]}
    assert (await station.ask("POST", "/programs/cisco/staff", await operator(station), **given))[0] == 409
    same = await invite(station, "support", email="Mia@Example.com", program="juniper")
    assert same.staff_id == person.staff_id


async def test_the_same_invitation_twice_at_the_same_moment_makes_one_account(station: IdentityStation) -> None:
    token = await operator(station)
    given = {"email": "mia@example.com", "name": "Mia", "roles": ["support"]}
    answers = await asyncio.gather(*(station.ask("POST", "/programs/cisco/staff", token, **given) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [201, 409, 409, 409]
    assert len(await station.base.rows("staff")) == len(station.said(identity.StaffInvited)) == 1


# Managers


async def managers(station: IdentityStation, *names: str) -> list[Person]:
    return [await hire(station, "manager", email=f"{name}@example.com") for name in names]


async def test_the_last_manager_stays_unless_the_operator_says_so(station: IdentityStation) -> None:
    (manager,) = await managers(station, "max")
    await invite(station, "manager", email="not-yet@example.com")
    token, path = await manager.enter(), f"/programs/cisco/staff/{manager.staff_id}"
    assert (await station.ask("DELETE", path, token))[0] == 409
    assert (await station.ask("PUT", f"{path}/roles", token, roles=["support"]))[0] == 409
    assert (await station.ask("PUT", f"{path}/roles", token, roles=["support", "manager"]))[0] == 200
    assert (await station.ask("DELETE", path, await operator(station)))[0] == 204


async def test_two_managers_cannot_remove_each_other_at_the_same_moment(station: IdentityStation) -> None:
    for number in range(3):
        first, second = await managers(station, f"a{number}", f"b{number}")
        tokens = await first.enter(), await second.enter()
        answers = await asyncio.gather(
            station.ask("DELETE", f"/programs/cisco/staff/{second.staff_id}", tokens[0]),
            station.ask("DELETE", f"/programs/cisco/staff/{first.staff_id}", tokens[1]),
        )
        assert sorted(status for status, _ in answers) == [204, 409]
        for person in (first, second):
            await station.ask("DELETE", f"/programs/cisco/staff/{person.staff_id}", await operator(station))


async def test_managers_make_systems_and_only_they(station: IdentityStation) -> None:
    (manager,) = await managers(station, "max")
    given = {"description": "Partner", "scopes": ["exams:read"]}
    status, system = await station.ask("POST", "/programs/cisco/systems", await manager.enter(), **given)
    assert (status, system["created_by"]) == (201, f"staff:{manager.staff_id}")
    for role in ("support", "reviewer", "auditor"):
        person = await hire(station, role, email=f"{role}@example.com")
        token = await person.enter()
        assert (await station.ask("POST", "/programs/cisco/systems", token, **given))[0] == 403
        assert (await station.ask("GET", "/signing-keys", token))[0] == 403


async def test_address_that_only_looks_the_same_is_somebody_else(station: IdentityStation) -> None:
    await hire(station, "support", email="strasse@example.com")
    given = {"email": "straße@example.com", "name": "Somebody Else", "roles": ["manager"]}
    status, _ = await station.ask("POST", "/programs/juniper/staff", await operator(station), **given)
    assert status == 409
    (row,) = await station.base.rows("staff")
    assert set(row["roles"]) == {"cisco"}


async def test_staff_see_who_they_are_and_the_names_of_those_beside_them(station: IdentityStation) -> None:
    mia = await hire(station, "support", "reviewer")
    token = await mia.enter()
    given = {"email": mia.email, "name": "Mia Maier", "roles": ["auditor"]}
    await station.ask("POST", "/programs/juniper/staff", await operator(station), **given)
    other = await invite(station, "manager", email="ada@example.com", program="juniper")
    status, me = await station.ask("GET", "/staff/me", token)
    assert (status, me["email"], me["name"]) == (200, mia.email, "Mia Maier")
    assert {each["program"]: set(each["roles"]) for each in me["programs"]} == {
        "cisco": {"support", "reviewer"},
        "juniper": {"auditor"},
    }
    assert (await station.ask("GET", "/staff/me", await operator(station)))[0] == 403, "a system is nobody"
    _, page = await station.ask("GET", "/programs/cisco/colleagues", token)
    assert [(one["subject"], one["name"]) for one in page["items"]] == [(f"staff:{mia.staff_id}", "Mia Maier")]
    assert not [one for one in page["items"] if other.staff_id in one["subject"]]
    assert (await station.ask("GET", "/programs/juniper/colleagues", token))[0] == 404
