"""What a badge provider says of itself, in web hooks, in lists and over the bus, and who sees what of it."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from libs.common.events import vendors
from libs.common.privacy.holdings import Person
from services.certs.privacy import HOLDINGS
from services.certs.provider.hooks_api import HooksApi
from tests.service.badge_provider import ORGANIZATION, BadgeProviderUnderTest, badge_provider
from tests.service.badge_station import HOOK, BadgeStation, with_provider
from tests.service.conftest import OpenBase
from tests.service.outgoing_station import person, profile
from tests.service.privacy_station import PrivacyStation
from tests.service.samples import passed, received, reported
from tests.service.test_badge_provider import HOUR, WITHOUT, given

MINE = "/cisco/candidates/C1/provider-badges"
STAFF = "/cisco/badge-provider"


@pytest.fixture
async def provider() -> AsyncIterator[BadgeProviderUnderTest]:
    async with badge_provider() as opened:
        yield opened


@pytest.fixture
async def station(base_of: OpenBase, provider: BadgeProviderUnderTest, tmp_path: Path) -> AsyncIterator[BadgeStation]:
    async with base_of("certs") as base:
        yield BadgeStation(base, provider, tmp_path)


async def hook(api: Any, event_id: str, *, token: str = HOOK, program: str = "cisco", **changes: Any) -> int:
    body = {
        "id": event_id,
        "organization_id": ORGANIZATION,
        "event_type": "badge.state_changed",
        "occurred_at": "2026-11-22T12:00:00Z",
    } | changes
    answer = await api.post(f"/programs/{program}/badge-provider/hooks/{token}", body)
    return int(answer.status)


async def states(station: BadgeStation) -> list[str]:
    async with station.api() as api:
        status, found = await api.candidate("GET", MINE)
        assert status == 200
        return [one["state"] for one in found["items"]]


# --- Web hooks -------------------------------------------------------------------------------------------------------


async def test_a_hook_leads_to_the_badge_as_it_is_now_in_whatever_order_hooks_come(station: BadgeStation) -> None:
    badge = await given(station)
    assert await states(station) == ["pending"]
    accepted = station.provider.accept(badge["id"])
    rejected = station.provider.accept(badge["id"], "rejected")
    async with station.api() as api:
        assert [await hook(api, one) for one in (rejected, accepted, rejected)] == [200] * 3
        await station.round()
        assert await states(station) == ["rejected"]
        station.provider.badges[badge["id"]]["state"] = "accepted"
        assert await hook(api, accepted) == 200
        asked = len(station.provider.requests)
        await station.round()
        assert len(station.provider.requests) == asked, "an event that came before says nothing again"
        async with station.api() as other:
            _, found = await other.candidate("GET", MINE)
            assert found["items"][0]["url"] == f"https://badges.example/{badge['id']}"


async def test_what_a_hook_says_itself_is_not_believed(station: BadgeStation) -> None:
    badge = await given(station)
    async with station.api() as api:
        forged = str(uuid4())
        assert await hook(api, forged, badge={"id": badge["id"], "state": "revoked"}) == 200
        await station.round()
    assert await states(station) == ["pending"]


async def test_only_who_knows_the_address_is_heard(station: BadgeStation) -> None:
    async with station.api() as api:
        for wrong in (HOOK[:-1], HOOK + "x", "x"):
            assert await hook(api, "e1", token=wrong) == 401
        assert await hook(api, "e1", program="juniper") == 401
        assert await hook(api, "../x") == 422
        assert await hook(api, "e1", organization_id="other") == 200
        assert await hook(api, "e2", event_type="badge_template.changed") == 200
        assert await station.base.rows("provider_hooks") == []
        station.own["cisco"] = with_provider(station.provider.url, webhook_secret="missing-one")
        assert await hook(api, "e1") == 503
        station.own["cisco"] = WITHOUT
        assert await hook(api, "e1") == 401


async def test_a_flood_of_hooks_is_turned_away(station: BadgeStation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HooksApi, "MOST", 2)
    async with station.api() as api:
        assert [await hook(api, f"e{number}") for number in range(3)] == [200, 200, 429]
        await station.round()
        assert await hook(api, "e9") == 200


async def test_an_event_that_cannot_be_had_holds_up_nothing_and_is_asked_for_again(station: BadgeStation) -> None:
    badge = await given(station)
    event = station.provider.accept(badge["id"])
    station.provider.reading = ["500", "500"]
    async with station.api() as api:
        assert await hook(api, event) == 200
    await station.take(received(person("C2")), received(passed("C2", "R2")))
    await station.round()
    await station.round()
    assert len(station.provider.standing()) == 2, "the event waits, and what is to be sent does not"
    await station.later()
    await station.later()
    assert await states(station) == ["accepted"]


# --- Comparing -------------------------------------------------------------------------------------------------------


async def test_a_comparison_finds_what_differs_and_staff_have_it_mended(station: BadgeStation) -> None:
    for number in range(1, 6):
        await station.take(received(person(f"C{number}")), received(passed(f"C{number}", f"R{number}")))
    await station.round()
    await station.later(HOUR)
    by_mail = {one["recipient_email"]: one for one in station.provider.standing()}
    assert len(by_mail) == 5
    station.provider.badges[by_mail["c1@example.com"]["id"]]["state"] = "accepted"
    station.provider.badges[by_mail["c2@example.com"]["id"]]["state"] = "revoked"
    del station.provider.badges[by_mail["c3@example.com"]["id"]]
    stray = by_mail["c4@example.com"] | {"id": "stray", "issuer_earner_id": f"{uuid4()}.1"}
    foreign = stray | {"id": "foreign", "issuer_earner_id": "employee-7"}
    station.provider.badges |= {"stray": stray, "foreign": foreign}
    await station.later(HOUR)
    await station.exchange.run()
    assert await states(station) == ["accepted"]
    async with station.api() as api:
        _, page = await api.staff("GET", f"{STAFF}/troubles?limit=1")
        _, rest = await api.staff("GET", f"{STAFF}/troubles?limit=1&cursor={page['next']}")
        troubles = {one["candidate_id"]: one for one in (*page["items"], *rest["items"])}
        assert {who: one["kind"] for who, one in troubles.items()} == {"C2": "revoked_there", "C3": "missing_there"}
        _, strays = await api.staff("GET", f"{STAFF}/strays")
        assert [one["badge_id"] for one in strays["items"]] == ["stray"]
        _, seen = await api.staff("GET", STAFF)
        assert (seen["on"], seen["trouble"], seen["waiting"]) == (True, 2, 0)
        for one in troubles.values():
            status, _ = await api.staff("POST", f"{STAFF}/troubles/{one['trouble_id']}/retry")
            assert status == 200
    await station.round()
    assert {one["recipient_email"] for one in station.provider.standing() if one["id"] not in {"stray", "foreign"}} == {
        f"c{number}@example.com" for number in range(1, 6)
    }
    assert not station.provider.doubles()
    del station.provider.badges["stray"]
    await station.later(HOUR)
    async with station.api() as api:
        assert (await api.staff("GET", f"{STAFF}/strays"))[1]["items"] == []
        assert (await api.staff("GET", f"{STAFF}/troubles"))[1]["items"] == []


async def test_after_a_restored_backup_badges_are_found_again_and_none_is_doubled(station: BadgeStation) -> None:
    """Nothing is known of what was sent, and the provider has it all."""
    badge = await given(station)
    for collection in ("provider_badges", "provider_states", "provider_notes"):
        await station.base.database[collection].delete_many({})
    station.provider.fates = ["422"]
    await station.later(HOUR)
    await station.later(HOUR)
    assert station.provider.standing() == [station.provider.badges[badge["id"]]]
    assert (await station.chain())["links"][0]["badge"]["badge_id"] == badge["id"]


async def test_a_page_that_cannot_be_read_loses_no_other(station: BadgeStation) -> None:
    await given(station)
    station.provider.reading = ["junk"]
    await station.later(HOUR)
    (state,) = await station.base.rows("provider_states")
    assert (state["walk"], state["failures"]) == (None, 0)
    station.provider.reading = ["500"]
    await station.later(HOUR)
    await station.later()
    (state,) = await station.base.rows("provider_states")
    assert (state["walk"], state["failures"]) == (None, 0)


# --- Over the bus ----------------------------------------------------------------------------------------------------


async def test_reports_over_the_bus_count_by_their_moment(station: BadgeStation) -> None:
    badge = await given(station)
    now = station.base.clock.now()

    def said(state: str, after: int, vendor: str = "credly") -> Any:
        data = vendors.BadgeReported(
            badge_id=badge["id"],
            state=state,  # type: ignore[arg-type]
            at=now + timedelta(seconds=after),
            public_url="https://badges.example/public",
        )
        return reported(data, vendor=vendor)

    station.base.clock.advance(timedelta(seconds=30))
    await station.take_reports(said("rejected", 9, "vue"))
    assert await states(station) == ["pending"], "another vendor has no say"
    await station.take_reports(said("rejected", 9), said("accepted", 5))
    assert await states(station) == ["rejected"]
    await station.take_reports(said("accepted", 10), said("accepted", 10))
    async with station.api() as api:
        _, found = await api.candidate("GET", MINE)
        assert [(one["state"], one["url"]) for one in found["items"]] == [("accepted", "https://badges.example/public")]


# --- Who sees what, and what is forgotten ----------------------------------------------------------------------------


async def test_strangers_see_nothing(station: BadgeStation) -> None:
    await given(station)
    async with station.api() as api:
        assert (await api.candidate("GET", MINE, who="C2"))[0] == 404
        assert (await api.staff("GET", "/cisco/candidates/C9/provider-badges"))[0] == 404
        for path in (STAFF, f"{STAFF}/troubles", f"{STAFF}/strays"):
            assert (await api.candidate("GET", path))[0] == 403
            assert (await api.staff("GET", path, program="juniper"))[0] == 404


async def test_erasure_takes_badges_back_and_forgets_the_person(station: BadgeStation) -> None:
    badge = await given(station)
    await station.take(profile(version=5, family_name="Zander"))
    station.provider.fates = ["acted cut"]
    await station.round()
    (standing,) = station.provider.standing()
    assert standing["id"] != badge["id"], "what was done is not known yet"
    erased = PrivacyStation(station.base, station.own).erased("C1")
    await station.take(received(erased))
    assert "C1" not in str(await station.base.rows("provider_badges"))
    await station.later()
    assert station.provider.standing() == []
    assert await station.base.rows("provider_badges") == []
    await station.later(HOUR)
    assert await station.base.rows("provider_badges") == []
    assert station.provider.standing() == []


async def test_what_is_held_is_told(station: BadgeStation) -> None:
    badge = await given(station)
    told = await HOLDINGS.records(station.base.database, Person(["C1"]))
    (chain,) = json.loads(told["provider_badges.json"])
    assert chain["links"][0]["badge"]["badge_id"] == badge["id"]
