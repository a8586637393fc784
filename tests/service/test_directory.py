"""The public directory: who is in it, how they are found, and that nobody is in it for longer than they may be."""

import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from libs.common.programs import Program, load_definition
from tests.service.certs_station import Callers, CertsStation
from tests.service.conftest import OpenBase
from tests.service.outgoing_station import profile
from tests.service.privacy_station import PrivacyStation
from tests.service.samples import TAKEN, invalidated, passed, received
from tests.service.test_people import OFF, registered
from tests.unit.certs.desk import merged, separated

LISTED = OFF | {"directory": True}
HERE = "/public/directory/cisco"
_numbers = count(1)


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[CertsStation]:
    async with base_of("certs") as base:
        yield CertsStation(base, programs)


@pytest.fixture
async def api(station: CertsStation) -> AsyncIterator[Callers]:
    async with station.api() as callers:
        yield callers


async def listed(station: CertsStation, api: Callers, who: str = "C1", **person: Any) -> None:
    """A person with a CCNA who has chosen to be found."""
    await station.take(registered(who, **person), received(passed(who, f"R-{who}")))
    await choose(api, who, **LISTED)
    await station.settle()


async def choose(api: Callers, who: str, **wanted: bool) -> None:
    assert (await api.candidate("PUT", f"/cisco/candidates/{who}/sharing", who=who, **wanted))[0] == 200


async def names(api: Callers, **query: str) -> list[str]:
    status, found = await api.anybody(HERE, **query)
    assert status == 200, found
    return [entry["name"] for entry in found["items"]]


async def test_entry_has_name_country_and_active_certifications_and_nothing_else(
    station: CertsStation, api: Callers
) -> None:
    await listed(station, api)
    status, found = await api.anybody(HERE)
    held = {"certification": "CCNA", "title": found["items"][0]["certifications"][0]["title"], "since": "2025-03-10"}
    entry = {"name": "Zoë Ångström", "country": "US", "certifications": [held]}
    assert (status, found["items"], found["next"]) == (200, [entry], None)
    assert "C1" not in str(found)


async def test_only_those_who_want_it_are_in_it(station: CertsStation, api: Callers) -> None:
    await station.take(registered(), received(passed()))
    await station.settle()
    assert await names(api) == []
    await choose(api, "C1", **OFF | {"name_in_badges": True, "native_name": True})
    await station.settle()
    assert await names(api) == []
    await choose(api, "C1", **LISTED)
    assert await names(api) == ["Zoë Ångström"]
    await choose(api, "C1", **OFF)
    assert (await names(api), await station.base.rows("directory")) == ([], [])


async def test_program_without_a_directory_has_none(
    station: CertsStation, api: Callers, programs: dict[str, Program]
) -> None:
    await listed(station, api)
    text = re.sub(r"(?m)^directory:.*$", "", programs["cisco"].definition)
    without = CertsStation(station.base, {"cisco": load_definition(text, name="cisco.yaml")})
    async with without.api() as other:
        assert (await other.anybody(HERE))[0] == 404
    assert (await api.anybody(HERE.replace("cisco", "juniper")))[0] == 404
    assert (await api.anybody(HERE.replace("cisco", "nosuch")))[0] == 404


async def test_search_by_name_in_any_script_country_and_certification(station: CertsStation, api: Callers) -> None:
    native = {"native_given_name": "小明", "native_family_name": "王"}
    await listed(station, api, given_name="Zoë", family_name="Ångström")
    await listed(station, api, "C2", given_name="Ming", family_name="Wang", country="CN")
    await station.take(profile("C2", version=5, given_name="Ming", family_name="Wang", country="CN", **native))
    await station.take(received(passed("C3", "R-C3", exam_code="200-201")), registered("C3", given_name="Ada"))
    await choose(api, "C3", **LISTED)
    await station.settle()
    assert await names(api) == ["Ada Ångström", "Zoë Ångström", "Ming Wang"]
    for typed in ("zoe", "ZOE ang", "Ångström Zoë", "angs z"):
        assert "Ming Wang" not in await names(api, q=typed)
    assert await names(api, q="zoë") == ["Zoë Ångström"]
    for typed in ("王小明", "王 小明", "wang", "Wan", "ming wang"):
        assert await names(api, q=typed) == ["Ming Wang"], typed
    assert await names(api, q="zo wang") == await names(api, q="...") == await names(api, q="z") == []
    assert await names(api, country="cn") == ["Ming Wang"]
    assert await names(api, certification="CCNA-Cybersecurity") == ["Ada Ångström"]
    assert await names(api, certification="CCNA", q="an", country="US") == ["Zoë Ångström"]
    assert await names(api, q="", country="", certification="") == await names(api)
    await choose(api, "C2", **LISTED | {"native_name": True})
    assert await names(api, q="wang") == ["王 小明"]


async def test_pages_by_cursor_show_everybody_once_and_tell_nobodys_id(station: CertsStation, api: Callers) -> None:
    for number in range(5):
        await listed(station, api, f"C{number}", given_name="Ada", family_name=f"Ab{'cde'[number % 3]}")
    seen, cursor = [], {}
    for _ in range(5):
        _, found = await api.anybody(HERE, limit="2", **cursor)
        seen += [entry["name"] for entry in found["items"]]
        if found["next"] is None:
            break
        cursor = {"cursor": found["next"]}
        assert re.search(rb"C\d", urlsafe_b64decode(found["next"] + "==")) is None
    assert seen == ["Ada Abc", "Ada Abc", "Ada Abd", "Ada Abd", "Ada Abe"]
    assert (await api.anybody(HERE, cursor="bm8"))[0] == 422


