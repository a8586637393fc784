"""Certs' mirror of people, and what they let others see."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given

from libs.common.mongo.people import People, Person
from libs.common.programs import Program
from services.certs.people.sharing import Sharing, SharingSettings
from tests.service.certs_station import CertsStation
from tests.service.conftest import OpenBase
from tests.service.outgoing_station import person, profile
from tests.service.privacy_station import PrivacyStation
from tests.service.samples import TAKEN, passed, received
from tests.service.test_order import BOUNDED, arrivals
from tests.unit.certs.desk import merged, separated

ME = "/cisco/candidates/C1/sharing"
OFF = {"directory": False, "name_in_badges": False, "native_name": False}
ON = {"directory": True, "name_in_badges": True, "native_name": True}
_candidates = count(1)


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[CertsStation]:
    async with base_of("certs") as base:
        yield CertsStation(base, programs)


def registered(candidate_id: str = "C1", version: int = 1, **changes: Any) -> Any:
    item = received(person(candidate_id, **changes))
    return replace(item, event=item.event.model_copy(update={"subjectversion": version}))


async def people(station: CertsStation, *candidates: str) -> dict[str, str]:
    found = await People(station.base.database).several(candidates)
    return {one: each.name for one, each in found.items()}


async def test_person_is_known_from_the_registration_on(station: CertsStation) -> None:
    await station.take(registered(), registered("C2", given_name="Ada"), received(passed()))
    assert await people(station, "C1", "C2", "C3") == {"C1": "Zoë Ångström", "C2": "Ada Ångström"}
    known = People(station.base.database)
    assert await known.get("cisco", "C1") == Person(
        "cisco", "C1", "Zoë", "Ångström", None, "c1@example.com", "US", None
    )
    assert await known.get("juniper", "C1") is None


async def test_profile_that_is_faster_than_the_registration_stays(station: CertsStation) -> None:
    native = {"native_given_name": "太郎", "native_family_name": "山田"}
    await station.take(profile(version=7, given_name="Taro", family_name="Yamada", country="JP", **native))
    await station.take(registered(), registered("C2"))
    found = await People(station.base.database).get("cisco", "C1")
    assert found is not None
    assert (found.name, found.native_name, found.country) == ("Taro Yamada", "山田 太郎", "JP")
    assert (found.shown(native=True), found.shown(native=False)) == ("山田 太郎", "Taro Yamada")
    assert await people(station, "C2") == {"C2": "Zoë Ångström"}, "the others of the batch are not lost with it"


@BOUNDED
@given(batches=arrivals(4))
async def test_latest_version_counts_in_any_order(
    base_of: OpenBase, programs: dict[str, Program], batches: list[list[int]]
) -> None:
    who = f"C{next(_candidates)}x"
    said = [registered(who), *(profile(who, version=at, given_name=f"Ada{at}") for at in (3, 5, 9))]
    async with base_of("certs") as base:
        station = CertsStation(base, programs)
        for batch in batches:
            await station.take(*(said[at] for at in batch))
        assert await people(station, who) == {who: "Ada9 Ångström"}


async def test_take_names_those_of_whom_something_has_changed(station: CertsStation) -> None:
    async def take(*items: Any) -> list[str]:
        known = People(station.base.database)
        return await station.base.unit_of_work.run(lambda transaction: known.take(transaction, items))

    assert await take(registered(), registered("C2")) == ["C1", "C2"]
    assert await take(profile(version=4), profile("C3", version=4), registered("C2")) == ["C1", "C3"]
    assert await take(profile(version=3), profile("C2", version=9)) == ["C2"]


async def test_candidate_shares_nothing_until_they_choose(station: CertsStation) -> None:
    await station.take(registered(), received(passed()))
    kept = SharingSettings(station.base.database)
    async with station.api() as api:
        assert await api.candidate("GET", ME) == (200, OFF)
        assert await kept.get("cisco", "C1") == Sharing(directory=False, name_in_badges=False, native_name=False)
        assert await api.candidate("PUT", ME, **ON) == (200, ON)
        assert await api.candidate("GET", ME) == (200, ON)
        assert await kept.get("cisco", "C1") == Sharing(directory=True, name_in_badges=True, native_name=True)
        assert await kept.get("juniper", "C1") == Sharing()
        assert await api.candidate("PUT", ME, **OFF | {"directory": True}) == (200, OFF | {"directory": True})
        status, problem = await api.candidate("PUT", ME, directory=True)
        assert (status, problem["errors"][0]["path"]) == (422, "body.name_in_badges")


async def test_only_the_candidate_chooses(station: CertsStation) -> None:
    async with station.api() as api:
        assert (await api.staff("PUT", ME, **ON))[0] == 403
        assert (await api.candidate("PUT", ME, who="C2", **ON))[0] == 404
        assert await api.staff("GET", ME) == (200, OFF)
    assert await station.base.rows("sharing") == []


async def test_choice_of_the_account_that_goes_on_counts(station: CertsStation) -> None:
    await station.take(received(passed("C1", "R1")), received(passed("C2", "R2")))
    async with station.api() as api:
        await api.candidate("PUT", ME, **ON)
        await station.take(received(merged("C1", "C2", TAKEN)))
        assert await api.candidate("GET", ME) == (200, OFF)
        assert await api.candidate("PUT", ME, **OFF | {"native_name": True}) == (200, OFF | {"native_name": True})
        await station.take(received(separated("C1", "C2", TAKEN + timedelta(hours=1))))
        assert await api.candidate("GET", ME) == (200, ON)
        assert await api.candidate("GET", ME.replace("C1", "C2"), who="C2") == (200, OFF | {"native_name": True})


async def test_nothing_of_somebody_erased_is_known(base_of: OpenBase, programs: dict[str, Program]) -> None:
    async with base_of("certs") as base:
        station = PrivacyStation(base, programs)
        certs = CertsStation(base, programs)
        await station.take(registered(), registered("C2"))
        async with certs.api() as api:
            await api.candidate("PUT", ME, **ON)
        files = await station.exported("C1")
        assert {name: files["sharing.json"][0][name] for name in ON} == ON
        await station.erase("C1")
        await station.take(registered(version=1), profile(version=12))
        assert [row["_id"] for row in await base.rows("people")] == ["C2"]
        assert await base.rows("sharing") == []
