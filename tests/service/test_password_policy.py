"""Passwords that are refused, hashes that are renewed, and addresses that try too often."""

import asyncio

import pytest
from argon2 import PasswordHasher

from services.identity.login.addresses import TRIES, WITHIN
from tests.service.identity_station import PASSWORD, WRONG, IdentityStation


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("kurz+knapp", "string_too_short"),
        ("x" * 129, "string_too_long"),
        ("p1@example.com", "password_weak"),
        ("Ångström-cisco", "password_weak"),
        ("qwertyuiop2026", "password_leaked"),
    ],
)
async def test_refused_password_names_its_field_and_leaves_the_link(
    station: IdentityStation, password: str, code: str
) -> None:
    candidate_id = await station.register()
    (token,) = station.tokens_for(candidate_id)
    status, problem = await station.activate(token, password)
    assert (status, [(each["path"], each["code"]) for each in problem["errors"]]) == (422, [("body.password", code)])
    assert password not in str(problem)
    assert (await station.activate(token))[0] == 204
    _, given = await station.login(candidate_id)
    assert (await station.ask("PUT", "/password", given["access_token"], password=password))[0] == 422
    assert (await station.login(candidate_id))[0] == 200


async def test_guessed_link_is_told_nothing_about_passwords(station: IdentityStation) -> None:
    assert (await station.activate("guess", "qwertyuiop2026"))[0] == 410


async def test_hash_of_another_cost_is_renewed_at_the_next_login(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    await station.base.database["candidates"].update_one({"_id": candidate_id}, {"$set": {"password": old}})
    assert (await station.login(candidate_id, WRONG))[0] == 401
    assert (await station.base.rows("candidates"))[0]["password"] == old
    assert (await station.login(candidate_id))[0] == 200
    (candidate,) = await station.base.rows("candidates")
    assert "m=8,t=1,p=1" in candidate["password"]
    assert (await station.login(candidate_id))[0] == 200


async def test_address_that_guesses_at_many_accounts_has_to_wait_and_others_need_not(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    guesser, other = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "203.0.113.8"}
    for _ in range(5):  # what succeeds counts for nothing
        assert (await station.login(candidate_id, headers=guesser))[0] == 200
    answers = await asyncio.gather(
        *(station.login(f"{n}@example.com", WRONG, headers=guesser) for n in range(TRIES + 10))
    )
    assert [status for status, _ in answers].count(401) == TRIES
    assert [status for status, _ in answers].count(429) == 10
    status, problem = await station.login(candidate_id, headers=guesser)
    assert (status, problem["type"]) == (429, "urn:certrail:problem:too-many-tries")
    assert (await station.login(candidate_id, headers=other))[0] == 200
    asked = {"program": "cisco", "login": candidate_id}
    assert (await station.ask("POST", "/access-requests", None, guesser, **asked))[0] == 429
    station.base.clock.advance(WITHIN)
    assert (await station.login(candidate_id, headers=guesser))[0] == 200
