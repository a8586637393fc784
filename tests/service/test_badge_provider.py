"""The exchange with a badge provider, at the wire: one standing badge a credential, whatever the provider does."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.common.events import exams
from libs.common.programs import load_definition
from services.certs.provider.credly import Credly
from tests.service.badge_provider import BadgeProviderUnderTest, badge_provider
from tests.service.badge_station import CISCO, BadgeStation, with_provider
from tests.service.conftest import OpenBase
from tests.service.outgoing_station import person, profile
from tests.service.samples import invalidated, passed, received

HOUR = timedelta(hours=1, seconds=1)
WITHOUT = load_definition(CISCO, name="cisco.yaml")


@pytest.fixture
async def provider() -> AsyncIterator[BadgeProviderUnderTest]:
    async with badge_provider() as opened:
        yield opened


@pytest.fixture
async def station(base_of: OpenBase, provider: BadgeProviderUnderTest, tmp_path: Path) -> AsyncIterator[BadgeStation]:
    async with base_of("certs") as base:
        yield BadgeStation(base, provider, tmp_path)


async def given(station: BadgeStation) -> dict[str, Any]:
    """C1 holds the CCNA, and the provider has the badge."""
    await station.take(received(person()), received(passed()))
    await station.round()
    (badge,) = station.provider.standing()
    return badge


def restored() -> exams.ExamResultRevised:
    fields = invalidated().model_dump() | {"revision": 3, "grade": "pass", "previous_grade": "invalidated"}
    return exams.ExamResultRevised(**fields)


async def test_an_award_is_issued_with_all_the_provider_needs(station: BadgeStation) -> None:
    badge = await given(station)
    (credential,) = await station.credentials()
    assert badge == {
        "id": badge["id"],
        "state": "pending",
        "replaced": False,
        "recipient_email": "c1@example.com",
        "issued_to_first_name": "Zoë",
        "issued_to_last_name": "Ångström",
        "badge_template_id": "template-1",
        "issuer_earner_id": f"{credential['_id']}.1",
        "issued_at": f"{credential['earned_on']} 00:00:00 -0700",
        "expires_at": badge["expires_at"],
        "locale": "en",
        "suppress_badge_notification_email": False,
        "duplicate_behavior": "deny",
    }
    assert badge["expires_at"].startswith(f"{credential['expires_on']} 23:59:59 ")
    for _ in range(3):
        await station.later(HOUR)
    assert station.provider.sent() == [("POST", "badges")]


async def test_a_program_without_provider_and_a_certification_without_template_send_nothing(
    station: BadgeStation,
) -> None:
    station.own["cisco"] = with_provider(station.provider.url, templates="{CCNP-Enterprise: template-2}")
    await station.take(received(person()), received(passed()))
    await station.round()
    station.own["cisco"] = WITHOUT
    await station.later(HOUR)
    assert station.provider.sent() == []
    # Once it has one, everything that stands is sent, noted or not.
    station.own["cisco"] = with_provider(station.provider.url)
    await station.later(HOUR)
    assert station.provider.sent() == [("POST", "badges")]


async def test_a_provider_that_is_switched_off_is_told_nothing_more(station: BadgeStation) -> None:
    await given(station)
    station.own["cisco"] = WITHOUT
    await station.take(received(invalidated(revision=2)))
    await station.later(HOUR)
    assert station.provider.sent() == [("POST", "badges")]
    station.own["cisco"] = with_provider(station.provider.url)
    await station.later(HOUR)
    assert station.provider.standing() == []


async def test_a_badge_waits_for_its_person(station: BadgeStation) -> None:
    await station.take(received(passed()))
    await station.round()
    assert station.provider.sent() == []
    assert (await station.chain())["error"] == "who it is for is not known yet"
    await station.take(received(person()))
    await station.later()
    assert len(station.provider.standing()) == 1


async def test_a_renewal_replaces_and_a_revocation_revokes_and_a_restoration_issues(station: BadgeStation) -> None:
    first = await given(station)
    station.base.clock.advance(timedelta(days=30))
    core = {"exam_code": "350-401", "taken_on": station.base.clock.now().date()}
    await station.take(received(passed(result_id="R2", **core)))
    await station.round()
    (second,) = [one for one in station.provider.standing() if one["badge_template_id"] == "template-1"]
    renewed = (await station.credentials(certification="CCNA"))[-1]
    assert second["issuer_earner_id"].startswith(renewed["_id"])
    assert station.provider.badges[first["id"]]["replaced"]
    await station.take(received(invalidated()), received(invalidated(result_id="R2", **core)))
    await station.round()
    assert station.provider.standing() == []
    assert not station.provider.doubles()
    await station.take(received(restored()))
    await station.later()
    assert [one["badge_template_id"] for one in station.provider.standing()] == ["template-1"]
    assert (await station.base.rows("provider_badges", **{"trouble.kind": {"$exists": True}})) == []


async def test_another_name_is_a_replacement_at_once(station: BadgeStation) -> None:
    await given(station)
    await station.take(profile(version=5, family_name="Zander"))
    await station.round()
    (badge,) = station.provider.standing()
    assert badge["issued_to_last_name"] == "Zander"
    await station.take(profile(version=6, family_name="Zander", email="new@example.com"))
    await station.later()
    assert station.provider.sent() == [("POST", "badges"), ("POST", "replace")], "an address changes nothing"


# --- A provider that fails -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fate", ["500", "acted 500", "acted cut", "acted slow", "acted junk", "acted other"])
@pytest.mark.parametrize("step", ["issue", "replace", "revoke"])
async def test_one_badge_stands_whatever_becomes_of_a_request(
    station: BadgeStation, fate: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Credly, "SECONDS", 0.3)
    if step == "issue":
        await station.take(received(person()), received(passed()))
    else:
        await given(station)
        change = profile(version=5, family_name="Zander") if step == "replace" else received(invalidated(revision=2))
        await station.take(change)
    station.provider.fates = [fate]
    await station.round()
    before = station.provider.sent()
    await station.exchange.run()
    assert station.provider.sent() == before, "it is not asked about before the lease is over"
    await station.later()
    assert len(station.provider.sent()) == len(before) + (fate == "500"), "what was done is not done again"
    standing = station.provider.standing()
    assert [one["issued_to_last_name"] for one in standing] == {
        "issue": ["Ångström"],
        "replace": ["Zander"],
        "revoke": [],
    }[step]
    chain = await station.chain()
    assert (chain["hand"], chain["due_at"], chain["trouble"]) == (None, None, None)


async def test_a_request_that_arrives_late_after_all_leaves_one_badge(
    station: BadgeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was asked for, not found, sent again under another key, and then the first one was done after all."""
    badge = await given(station)
    late = badge | {"id": "late", "issuer_earner_id": badge["issuer_earner_id"].replace(".1", ".2")}
    station.provider.badges["late"] = late
    assert station.provider.doubles()
    await station.later(HOUR)
    assert [one["id"] for one in station.provider.standing()] == [badge["id"]]


