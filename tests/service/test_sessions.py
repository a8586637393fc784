"""Sessions: refresh tokens that work once, a copy that gives itself away, and proofs that grow old."""

import asyncio
from datetime import timedelta

from structlog.testing import capture_logs

from libs.common.events import identity
from services.identity.login.sessions import FRESH, IDLE, LONGEST
from tests.service.identity_station import PASSWORD, WRONG, Answer, IdentityStation
from tests.service.staff_station import hire

OTHER = "another password altogether"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def refresh(station: IdentityStation, token: str) -> Answer:
    return await station.ask("POST", "/tokens", grant_type="refresh_token", refresh_token=token)


async def entered(station: IdentityStation, login: str, password: str = PASSWORD) -> tuple[str, str]:
    """Access and refresh token of a new session."""
    status, given = await station.login(login, password, headers={"User-Agent": FIREFOX})
    assert status == 200
    return given["access_token"], given["refresh_token"]


async def sessions(station: IdentityStation, access: str) -> list[dict[str, str]]:
    status, page = await station.ask("GET", "/sessions", access)
    assert status == 200
    items: list[dict[str, str]] = page["items"]
    return items


async def test_each_refresh_gives_the_next(station: IdentityStation) -> None:
    access, token = await entered(station, await station.open_account())
    seen = {token}
    for _ in range(3):
        status, given = await refresh(station, token)
        assert (status, given["expires_in"]) == (200, 900)
        token = given["refresh_token"]
        seen.add(token)
    assert len(seen) == 4
    assert len(await sessions(station, given["access_token"])) == 1
    stored = str([await station.base.rows(name) for name in ("sessions", "refresh_tokens")])
    assert all(each not in stored for each in (*seen, access))


