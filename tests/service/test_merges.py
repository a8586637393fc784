"""Merges and separations through certs on a real database, and what its API shows of them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from libs.common.bus import topology
from libs.common.clock import FixedClock
from libs.common.http.principal import Kind, Principal
from libs.common.programs import Program
from services.certs.dryrun_store import DryRunStore
from tests.service.conftest import OpenBase
from tests.service.rig import Rigs, eventually
from tests.service.samples import failed, outgoing, passed, received
from tests.service.test_certs import AWARDED, EXPIRED, REVOKED, Certs
from tests.service.test_outlook import api, staff
from tests.unit.certs.desk import merged, separated

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
T1, T2 = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
SECOND = "CCNA-Cybersecurity"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def service(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[Certs]:
    async with base_of("certs") as base:
        yield Certs(base, dict(programs))


def candidate(candidate_id: str) -> Principal:
    return Principal(
        f"candidate:{candidate_id}",
        Kind.CANDIDATE,
        frozenset({"cisco"}),
        frozenset({"certs:read"}),
        candidate_id=candidate_id,
    )


def cybersecurity(candidate_id: str, result_id: str, **more: Any) -> Any:
    return passed(candidate_id, result_id, exam_code="200-201", **more)


async def test_merged_account_leaves_everything_but_its_id(service: Certs) -> None:
    flagged = failed("A", "F", exam_code="no-such")
    await service.take(received(passed("A", "R1")), received(flagged), received(cybersecurity("B", "R2")))
    await service.take(received(merged("A", "B", T1)))
    assert (service.told("A"), service.told("B")) == ([AWARDED], [("CertificationAwarded", SECOND), AWARDED])
    totals = await service.store.totals(["cisco"], {"cisco": "2026-11-22"})
    assert totals == {"candidates": 1, "active": 2, "expired": 0, "suspended": 0, "revoked": 0}
    assert [row["_id"] for row in await service.store.flagged("cisco", after=None, limit=9)] == ["B"]
    assert [row["_id"] for row in await DryRunStore(service.base.database).ledgers("cisco", None, 9)] == ["B"]
    assert await service.store.count_outdated("cisco", 99) == 1
    service.clock.advance(timedelta(days=1200))
    await asyncio.gather(service.sweep.run(), service.sweep.run())
    assert service.told("A") == [AWARDED]
    assert EXPIRED in service.told("B")


async def test_old_id_answers_with_the_account_that_goes_on(service: Certs) -> None:
    await service.take(received(passed("A", "R1")), received(cybersecurity("B", "R2")), received(merged("A", "B", T1)))
    await service.take(received(merged("B", "C", T2)))
    async with api(service.base, service.programs, candidate("A")) as ask:
        _, old = await ask("GET", "cisco/candidates/A/certifications")
        _, milestones = await ask("GET", "cisco/candidates/A/milestones")
        _, progress = await ask("GET", "cisco/candidates/A/progress")
        assert (await ask("GET", "cisco/candidates/C/certifications"))[0] == 404
    async with api(service.base, service.programs, candidate("C")) as ask:
        _, new = await ask("GET", "cisco/candidates/C/certifications")
        assert progress == (await ask("GET", "cisco/candidates/C/progress"))[1]
        seen = await ask("GET", "cisco/candidates/C/certifications/as-seen-on/2026-11-22")
    assert (old, old["candidate_id"], milestones["candidate_id"]) == (new, "C", "C")
    assert {each["certification"] for each in seen[1]["certifications"]} == {"CCNA", SECOND}
    assert "CCNA" not in {goal["certification"] for goal in progress["goals"]}


async def test_day_between_is_shown_as_it_was_and_to_no_stranger(service: Certs) -> None:
    known = {"known_at": datetime(2026, 1, 5, tzinfo=UTC)}
    await service.take(received(passed("A", "R1", **known)), received(cybersecurity("B", "R2", **known)))
    await service.take(received(merged("A", "B", datetime(2026, 3, 1, 20, tzinfo=UTC))))
    await service.take(received(separated("A", "B", datetime(2026, 6, 1, 20, tzinfo=UTC))))

    async def seen(who: Principal, candidate_id: str, day: str) -> Any:
        async with api(service.base, service.programs, who) as ask:
            status, found = await ask("GET", f"cisco/candidates/{candidate_id}/certifications/as-seen-on/{day}")
        if status != 200:
            return status
        return found["candidate_id"], sorted(each["certification"] for each in found["certifications"])

    a, b, both = candidate("A"), candidate("B"), staff("certs:read")
    assert await seen(a, "A", "2026-02-01") == ("A", ["CCNA"])
    assert await seen(b, "B", "2026-04-01") == ("B", ["CCNA", SECOND])
    assert await seen(both, "A", "2026-04-01") == ("B", ["CCNA", SECOND]), "what the old id showed then"
    assert await seen(a, "A", "2026-04-01") == 404, "B is another person after all"
    assert await seen(a, "A", "2026-07-01") == ("A", ["CCNA"])
    assert await seen(b, "B", "2026-07-01") == ("B", [SECOND])


async def test_days_before_a_merge_are_shown_as_each_id_showed_them(service: Certs) -> None:
    known = {"known_at": datetime(2026, 1, 5, tzinfo=UTC)}
    await service.take(received(passed("A", "R1", **known)), received(cybersecurity("B", "R2", **known)))
    await service.take(received(merged("A", "B", datetime(2026, 3, 1, 20, tzinfo=UTC))))
    async with api(service.base, service.programs, candidate("A")) as ask:
        _, before = await ask("GET", "cisco/candidates/A/certifications/as-seen-on/2026-02-01")
        _, after = await ask("GET", "cisco/candidates/A/certifications/as-seen-on/2026-04-01")
    assert (before["candidate_id"], [each["certification"] for each in before["certifications"]]) == ("A", ["CCNA"])
    assert (after["candidate_id"], len(after["certifications"])) == ("B", 2)


async def test_workers_with_results_and_merges_at_once_end_the_same(service: Certs) -> None:
    for n in range(8):
        a, b = f"A{n}", f"B{n}"
        await asyncio.gather(
            service.take(received(passed(a, f"R{n}"))),
            service.take(received(merged(a, b, T1))),
            service.take(received(cybersecurity(b, f"S{n}"))),
            service.take(received(merged(a, b, T1))),
        )
        assert set(await service.held(b)) == {"CCNA", SECOND}
        assert (await service.ledger(a))["merged_into"] == b
        assert len(service.told(b)) == 2


async def test_batch_may_hold_results_merges_and_separations(service: Certs) -> None:
    events = [passed("A", "R1"), merged("A", "B", T1), cybersecurity("B", "R2"), separated("A", "B", T2)]
    await service.take(*map(received, events))
    assert (set(await service.held("A")), set(await service.held("B"))) == ({"CCNA"}, {SECOND})
    assert service.told("B") == [AWARDED, ("CertificationAwarded", SECOND), REVOKED]


async def test_merge_and_separation_come_over_the_bus(rigs: Rigs, programs: dict[str, Program]) -> None:
    async with rigs("certs") as certs, rigs("identity") as identity, rigs("exams") as exams:
        service = Certs(certs, programs)
        async with certs.consuming(topology.events_queue("certs"), service.handler):
            for message in outgoing("exams", [passed("A", "R1")]):
                await exams.publisher.publish(message)
            for message in outgoing("identity", [merged("A", "B", T1)]):
                await identity.publisher.publish(message)

            async def held() -> list[str]:
                rows = await certs.rows("candidates", _id="B")
                return [each["certification"] for row in rows for each in row["certifications"]]

            assert await eventually(held, lambda found: found == ["CCNA"])
            for message in outgoing("identity", [separated("A", "B", T2)]):
                await identity.publisher.publish(message)
            assert await eventually(held, lambda found: found == []) == []


async def test_what_a_plan_assumes_builds_on_all_that_is_held(service: Certs) -> None:
    await service.take(received(passed("A", "R1")), received(merged("A", "B", T1)))
    plan = [{"on": str(date(2027, 3, 10)), "exam": "200-301"}]
    async with api(service.base, service.programs, candidate("A")) as ask:
        _, found = await ask("POST", "cisco/candidates/A/what-if", assume=plan)
        _, renewals = await ask("GET", "cisco/candidates/A/renewals")
    assert {change["kind"] for change in found["changes"]} == {"moved"}
    assert [each["certification"] for each in renewals["renewals"]] == ["CCNA"]