async def test_a_search_that_is_not_honoured_is_no_answer(station: BadgeStation) -> None:
    for number in range(1, 4):
        await station.take(received(person(f"C{number}")), received(passed(f"C{number}", f"R{number}")))
    await station.round()
    station.provider.ignores_filters = True
    station.provider.fates = ["acted cut"]
    await station.take(received(person("C4")), received(passed("C4", "R4")))
    await station.round()
    await station.later()
    assert len(station.provider.sent()) == 4, "what may have been done is not done again"
    station.provider.ignores_filters = False
    await station.later(HOUR)
    assert (len(station.provider.standing()), len(station.provider.sent())) == (4, 4)


async def test_retry_after_is_kept_to(station: BadgeStation) -> None:
    station.provider.fates = ["429"]
    await station.take(received(person()), received(passed()))
    await station.round()
    asked = len(station.provider.requests)
    await station.later(timedelta(minutes=59))
    assert len(station.provider.requests) == asked
    await station.later()
    assert len(station.provider.standing()) == 1


async def test_a_circuit_opens_and_is_tried_with_one_request(station: BadgeStation) -> None:
    for number in range(5):
        await station.take(received(person(f"C{number}")), received(passed(f"C{number}", f"R{number}")))
    station.provider.fates = ["500"] * 4
    for _ in range(3):
        await station.round()
    assert len(station.provider.sent()) == 3
    await station.round()
    assert len(station.provider.sent()) == 3, "nothing is sent while it is open"
    await station.later(timedelta(seconds=11))
    assert len(station.provider.sent()) == 4, "one request, and it failed"
    async with station.api() as api:
        _, found = await api.staff("GET", "/cisco/badge-provider")
        assert (found["failures"], found["error"], found["waiting"]) == (4, "the provider answers 500", 5)
        assert found["silent_until"] is not None
    await station.later(HOUR)
    assert len(station.provider.standing()) == 5
    assert not station.provider.doubles()
    async with station.api() as api:
        _, found = await api.staff("GET", "/cisco/badge-provider")
        assert (found["failures"], found["silent_until"], found["waiting"]) == (0, None, 0)