async def test_old_token_ends_the_session_and_is_told_once(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    _, old = await entered(station, candidate_id)
    other, other_token = await entered(station, candidate_id)
    _, given = await refresh(station, old)
    for _ in range(2):
        assert (await refresh(station, old))[0] == 401
    assert (await refresh(station, given["refresh_token"]))[0] == 401
    assert len(await sessions(station, other)) == 1, "another session goes on"
    assert (await refresh(station, other_token))[0] == 200
    (told,) = station.said(identity.SessionsRevoked)
    assert (told["data"]["candidate_id"], told["data"]["reason"]) == (candidate_id, "reuse")


async def test_log_says_of_each_way_in_whose_and_how_and_nothing_that_was_typed(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    with capture_logs() as lines:
        access, token = await entered(station, candidate_id)
        assert (await station.login(candidate_id, WRONG))[0] == 401
        assert (await station.login("nobody@example.com", WRONG))[0] == 401
        assert (await station.ask("POST", "/step-up", access, password=WRONG))[0] == 401
        assert (await station.ask("POST", "/step-up", access, password=PASSWORD))[0] == 200
        for status in (200, 401):
            assert (await refresh(station, token))[0] == status
    said = [line for line in lines if line["event"] != "request"]
    assert [(line["event"], line["candidate_id"], line.get("detail")) for line in said] == [
        ("signed_in", candidate_id, "password"),
        ("sign_in_refused", candidate_id, None),
        ("sign_in_refused", None, None),
        ("sign_in_refused", candidate_id, None),
        ("proved_again", candidate_id, "password"),
        ("session_copied", candidate_id, None),
    ]
    assert not [each for each in (PASSWORD, WRONG, "nobody@example.com") if each in str(lines)]


async def test_copies_used_at_the_same_moment_leave_no_session(station: IdentityStation) -> None:
    _, token = await entered(station, await station.open_account())
    answers = await asyncio.gather(*(refresh(station, token) for _ in range(5)))
    assert [status for status, _ in answers].count(200) == 1
    (won,) = [given["refresh_token"] for status, given in answers if status == 200]
    assert (await refresh(station, won))[0] == 401


async def test_staff_of_the_program_log_a_candidate_out_and_others_do_not(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    access, token = await entered(station, candidate_id)
    path = f"/candidates/{candidate_id}/sessions"
    roles = ("reviewer", "support")
    reviewer, supporter = [await (await hire(station, role, email=f"{role}@example.com")).enter() for role in roles]
    assert (await station.ask("DELETE", f"/programs/cisco{path}", supporter))[0] == 403
    outsider = await (await hire(station, "reviewer", email="x@example.com", program="juniper")).enter("juniper")
    for program, stranger in (("cisco", outsider), ("juniper", outsider), ("juniper", reviewer)):
        assert (await station.ask("DELETE", f"/programs/{program}{path}", stranger))[0] == 404
    assert (await station.ask("DELETE", "/programs/cisco/candidates/NOBODY/sessions", reviewer))[0] == 404
    assert len(await sessions(station, access)) == 1
    assert (await station.ask("DELETE", f"/programs/cisco{path}", reviewer))[0] == 204
    assert (await refresh(station, token))[0] == 401


async def test_guess_ends_nothing(station: IdentityStation) -> None:
    access, token = await entered(station, await station.open_account())
    (session,) = await sessions(station, access)
    for guess in (session["session_id"], access[:500], token[:-1]):
        assert (await refresh(station, guess))[0] == 401
    assert (await refresh(station, token))[0] == 200


async def test_session_ends_unused_and_at_its_longest(station: IdentityStation) -> None:
    _, token = await entered(station, await station.open_account())
    begun = station.base.clock.now()
    while station.base.clock.now() - begun < LONGEST - IDLE / 2:
        station.base.clock.advance(IDLE / 2)
        status, given = await refresh(station, token)
        assert status == 200
        token = given["refresh_token"]
    station.base.clock.advance(IDLE / 2)
    assert (await refresh(station, token))[0] == 401
    _, token = await entered(station, "p1@example.com")
    station.base.clock.advance(IDLE)
    assert (await refresh(station, token))[0] == 401


async def test_list_tells_sessions_apart_and_ends_them(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    first, first_token = await entered(station, candidate_id)
    station.base.clock.advance(timedelta(minutes=1))
    second, _ = await entered(station, candidate_id)
    listed = await sessions(station, second)
    assert [(row["user_agent"], row["current"]) for row in listed] == [
        ("Firefox on Linux", True),
        ("Firefox on Linux", False),
    ]
    path = f"/sessions/{listed[1]['session_id']}"
    assert (await station.ask("DELETE", path, second))[0] == 204
    assert (await station.ask("DELETE", path, second))[0] == 404
    assert (await refresh(station, first_token))[0] == 401
    assert (await station.ask("POST", "/step-up", first, password=PASSWORD))[0] == 401, "its access token still lives"
    assert (await station.ask("PUT", "/password", first, password=OTHER))[0] == 401, "but changes nothing"
    assert (await station.ask("DELETE", "/sessions", second))[0] == 204
    assert await sessions(station, second) == []


async def test_sessions_of_another_are_not_there(station: IdentityStation) -> None:
    mine, _ = await entered(station, await station.open_account("P1"))
    theirs, their_token = await entered(station, await station.open_account("P2"))
    (session,) = await sessions(station, theirs)
    assert (await station.ask("DELETE", f"/sessions/{session['session_id']}", mine))[0] == 404
    assert (await station.ask("DELETE", "/sessions", mine))[0] == 204
    assert (await refresh(station, their_token))[0] == 200


async def test_token_of_one_program_opens_nothing_of_another(station: IdentityStation) -> None:
    await station.open_account()
    juniper = await station.open_account(program="juniper", exam_code="JN0-105")
    access, _ = await entered(station, "p1@example.com")
    for program in ("juniper", "cisco"):
        assert (await station.ask("GET", f"/programs/{program}/candidates/{juniper}", access))[0] == 404
    assert (await station.login(juniper))[0] == 401
    assert len(await sessions(station, access)) == 1


async def test_new_password_ends_all_other_sessions_and_is_told(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    assert station.said(identity.PasswordChanged) == [], "the first password is no change"
    _, other = await entered(station, candidate_id)
    access, token = await entered(station, candidate_id)
    assert (await station.ask("PUT", "/password", access, password=OTHER))[0] == 204
    assert (await refresh(station, other))[0] == 401
    assert (await refresh(station, token))[0] == 200
    assert (await station.login(candidate_id))[0] == 401
    assert (await station.login(candidate_id, OTHER))[0] == 200
    (told,) = station.said(identity.PasswordChanged)
    assert told["data"]["candidate_id"] == candidate_id


async def test_recovery_ends_all_sessions_and_a_change_ends_all_links(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    _, token = await entered(station, candidate_id)
    for _ in range(2):
        await station.ask("POST", "/access-requests", program="cisco", login=candidate_id)
    await station.run("access-requests")
    _, first, second = station.tokens_for(candidate_id)
    assert (await station.activate(first, OTHER))[0] == 204
    assert (await refresh(station, token))[0] == 401
    await station.ask("POST", "/access-requests", program="cisco", login=candidate_id)
    await station.run("access-requests")
    access, _ = await entered(station, candidate_id, OTHER)
    assert (await station.ask("PUT", "/password", access, password=PASSWORD))[0] == 204
    for link in (second, station.tokens_for(candidate_id)[-1]):
        assert (await station.activate(link, OTHER))[0] == 410


async def test_sensitive_change_asks_for_a_recent_proof(station: IdentityStation) -> None:
    _, token = await entered(station, await station.open_account())
    station.base.clock.advance(FRESH + timedelta(seconds=1))
    _, given = await refresh(station, token)
    stale = given["access_token"]
    status, problem = await station.ask("PUT", "/password", stale, password=OTHER)
    assert (status, problem["type"]) == (401, "urn:certrail:problem:step-up-needed")
    assert (await station.ask("POST", "/step-up", stale, password=WRONG))[0] == 401
    status, given = await station.ask("POST", "/step-up", stale, password=PASSWORD)
    assert (status, given["refresh_token"]) == (200, None)
    assert (await station.ask("PUT", "/password", stale, password=OTHER))[0] == 401
    assert (await station.ask("PUT", "/password", given["access_token"], password=OTHER))[0] == 204


async def test_systems_have_no_sessions(station: IdentityStation) -> None:
    status, given = await station.ask(
        "POST", "/tokens", grant_type="client_credentials", client_id="operator", client_secret="s" * 32
    )
    assert (status, given["refresh_token"]) == (200, None)
    for method, path in (("GET", "/sessions"), ("DELETE", "/sessions"), ("DELETE", "/sessions/x")):
        assert (await station.ask(method, path, given["access_token"]))[0] == 403
