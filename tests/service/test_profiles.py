"""Profiles over HTTP on a real database: changed by their owner, told once, and compared with the program's wishes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from libs.common.events import identity, notify
from libs.common.http.principal import Kind, Principal
from libs.common.programs import Program
from services.identity.merging import Merging
from services.identity.profiles import Profiles
from services.identity.store import IdentityStore
from tests.service.conftest import OpenBase
from tests.service.rig import said
from tests.service.samples import received
from tests.service.test_identity import open_service
from tests.service.test_merging import People, staff

ADDRESS = {"lines": ["1 Main St"], "city": "Springfield", "region": None, "postal_code": None, "country": "US"}


@pytest.fixture
async def people(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[People]:
    wishes = programs | {
        "cisco": replace(programs["cisco"], profile_required=("address", "employer"), employers=("Acme", "Écume"))
    }
    async with base_of("identity") as base:
        people = People(base, open_service(base, programs), Merging.__new__(Merging), wishes)
        people.merging = people.process()
        yield people


def candidate(candidate_id: str) -> Principal:
    scopes = frozenset({"profile:read", "profile:write"})
    return Principal(
        f"candidate:{candidate_id}", Kind.CANDIDATE, frozenset({"cisco"}), scopes, candidate_id=candidate_id
    )


async def test_gate_lists_what_is_missing_until_it_is_there(people: People) -> None:
    one = await people.account("P1")
    async with people.asking({"me": candidate(one)}) as ask:
        path = f"candidates/{one}/profile"
        assert (await ask("me", "GET", path))[1]["missing"] == ["address", "employer"]
        status, half = await ask("me", "PATCH", path, {"address": ADDRESS})
        assert (status, half["missing"]) == (200, ["address.region", "address.postal_code", "employer"])
        assert half["country"] == "US"
        whole = {**ADDRESS, "region": "IL", "postal_code": "62701"}
        _, full = await ask("me", "PATCH", path, {"address": whole, "employer": "Acme"})
        assert (full["missing"], full["address"]) == ([], whole)
        _, emptied = await ask("me", "PATCH", path, {"employer": None})
        assert (emptied["missing"], emptied["address"]) == (["employer"], whole)


async def test_news_may_be_asked_for_and_a_confirmed_profile_is_asked_about_after_the_programs_days(
    people: People,
) -> None:
    own = replace(people.programs["cisco"], profile_required=("news",), profile_confirm_days=90)
    people.programs = {**people.programs, "cisco": own}
    one = await people.account("P1")
    async with people.asking({"me": candidate(one)}) as ask:
        path = f"candidates/{one}/profile"
        _, new = await ask("me", "GET", path)
        assert (new["missing"], new["confirmed_at"], new["confirmation_due"]) == (["news"], None, False)
        refused = {"marketing": {"given": False, "text_version": "2026-1"}}
        assert (await ask("me", "PATCH", path, refused))[1]["missing"] == []
        people.base.clock.advance(timedelta(days=90))
        assert (await ask("me", "GET", path))[1]["confirmation_due"]
        assert (await ask("me", "PATCH", path, {"job_title": "Engineer"}))[1]["confirmation_due"], "not all of it"
        _, said_right = await ask("me", "PATCH", path, {"confirmed": True})
        assert (said_right["confirmation_due"], said_right["confirmed_at"] is not None) == (False, True)
        assert (await ask("me", "PATCH", path, {"confirmed": False}))[0] == 422


async def test_employers_are_offered_and_any_other_may_be_given(people: People) -> None:
    one = await people.account("P1")
    async with people.asking({"me": candidate(one)}) as ask:
        assert await ask("me", "GET", "employers") == (200, {"items": ["Acme", "Écume"]})
        for employer in ("Écume", "Nobody's & Sons"):
            _, profile = await ask("me", "PATCH", f"candidates/{one}/profile", {"employer": employer})
            assert profile["employer"] == employer


async def test_change_is_told_once_with_the_whole_profile(people: People) -> None:
    one = await people.account("P1")
    body = {
        "native_name": {"given_name": "Зоя", "family_name": "Онгстрём"},
        "native_address": {**ADDRESS, "lines": ["ул. Ленина, 1"], "city": "Псков", "country": "RU"},
        "job_title": "Engineer",
        "time_zone": "Europe/Stockholm",
        "language": "sv",
    }
    async with people.asking({"me": candidate(one)}) as ask:
        for _ in range(2):
            assert (await ask("me", "PATCH", f"candidates/{one}/profile", body))[0] == 200
    (event,) = people.identity.said(identity.CandidateProfileChanged)
    told = event["data"]
    assert (told["native_given_name"], told["given_name"], told["time_zone"]) == ("Зоя", "Zoë", "Europe/Stockholm")
    assert told["native_address"]["city"] == "Псков"
    (account,) = await people.base.rows("candidates")
    assert (
        event["subjectversion"]
        == account["version"]
        > max(other["subjectversion"] for other in said(people.base) if other["id"] != event["id"])
    )
    assert people.identity.said(identity.PreferencesChanged) == []


async def test_preferences_and_consents_are_kept_apart_and_none_is_overwritten(people: People) -> None:
    one = await people.account("P1")
    async with people.asking({"me": candidate(one)}) as ask:
        path = f"candidates/{one}/profile"
        yes, no = {"given": True, "text_version": "2026-1"}, {"given": False, "text_version": "2026-1"}
        weekly = {"digest": "weekly"}
        for body in (
            {"mails": {"offers": False}},
            {"marketing": yes},
            {"marketing": yes},
            {"marketing": no},
            weekly,
            weekly,
        ):
            assert (await ask("me", "PATCH", path, body))[0] == 200
        _, seen = await ask("me", "GET", path)
        assert (await ask("me", "PATCH", path, {"mails": {"activation": False}}))[0] == 422
    assert seen["mails"] == {"offers": False}
    assert [(consent["given"], consent["by"]) for consent in seen["consents"]] == [
        (True, f"candidate:{one}"),
        (False, f"candidate:{one}"),
    ]
    events = [event["data"] for event in people.identity.said(identity.PreferencesChanged)]
    assert [event.get("marketing") for event in events] == [None, True, False, False]
    assert [event.get("digest") for event in events] == [None, None, None, "weekly"]
    assert (seen["digest"], seen["consents"][-1]["given"]) == ("weekly", False)
    assert events[-1]["mails"] == {"offers": False}
    assert people.identity.said(identity.CandidateProfileChanged) == []


@pytest.mark.parametrize(
    "body",
    [
        {"given_name": "Eve"},
        {"family_name": "Eve"},
        {"email": "eve@example.com"},
        {"time_zone": "Mars/Olympus"},
        {"address": {"lines": [], "country": "US"}},
        {"employer": "two\nlines"},
    ],
)
async def test_what_is_not_for_the_profile_is_refused(people: People, body: dict[str, Any]) -> None:
    one = await people.account("P1")
    async with people.asking({"me": candidate(one)}) as ask:
        assert (await ask("me", "PATCH", f"candidates/{one}/profile", body))[0] == 422
    assert people.identity.said(identity.CandidateProfileChanged) == []


async def test_formulas_and_markup_stay_text(people: People) -> None:
    one = await people.account("P1")
    texts = {"employer": "=cmd|' /C calc'!A0", "job_title": "<script>alert(1)</script>"}
    async with people.asking({"me": candidate(one)}) as ask:
        assert (await ask("me", "PATCH", f"candidates/{one}/profile", texts))[0] == 200
        _, seen = await ask("me", "GET", f"candidates/{one}/profile")
    assert {name: seen[name] for name in texts} == texts
    (event,) = people.identity.said(identity.CandidateProfileChanged)
    assert {name: event["data"][name] for name in texts} == texts


async def test_profile_is_the_owners_and_the_programs_staff(people: People) -> None:
    one, two = await people.account("P1"), await people.account("P2")
    callers = {"two": candidate(two), "staff": staff(), "other": staff("juniper")}
    async with people.asking(callers) as ask:
        path = f"candidates/{one}/profile"
        for who in ("two", "other"):
            assert (await ask(who, "GET", path))[0] == 404
        assert (await ask("two", "PATCH", path, {"employer": "Eve"}))[0] == 404
        assert (await ask("staff", "PATCH", path, {"employer": "Eve"}))[0] == 403, "staff need the scope as well"
        assert (await ask("staff", "GET", path))[1]["employer"] is None
        await people.merge(one, two)
        assert (await ask("staff", "GET", path))[1]["candidate_id"] == two


async def test_changes_at_the_same_moment_are_all_kept_and_the_last_event_has_them(people: People) -> None:
    one = await people.account("P1")
    bodies = [{"employer": "Acme"}, {"job_title": "Engineer"}, {"time_zone": "UTC"}, {"language": "sv"}]
    async with people.asking({"me": candidate(one)}) as ask:
        await asyncio.gather(*(ask("me", "PATCH", f"candidates/{one}/profile", body) for body in bodies))
    events = people.identity.said(identity.CandidateProfileChanged)
    last = max(events, key=lambda event: int(event["subjectversion"]))["data"]
    assert {name: last[name] for body in bodies for name in body} == {k: v for body in bodies for k, v in body.items()}


async def test_news_ended_by_a_link_take_the_consent_back_unless_it_was_given_anew(people: People) -> None:
    one, base = await people.account("P1"), people.identity.base
    profiles = Profiles(IdentityStore(base.database), base.unit_of_work)

    def ended(at: datetime) -> Any:
        return received(notify.NewsUnsubscribed(candidate_id=one, message_id="<m@x.example>", unsubscribed_at=at))

    async with people.asking({"me": candidate(one)}) as ask:
        path = f"candidates/{one}/profile"
        before = base.clock.now()
        await base.handle(profiles.end_news, ended(before))  # nobody was ever asked: nothing to take back
        base.clock.advance(timedelta(minutes=1))
        assert (await ask("me", "PATCH", path, {"marketing": {"given": True, "text_version": "2026-1"}}))[0] == 200
        await base.handle(profiles.end_news, ended(before))
        base.clock.advance(timedelta(minutes=1))
        at = base.clock.now()
        for _ in range(2):
            await base.handle(profiles.end_news, ended(at), ended(at))
        _, seen = await ask("me", "GET", path)
    assert [(consent["given"], consent["by"]) for consent in seen["consents"]] == [
        (True, f"candidate:{one}"),
        (False, "link"),
    ]
    events = [event["data"] for event in people.identity.said(identity.PreferencesChanged)]
    assert [event["marketing"] for event in events] == [True, False]
    assert datetime.fromisoformat(events[-1]["marketing_at"]) == at
