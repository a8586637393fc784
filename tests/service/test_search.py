"""One box for staff: any id, an address for mail, a name in any script and misspelt; and the view behind it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from libs.common.events.vendors import VendorCandidate
from libs.common.http.scopes import ACCOUNTS_MANAGE
from services.identity.search.store import MIGRATION
from services.identity.store import IdentityStore
from tests.service.identity_station import IdentityStation
from tests.service.test_audit import STAFF, records, token_of

Item = dict[str, Any]


async def person(station: IdentityStation, given: str, family: str, key: str, **changes: Any) -> str:
    candidate = VendorCandidate(given_name=given, family_name=family, email=f"{key}@example.com", country="SE")
    return await station.register(f"V-{key}", registration_id=f"R-{key}", candidate=candidate, **changes)


async def search(station: IdentityStation, typed: str) -> list[Item]:
    status, answer = await station.ask("GET", f"/programs/cisco/search?q={quote(typed, safe='')}", token_of(station))
    assert status == 200
    items: list[Item] = answer["items"]
    return items


@pytest.fixture
async def zoe(station: IdentityStation) -> str:
    """One person among others."""
    await person(station, "Maria", "Garcia", "maria.garcia")
    await person(station, "Mario", "Gracia", "gracia")
    await person(station, "John", "Smith", "jsmith")
    return await person(station, "Zoë", "Christodoulou", "zoe.c")


async def test_every_kind_of_id_finds_its_account_and_says_by_what(station: IdentityStation, zoe: str) -> None:
    number = zoe.removeprefix("CSCO")
    wrong = f"CSCO{number[:-1]}{(int(number[-1]) + 1) % 10}"
    for typed, reason in (
        (zoe, "id"),
        (f" csco-{number[:4]} {number[4:]}", "id"),
        (number, "id"),
        (wrong, "similar_id"),
        ("V-zoe.c", "external_id"),
        ("R-zoe.c", "registration"),
        ("ZOE.C@example.com", "email"),
        ("zoe.c@exam", "email"),
        ("zoe.c", "email"),
    ):
        found = {item["candidate_id"]: item["reasons"][0] for item in await search(station, typed)}
        assert found[zoe] == reason, typed
    await person(station, "Csco", "Csco", "letters")
    (only,) = await search(station, zoe)
    assert (only["candidate_id"], only["score"]) == (zoe, 1.0)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("zoe christodoulou", "name"),
        ("Christodoulou, Zoë", "name"),
        ("ζωή christodoulou", "similar_name"),
        ("christo", "similar_name"),
        ("zoe christodolou", "similar_name"),
        ("christodoulu", "similar_name"),
        ("hcristodoulou", "similar_name"),
        ("christodulu", "similar_name"),
        ("Зоэ Христодоулоу", "similar_name"),
    ],
)
async def test_a_name_is_found_with_typing_errors_and_in_other_scripts(
    station: IdentityStation, zoe: str, typed: str, reason: str
) -> None:
    (first, *_) = await search(station, typed)
    assert (first["candidate_id"], first["reasons"]) == (zoe, [reason])


async def test_an_id_is_found_at_whichever_partner(station: IdentityStation, zoe: str) -> None:
    systems = ("psi", "vue2", "vuex", "zoo")
    await station.base.database["external_ids"].insert_many(
        [{"_id": f"cisco:{system}:at-{system}", "program": "cisco", "candidate_id": zoe} for system in systems]
    )
    for typed in ("V-zoe.c", *(f"at-{system}" for system in systems)):
        assert [item["candidate_id"] for item in await search(station, typed)] == [zoe], typed


async def test_the_better_fit_comes_first(station: IdentityStation, zoe: str) -> None:
    found = await search(station, "maria garcia")
    assert [item["family_name"] for item in found] == ["Garcia", "Gracia"]
    assert found[0]["score"] > found[1]["score"]
    assert zoe not in {item["candidate_id"] for item in found}


async def test_a_name_is_found_in_its_own_script_once_the_profile_has_it(station: IdentityStation, zoe: str) -> None:
    assert not await search(station, "王小明")
    native = {"given_name": "小明", "family_name": "王"}
    path = f"/programs/cisco/candidates/{zoe}/profile"
    assert (await station.ask("PATCH", path, token_of(station), native_name=native))[0] == 200
    for typed in ("王小明", "小明 王", "wang xiaoming", "xiaomin"):
        (first, *_) = await search(station, typed)
        assert (first["candidate_id"], first["native_name"]) == (zoe, "王 小明")
    assert (await station.ask("PATCH", path, token_of(station), native_name=None))[0] == 200
    assert not await search(station, "王小明")


async def test_accounts_with_a_word_of_the_name_are_suggested_whatever_its_accents(
    station: IdentityStation, zoe: str
) -> None:
    twin = await person(station, "Zoe", "CHRISTODOULOU", "other.address")
    _, found = await station.ask("GET", f"/programs/cisco/candidates/{zoe}/similar", token_of(station))
    assert [(item["candidate_id"], item["reasons"]) for item in found["items"]] == [(twin, ["name", "country"])]


async def test_whoever_changed_their_name_is_found_by_both(station: IdentityStation, zoe: str) -> None:
    former = [{"given_name": "Zoë", "family_name": "Christodoulou", "native_name": None}]
    changes = {"family_name": "Kowalski", "former_names": former}
    store = IdentityStore(station.base.database)
    await station.base.unit_of_work.run(lambda transaction: store.change(transaction.session, zoe, changes))
    for typed in ("zoe kowalski", "zoe christodoulou"):
        (first, *_) = await search(station, typed)
        assert (first["candidate_id"], first["reasons"]) == (zoe, ["name"])


async def test_a_case_is_found_by_its_id(station: IdentityStation, zoe: str) -> None:
    await station.base.database["cases"].insert_one(
        {"_id": "case-1", "program": "cisco", "reference": "Q7-4", "candidate_id": zoe, "link": "x", "state": "open"}
    )
    for typed in ("case-1", "Q7-4", "q7-4"):
        (first, *_) = await search(station, typed)
        assert (first["candidate_id"], first["reasons"]) == (zoe, ["case"])


async def test_nobody_of_another_program_is_found(station: IdentityStation) -> None:
    other = await person(station, "Zoë", "Christodoulou", "zoe.c", program="juniper")
    for typed in (other, "V-zoe.c", "R-zoe.c", "zoe.c@example.com", "zoe.c", "christodoulou"):
        assert not await search(station, typed)
    token = token_of(station)
    assert (await station.ask("GET", f"/programs/juniper/search?q={other}", token))[0] == 404
    assert (await station.ask("GET", f"/programs/juniper/candidates/{other}/view", token))[0] == 404
    assert (await station.ask("GET", f"/programs/cisco/candidates/{other}/view", token))[0] == 404
    poor = token_of(station, replace(STAFF, scopes=ACCOUNTS_MANAGE))
    assert (await station.ask("GET", "/programs/cisco/search?q=zoe", poor))[0] == 403


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        '=HYPERLINK("http://x")',
        "$where",
        '{"$gt": ""}',
        ".*.*.*",
        "(((((",
        "a\x00b",
        "\U0010ffff",
        "😀😀",
        "x" * 200,
        "a " * 99,
        "::::",
        "cisco:vue:V1",
        "%",
        "\u202eevil",
        "²²²²",
    ],
)
async def test_whatever_is_typed_is_text(station: IdentityStation, zoe: str, typed: str) -> None:
    assert zoe not in {item["candidate_id"] for item in await search(station, typed)}


@pytest.mark.parametrize("raw", ["q=%ff%fe", "q=%ed%a0%80a", "q=", "q=a", "", "q=ab&q=cd", "q=ab&limit=0", "x=1"])
async def test_odd_requests_are_answered_as_documented(station: IdentityStation, raw: str) -> None:
    status, _ = await station.ask("GET", f"/programs/cisco/search?{raw}", token_of(station))
    assert status in {200, 422}


async def test_a_search_is_in_the_audit_log_with_whom_it_found(station: IdentityStation, zoe: str) -> None:
    await search(station, "christodoulou")
    (record,) = await records(station.trail)
    assert (record["operation"], record["candidates"], record["query"]) == ("search", [zoe], ["q"])


async def test_accounts_of_before_get_their_keys_and_the_former_indexes_go(station: IdentityStation, zoe: str) -> None:
    candidates = station.base.database["candidates"]
    await candidates.update_many({}, {"$unset": {"name_keys": ""}})
    await candidates.create_index([("program", 1), ("family_name", 1)], name="family_name")
    await MIGRATION.apply(station.base.database)
    await MIGRATION.apply(station.base.database)
    (first, *_) = await search(station, "christodoulou")
    assert first["candidate_id"] == zoe
    assert set(await candidates.index_information()) == {"_id_", "email", "name_keys", "likeness_keys"}


async def test_accounts_that_an_earlier_version_made_during_an_update_get_their_keys(
    station: IdentityStation, zoe: str
) -> None:
    await station.base.database["candidates"].update_one({"_id": zoe}, {"$unset": {"name_keys": ""}})
    assert not await search(station, "christodoulou")
    await station.run("name-keys")
    (first, *_) = await search(station, "christodoulou")
    assert first["candidate_id"] == zoe


async def test_the_view_shows_all_that_identity_knows(station: IdentityStation) -> None:
    given = await station.open_account("ada")
    other = await station.register("bob")
    await station.login(given)
    for _ in range(6):
        await station.login(given, "wrong")
    body = {"from": other, "into": given, "reason": "one person"}
    assert (await station.ask("POST", "/programs/cisco/merges", token_of(station), **body))[0] == 201
    await station.base.database["cases"].insert_one(
        {
            "_id": "c1",
            "program": "cisco",
            "candidate_id": given,
            "link": "x",
            "kind": "mapping",
            "state": "open",
            "opened_at": station.base.clock.now(),
        }
    )
    status, view = await station.ask("GET", f"/programs/cisco/candidates/{other}/view", token_of(station))
    assert status == 200
    assert (view["candidate_id"], view["asked_for"], view["merged_from"]) == (given, other, [other])
    assert {each["external_id"] for each in view["external_ids"]} == {"ada", "bob"}
    access = view["access"]
    assert (access["open_sessions"], access["second_factor_since"]) == (1, None)
    assert access["activated_at"] is not None
    assert access["locked_until"] is not None
    assert [(merge["merged_id"], merge["state"]) for merge in view["merges"]] == [(other, "done")]
    assert [(case["case_id"], case["kind"]) for case in view["cases"]] == [("c1", "mapping")]
    own = f"/api/exams/v1/programs/cisco/candidates/{given}/results"
    assert view["links"]["results"] == own
    assert "password" not in str(view)
    station.base.clock.advance(timedelta(hours=2))
    _, later = await station.ask("GET", f"/programs/cisco/candidates/{given}/view", token_of(station))
    assert later["access"]["locked_until"] is None
    assert (await records(station.trail))[-1]["candidates"] == sorted([given, other])


async def test_candidates_see_no_view_and_no_search(station: IdentityStation) -> None:
    given = await station.open_account()
    _, answer = await station.login(given)
    for path in (f"candidates/{given}/view", f"search?q={given}"):
        assert (await station.ask("GET", f"/programs/cisco/{path}", answer["access_token"]))[0] == 403
