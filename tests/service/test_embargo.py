"""A held result leaks nowhere: every answer and every event of certs is as it would be without it."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from libs.common.clock import FixedClock
from libs.common.programs import Program
from tests.service.conftest import OpenBase
from tests.service.samples import passed, received
from tests.service.test_certs import Certs
from tests.service.test_exams import said
from tests.service.test_outlook import ME, NOW, api, staff
from tests.unit.certs.test_compensation import revision

HELD = ("R2", "350-401", date(2026, 5, 1))
"""Alone a specialist; with it CCNA would be renewed, and CCNP-Enterprise would lack one exam."""


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def service(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[Certs]:
    async with base_of("certs") as base:
        yield Certs(base, dict(programs))


async def tell(service: Certs, number: int, grade: str, at: datetime | None = None) -> None:
    result_id, code, day = HELD
    event = revision("C1", result_id, number, code, day, grade)
    if at is not None:
        event = event.model_copy(update={"known_at": at})
    await service.take(received(event))


async def shown(service: Certs) -> dict[str, Any]:
    """Every answer that a candidate can get."""
    paths = ["certifications", "progress", "renewals", "milestones"]
    paths += [f"certifications/as-seen-on/{day}" for day in ("2025-03-11", "2026-05-02", "2026-08-01", "2026-11-22")]
    plans = [[{"on": "2026-12-01", "exam": "300-410"}], [{"on": "2028-01-01", "exam": "200-301"}]]
    async with api(service.base, service.programs) as ask:
        found = {path: await ask("GET", f"{ME}/{path}") for path in paths}
        for plan in plans:
            found[str(plan)] = await ask("POST", f"{ME}/what-if", assume=plan)
        assert {status for status, _ in found.values()} == {200}
        assert (await ask("GET", "cisco/flags"))[0] == 403, "flags are for staff"
    return found


def events(service: Certs) -> list[Any]:
    return [(event["type"], event["data"]) for event in said(service.base)]


async def begin(service: Certs) -> None:
    await service.take(received(passed()))


async def test_result_pending_from_the_start_is_nowhere(service: Certs) -> None:
    await begin(service)
    answers, told = await shown(service), events(service)
    await tell(service, 1, "pending")
    await tell(service, 2, "pending")
    assert await shown(service) == answers
    assert events(service) == told
    assert (await service.ledger())["flags"] == []


async def test_candidate_of_whom_only_a_held_result_is_known_looks_like_one_nobody_knows(service: Certs) -> None:
    answers = await shown(service)
    await tell(service, 1, "pending")
    assert (await shown(service), events(service)) == (answers, [])


async def test_sweeps_say_nothing_of_a_held_result(service: Certs) -> None:
    await begin(service)
    await tell(service, 1, "pending")
    service.clock.advance(datetime(2028, 6, 1, tzinfo=UTC) - NOW)
    await service.sweep.run()
    assert {certification for _, certification in service.told()} == {"CCNA"}
    assert service.told()[-1][0] == "CertificationExpired", "the held pass has renewed nothing"


async def test_released_result_is_as_if_it_had_never_been_held(service: Certs) -> None:
    await begin(service)
    await tell(service, 1, "pending")
    await tell(service, 2, "pass")
    held = await shown(service), [data for _, data in events(service)]
    rows = await service.base.rows("candidates")
    await service.base.database["candidates"].delete_many({})
    await service.base.database["outbox"].delete_many({})
    service.base.relay.messages.clear()
    await begin(service)
    await tell(service, 1, "pass")
    assert (await shown(service), [data for _, data in events(service)]) == held
    (row,) = await service.base.rows("candidates")
    assert row["certifications"] == rows[0]["certifications"]
    assert {each["certification"]: each["expires_on"] for each in row["certifications"]} == {
        "CCNA": "2029-05-01",
        "Specialist-350-401": "2029-05-01",
    }


async def test_result_put_on_hold_after_it_counted_is_taken_back_and_then_nowhere(service: Certs) -> None:
    await begin(service)
    plain = await shown(service)
    await tell(service, 1, "pass", NOW - timedelta(days=20))
    assert await shown(service) != plain
    await tell(service, 2, "pending", NOW - timedelta(days=10))
    assert service.told()[-2:] == [
        ("CertificationRevoked", "CCNA"),
        ("CertificationRevoked", "Specialist-350-401"),
    ]
    held = await shown(service)
    for path, answer in plain.items():
        if path != "certifications":  # which says how many events there were
            assert held[path] == answer
    assert held["certifications"][1]["certifications"] == plain["certifications"][1]["certifications"]
    async with api(service.base, service.programs) as ask:
        _, seen = await ask("GET", f"{ME}/certifications/as-seen-on/2026-11-05")
    assert len(seen["certifications"]) == 2, "what was seen before the hold was seen"


async def test_staff_see_no_flag_for_a_held_result(service: Certs) -> None:
    await begin(service)
    await tell(service, 1, "pending")
    async with api(service.base, service.programs, staff("operations:read")) as ask:
        status, page = await ask("GET", "cisco/flags")
    assert (status, page["items"]) == (200, [])