@pytest.mark.parametrize("fate", ["401", "redirect"])
async def test_where_we_are_not_let_in_nothing_is_lost(station: BadgeStation, fate: str) -> None:
    station.provider.fates = [fate]
    await station.take(received(person()), received(passed()))
    await station.round()
    assert station.provider.standing() == []
    await station.later(HOUR)
    assert len(station.provider.standing()) == 1


async def test_without_the_secret_nothing_is_sent_and_staff_see_why(station: BadgeStation, tmp_path: Path) -> None:
    (tmp_path / "credly-token").unlink()
    await station.take(received(person()), received(passed()))
    await station.round()
    assert station.provider.requests == []
    async with station.api() as api:
        _, found = await api.staff("GET", "/cisco/badge-provider")
        assert found["error"] == "the secret credly-token cannot be read: FileNotFoundError"


async def test_one_badge_that_always_fails_holds_up_no_other(station: BadgeStation) -> None:
    await station.take(received(person()), received(passed()))
    station.provider.fates = ["500"]
    await station.round()
    for number in range(2, 6):
        await station.take(received(person(f"C{number}")), received(passed(f"C{number}", f"R{number}")))
        await station.round()
    assert len(station.provider.standing()) == 4


# --- Refusals --------------------------------------------------------------------------------------------------------


async def test_what_is_refused_for_good_waits_for_a_person_who_tries_again(station: BadgeStation) -> None:
    station.provider.fates = ["422"]
    await station.take(received(person()), received(passed()))
    await station.round()
    for _ in range(2):
        await station.later(HOUR)
    assert len(station.provider.sent()) == 1
    async with station.api() as api:
        _, found = await api.staff("GET", "/cisco/badge-provider/troubles?kind=refused")
        (trouble,) = found["items"]
        assert (trouble["candidate_id"], trouble["text"]) == ("C1", "422 the template is archived")
        assert (await api.staff("GET", "/cisco/badge-provider/troubles?kind=missing_there"))[1]["items"] == []
        _, mine = await api.candidate("GET", "/cisco/candidates/C1/provider-badges")
        assert mine["items"] == []
        path = f"/cisco/badge-provider/troubles/{trouble['trouble_id']}/retry"
        assert (await api.candidate("POST", path))[0] == 403
        assert (await api.staff("POST", path, program="juniper"))[0] == 404
        assert (await api.staff("POST", path))[0] == 200
        assert (await api.staff("POST", path))[0] == 409
    await station.round()
    assert len(station.provider.standing()) == 1


async def test_a_refused_repetition_is_found_and_not_parked(station: BadgeStation) -> None:
    """The provider has it, under the very key, and refuses to make it again."""
    badge = await given(station)
    await station.base.database["provider_badges"].update_one(
        {}, {"$set": {"links.0.badge": None, "editions": 0, "due_at": station.base.clock.now()}}
    )
    await station.round()
    assert station.provider.sent() == [("POST", "badges")] * 2
    chain = await station.chain()
    assert (chain["links"][0]["badge"]["badge_id"], chain["trouble"], chain["hand"]) == (badge["id"], None, None)


async def test_a_badge_that_is_gone_there_needs_no_revocation(station: BadgeStation) -> None:
    badge = await given(station)
    del station.provider.badges[badge["id"]]
    await station.take(received(invalidated(revision=2)))
    await station.round()
    chain = await station.chain()
    assert (chain["links"][0]["badge"]["state"], chain["trouble"], chain["due_at"]) == ("missing", None, None)