async def test_what_is_no_longer_held_is_gone_before_the_index_hears_of_it(station: CertsStation, api: Callers) -> None:
    for who, kind in (("C1", "suspend"), ("C2", "revoke"), ("C3", "void")):
        await listed(station, api, who, given_name=kind)
    for who, kind in (("C1", "suspend"), ("C2", "revoke")):
        decision = {"kind": kind, "certification": "CCNA", "reason": "x"}
        status, _ = await api.staff("POST", f"/cisco/candidates/{who}/decisions", key=f"k-{who}-{kind}", **decision)
        assert status == 201
    await station.take(received(invalidated("C3", "R-C3")))
    assert await names(api) == await names(api, q="suspend") == await names(api, certification="CCNA") == []
    await station.settle()
    assert await station.base.rows("directory") == []
    body = {"kind": "reinstate", "certification": "CCNA", "reason": "x"}
    for who in ("C1", "C2"):
        await api.staff("POST", f"/cisco/candidates/{who}/decisions", key=f"k-{who}-again", **body)
    await station.settle()
    assert sorted(await names(api, certification="CCNA")) == ["revoke Ångström", "suspend Ångström"]


async def test_choice_counts_though_the_index_has_not_heard_of_it(station: CertsStation, api: Callers) -> None:
    await listed(station, api)
    await station.base.database["sharing"].update_one({"_id": "C1"}, {"$set": {"directory": False}})
    assert (await names(api), len(await station.base.rows("directory"))) == ([], 1)


async def test_expired_one_is_gone_on_the_day(station: CertsStation, api: Callers) -> None:
    await listed(station, api)
    station.base.clock.advance(timedelta(days=10 * 365))
    assert await names(api) == []


async def test_change_of_name_and_country_moves_the_entry(station: CertsStation, api: Callers) -> None:
    await listed(station, api)
    await station.take(profile(version=4, given_name="Zoë", family_name="Berg", country="NO"))
    assert await names(api) == ["Zoë Berg"]
    await station.settle()
    assert await names(api, q="berg", country="NO") == ["Zoë Berg"]
    assert await names(api, q="angstrom") == await names(api, country="US") == []


async def test_person_who_is_known_late_is_in_it_then(station: CertsStation, api: Callers) -> None:
    await station.take(received(passed()))
    await choose(api, "C1", **LISTED)
    await station.settle()
    assert await names(api) == []
    await station.take(registered())
    await station.settle()
    assert await names(api) == ["Zoë Ångström"]


async def test_one_person_has_one_entry(station: CertsStation, api: Callers) -> None:
    await listed(station, api, "C1", given_name="Zoë")
    await listed(station, api, "C2", given_name="Zoe")
    await station.take(received(merged("C1", "C2", TAKEN)))
    assert await names(api) == ["Zoe Ångström"]
    await station.settle()
    assert [row["_id"] for row in await station.base.rows("directory")] == ["C2"]
    await station.take(received(separated("C1", "C2", TAKEN + timedelta(hours=1))))
    await station.settle()
    assert sorted(await names(api)) == ["Zoe Ångström", "Zoë Ångström"]


async def test_erased_one_is_gone_at_once(base_of: OpenBase, programs: dict[str, Program]) -> None:
    async with base_of("certs") as base:
        privacy, station = PrivacyStation(base, programs), CertsStation(base, programs)
        async with station.api() as api:
            await listed(station, api)
            await privacy.erase("C1")
            assert await names(api) == []
            assert await base.rows("directory") == []
            await station.settle()
            assert await base.rows("directory") == []


async def test_searches_of_one_address_are_limited(station: CertsStation, api: Callers) -> None:
    for _ in range(120):
        assert (await api.anybody(HERE))[0] == 200
    status, problem = await api.anybody(HERE)
    assert (status, problem["type"]) == (429, "urn:certrail:problem:too-many-requests")
    assert (await api.anybody(HERE, sender="203.0.113.7"))[0] == 200
    page = await api.raw(HERE, accept="text/html")
    assert (page.status, int(page.headers["Retry-After"]) > 0) == (429, True)
    assert "Too many searches" in await page.text()


async def test_page_is_complete_without_a_script_and_not_for_search_engines(
    station: CertsStation, api: Callers
) -> None:
    await listed(station, api, given_name="<b>Zoë</b>")
    response = await api.raw(HERE, accept="text/html,*/*;q=0.8")
    text = await response.text()
    assert (response.status, response.content_type) == (200, "text/html")
    assert "&lt;b&gt;Zoë&lt;/b&gt; Ångström" in text
    assert "<script" not in text
    assert " style=" not in text
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Cache-Control"] == "no-store"
    assert "script-src" not in response.headers["Content-Security-Policy"]
    assert 'value="&#34;&gt;&lt;i&gt;"' in await (await api.raw(HERE, accept="text/html", q='"><i>')).text()
    assert (await api.anybody(HERE.replace("cisco", "juniper"), accept="text/html"))[0] == 404
    assert (await api.anybody(HERE, accept="text/html", cursor="bm8"))[0] == 422
