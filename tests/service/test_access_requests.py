"""One way to a link for everybody who cannot get in, and an answer that tells nobody who exists."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from libs.common.events import identity
from services.identity.login.access_requests import LINK_LASTS, LINKS_AT_ONCE, LINKS_WITHIN
from services.identity.store import IdentityStore
from tests.service.identity_station import PASSWORD, Answer, IdentityStation

OTHER = "another password altogether"
SHARED = {"email": "family@example.com"}


async def ask(station: IdentityStation, login: str, program: str = "cisco") -> Answer:
    return await station.ask("POST", "/access-requests", program=program, login=login)


async def links(station: IdentityStation, login: str, program: str = "cisco") -> list[dict[str, str]]:
    """Ask, and return what the mails that follow hold."""
    before = len(station.said(identity.AccessRequested))
    await ask(station, login, program)
    await station.run("access-requests")
    return [event["data"] for event in station.said(identity.AccessRequested)[before:]]


async def test_answer_is_given_before_anybody_looks_for_the_account(
    station: IdentityStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate_id = await station.open_account()
    looked: list[str] = []

    async def look(*_args: object) -> list[object]:
        looked.append("")
        return []

    with monkeypatch.context() as patch:
        patch.setattr(IdentityStore, "by_login", look)
        logins = (candidate_id, "p1@example.com", "nobody@example.com", "CSCO00000000")
        answers = [await ask(station, login) for login in logins]
    answers.append(await ask(station, candidate_id, "nosuchprogram"))
    assert [status for status, _ in answers] == [202] * 5
    assert len({str(answer) for answer in answers}) == 1
    assert not looked


async def test_mail_names_the_id_and_its_link_opens_the_account_once(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    (link,) = await links(station, "P1@Example.com")
    assert (link["candidate_id"], link["reason"]) == (candidate_id, "recovery")
    assert (await station.activate(link["token"], OTHER))[0] == 204
    assert (await station.login(candidate_id, OTHER))[0] == 200
    assert (await station.login(candidate_id, PASSWORD))[0] == 401
    assert (await station.activate(link["token"], PASSWORD))[0] == 410


async def test_account_never_activated_gets_an_activation(station: IdentityStation) -> None:
    candidate_id = await station.register()
    (link,) = await links(station, candidate_id)
    assert link["reason"] == "activation"
    await station.activate(link["token"])
    (candidate,) = await station.base.rows("candidates")
    first = candidate["activated_at"]
    assert first is not None
    station.base.clock.advance(timedelta(days=1))
    (link,) = await links(station, candidate_id)
    await station.activate(link["token"], OTHER)
    (candidate,) = await station.base.rows("candidates")
    assert candidate["activated_at"] == first, "the day of the first password stays"


async def test_accounts_that_share_an_address_each_get_their_own_link(station: IdentityStation) -> None:
    ids = {await station.open_account(person, **_shared()) for person in ("P1", "P2")}
    found = await links(station, "family@example.com")
    assert {link["candidate_id"] for link in found} == ids
    first, second = found
    await station.activate(first["token"], OTHER)
    assert (await station.login(first["candidate_id"], OTHER))[0] == 200
    assert (await station.login(second["candidate_id"], OTHER))[0] == 401
    assert (await station.activate(second["token"], OTHER))[0] == 204, "one account's link is none of the other's"


async def test_programs_that_share_an_address_stay_apart(station: IdentityStation) -> None:
    cisco = await station.open_account()
    juniper = await station.open_account(program="juniper", exam_code="JN0-105")
    assert [link["candidate_id"] for link in await links(station, "p1@example.com")] == [cisco]
    assert [link["candidate_id"] for link in await links(station, "p1@example.com", "juniper")] == [juniper]
    assert await links(station, cisco, "juniper") == []


async def test_stranger_gets_nothing_and_the_request_is_gone(station: IdentityStation) -> None:
    assert await links(station, "nobody@example.com") == []
    assert await station.base.rows("access_requests") == []


async def test_links_per_hour_are_limited_and_the_answer_does_not_show_it(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    answers = [await ask(station, candidate_id) for _ in range(LINKS_AT_ONCE + 2)]
    assert len({str(answer) for answer in answers}) == 1
    before = len(station.tokens_for(candidate_id))
    await asyncio.gather(station.run("access-requests"), station.run("access-requests"))
    assert len(station.tokens_for(candidate_id)) - before == LINKS_AT_ONCE
    station.base.clock.advance(LINKS_WITHIN)
    assert len(await links(station, candidate_id)) == 1


async def test_requests_worked_off_at_the_same_moment_keep_to_the_limit(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    for _ in range(2 * LINKS_AT_ONCE):
        await ask(station, candidate_id)
    job = next(each for each in station.parts.jobs if each.name == "access-requests")
    work_off = job.run.__self__._work_off
    before = len(station.tokens_for(candidate_id))
    waiting = await station.base.rows("access_requests")
    await asyncio.gather(*(station.base.unit_of_work.run(partial(work_off, request)) for request in waiting))
    assert len(station.tokens_for(candidate_id)) - before == LINKS_AT_ONCE


async def test_link_expires(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    (link,) = await links(station, candidate_id)
    station.base.clock.advance(LINK_LASTS)
    assert (await station.activate(link["token"], OTHER))[0] == 410


async def test_every_other_link_ends_with_a_new_password(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    (first,), (second,) = await links(station, candidate_id), await links(station, candidate_id)
    assert (await station.activate(second["token"], OTHER))[0] == 204
    assert (await station.activate(first["token"], PASSWORD))[0] == 410
    assert (await station.login(candidate_id, OTHER))[0] == 200


async def test_database_holds_no_link_that_works_and_links_have_no_order(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    found = [(await links(station, candidate_id))[0]["token"] for _ in range(2)]
    stored = str([await station.base.rows(name) for name in ("links", "candidates", "access_requests")])
    assert all(token not in stored for token in found)
    assert all(len(token) >= 43 for token in found), "256 bits cannot be guessed"


def _shared() -> dict[str, object]:
    candidate = {"given_name": "Zoë", "family_name": "Ångström", "country": "SE", **SHARED}
    return {"candidate": candidate}
