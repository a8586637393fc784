"""Another address: only with a fresh proof, only by a link to it, and never against the owner."""

from datetime import timedelta
from typing import Any

import pytest

from libs.common.events import identity
from services.identity.email_changes import LINK_LASTS, MOST
from services.identity.login.sessions import FRESH
from tests.service.identity_station import PASSWORD, Answer, IdentityStation

NEW, OTHER = "ada@new.example", "another password altogether"


async def access(station: IdentityStation, login: str, password: str = PASSWORD) -> str:
    status, given = await station.login(login, password)
    assert status == 200
    return str(given["access_token"])


async def ask(station: IdentityStation, token: str, email: str = NEW) -> Answer:
    return await station.ask("POST", "/email-changes", token, email=email)


async def confirm(station: IdentityStation, link: str) -> int:
    response = await station.client.post("/api/identity/v1/email-confirmations", json={"token": link})
    return int(response.status)


def links(station: IdentityStation) -> list[dict[str, Any]]:
    return [event["data"] for event in station.said(identity.EmailChangeRequested)]


async def address(station: IdentityStation, candidate_id: str) -> str:
    (row,) = await station.base.rows("candidates", _id=candidate_id)
    return str(row["email"])


async def test_address_changes_when_the_link_to_it_is_followed_and_not_before(station: IdentityStation) -> None:
    one = await station.open_account()
    token = await access(station, one)
    assert (await ask(station, token))[0] == 202
    (link,) = links(station)
    assert (link["candidate_id"], link["email"]) == (one, NEW)
    assert await address(station, one) == "p1@example.com"
    assert await confirm(station, link["token"]) == 204
    assert await address(station, one) == NEW
    assert (await station.login(NEW))[0] == 200
    assert (await station.login("p1@example.com"))[0] == 401
    (told,) = station.said(identity.EmailChanged)
    assert told["data"]["former_email"] == "p1@example.com"
    assert station.said(identity.CandidateProfileChanged)[-1]["data"]["email"] == NEW
    assert await confirm(station, link["token"]) == 410, "a link works once"


async def test_links_that_went_to_the_former_address_end(station: IdentityStation) -> None:
    one = await station.open_account()
    await station.ask("POST", "/access-requests", program="cisco", login=one)
    await station.run("access-requests")
    former = station.tokens_for(one)[-1]
    await ask(station, await access(station, one))
    await confirm(station, links(station)[0]["token"])
    assert (await station.activate(former, OTHER))[0] == 410


@pytest.mark.parametrize("ends_it", ["another password", "a day", "a later link"])
async def test_link_ends_before_it_is_used(station: IdentityStation, ends_it: str) -> None:
    one = await station.open_account()
    token = await access(station, one)
    await ask(station, token)
    if ends_it == "another password":
        assert (await station.ask("PUT", "/password", token, password=OTHER))[0] == 204
    elif ends_it == "a day":
        station.base.clock.advance(LINK_LASTS)
    else:
        await ask(station, token, "third@new.example")
    assert await confirm(station, links(station)[0]["token"]) == 410
    assert await address(station, one) == "p1@example.com"


async def test_old_proof_is_not_enough(station: IdentityStation) -> None:
    token = await access(station, await station.open_account())
    station.base.clock.advance(FRESH + timedelta(seconds=1))
    status, problem = await ask(station, token)
    assert (status, problem["type"].rpartition(":")[2]) == (401, "step-up-needed")
    assert links(station) == []


async def test_a_day_has_so_many_links(station: IdentityStation) -> None:
    one = await station.open_account()
    for number in range(MOST):
        assert (await ask(station, await access(station, one), f"a{number}@new.example"))[0] == 202
    assert (await ask(station, await access(station, one)))[0] == 409
    station.base.clock.advance(LINK_LASTS + timedelta(seconds=1))
    assert (await ask(station, await access(station, one)))[0] == 202


async def test_own_address_and_none_are_refused_by_name(station: IdentityStation) -> None:
    token = await access(station, await station.open_account())
    for email in ("P1@Example.com", "nobody", ""):
        status, problem = await ask(station, token, email)
        assert (status, problem["errors"][0]["path"]) == (422, "body.email")


async def test_the_same_address_in_two_programs_changes_in_one(station: IdentityStation) -> None:
    one = await station.open_account("P1")
    other = await station.open_account("P1", program="juniper", exam_code="JN0-105")
    await ask(station, await access(station, one))
    await confirm(station, links(station)[0]["token"])
    assert (await address(station, one), await address(station, other)) == (NEW, "p1@example.com")
