"""What staff are shown before they merge two accounts is what the merge then gives."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from libs.common.clock import FixedClock
from libs.common.programs import Program
from tests.service.certs_station import CertsStation
from tests.service.conftest import OpenBase
from tests.service.samples import failed, passed, received
from tests.unit.certs.desk import merged

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PREVIEW = "/cisco/merge-preview?from=A&into=B"
CORE, CONCENTRATION, CCNA = "350-401", "300-410", "200-301"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[CertsStation]:
    async with base_of("certs") as base:
        yield CertsStation(base, programs)


def took(who: str, number: int, exam: str, day: date) -> Any:
    moment = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    times = {"taken_on": day, "taken_at": moment, "known_at": moment + timedelta(hours=1)}
    return received(passed(who, f"R{number}", exam_code=exam, **times))


HISTORIES: dict[str, list[Any]] = {
    "halves of one certification": [
        took("A", 1, CORE, date(2025, 3, 1)),
        took("B", 2, CONCENTRATION, date(2025, 9, 1)),
    ],
    "one renews what the other earned": [took("A", 1, CCNA, date(2022, 1, 10)), took("B", 2, CORE, date(2024, 12, 1))],
    "the same certification twice": [took("A", 1, CCNA, date(2025, 5, 1)), took("B", 2, CCNA, date(2024, 5, 1))],
    "nothing on one side": [took("A", 1, CCNA, date(2025, 5, 1))],
    "only a fail on one side": [took("A", 1, CCNA, date(2025, 5, 1)), received(failed("B", "R2"))],
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES.keys())
async def test_preview_is_what_the_merge_gives(station: CertsStation, history: list[Any]) -> None:
    await station.take(*history)
    before = await station.base.rows("candidates")
    async with station.api() as api:
        status, preview = await api.staff("GET", PREVIEW)
        assert status == 200
        held = await holdings(api, "B")
        assert await station.base.rows("candidates") == before, "looking changes nothing"
        await station.take(received(merged("A", "B", NOW)))
        after = await holdings(api, "B")
    promised = {each["certification"]: each["expires_on"] for each in preview["certifications"]}
    assert promised == {name: entry["expires_on"] for name, entry in after.items()}
    told = {each["certification"] for each in preview["changes_for_survivor"]}
    assert told == {name for name in after.keys() | held.keys() if after.get(name) != held.get(name)}


async def test_halves_of_two_accounts_show_what_neither_holds(station: CertsStation) -> None:
    await station.take(*HISTORIES["halves of one certification"])
    async with station.api() as api:
        _, preview = await api.staff("GET", PREVIEW)
        gained = [
            {each["certification"] for each in preview[changes] if each["kind"] == "gained"}
            for changes in ("changes_for_survivor", "changes_for_merged")
        ]
        assert gained == [{"CCNP-Enterprise", "Specialist-350-401"}, {"CCNP-Enterprise", "Specialist-300-410"}]
        assert (await api.candidate("GET", PREVIEW, who="A"))[0] == 403


async def holdings(api: Any, who: str) -> dict[str, dict[str, Any]]:
    _, found = await api.staff("GET", f"/cisco/candidates/{who}/certifications")
    return {
        each["certification"]: {name: each[name] for name in ("status", "earned_on", "expires_on")}
        for each in found["certifications"]
    }
