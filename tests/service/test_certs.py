"""Certs through its handlers on a real database: awarded, corrected and expired, each told once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from libs.common.bus.messages import Received
from libs.common.clock import FixedClock
from libs.common.errors import Unavailable, Unprocessable
from libs.common.events import exams
from libs.common.programs import Program, load_definition
from services.certs.expiry import ExpirySweep
from services.certs.policies import Policies
from services.certs.reevaluation import Reevaluation
from services.certs.store import CertsStore
from tests.service.certs_station import CertsStation
from tests.service.conftest import OpenBase
from tests.service.rig import Base
from tests.service.samples import CERTIFICATION, failed, invalidated, passed, received
from tests.service.test_exams import said

EXPIRES = date(2028, 3, 10)
"""Three years after the pass of the samples."""


class Certs:
    """The service's handler and sweep, and what they have said."""

    def __init__(self, base: Base, programs: dict[str, Program]) -> None:
        self.base = base
        self.programs = programs
        self.store = store = CertsStore(base.database)
        policies = Policies(store, programs, base.clock)
        self.handler = CertsStation(base, programs).on_events
        self.sweep = ExpirySweep(store, policies, programs, base.unit_of_work)
        self.reevaluation = Reevaluation(store, policies, programs, base.unit_of_work)

    @property
    def clock(self) -> FixedClock:
        return self.base.clock

    async def take(self, *items: Received[Any]) -> None:
        await self.base.handle(self.handler, *items)

    def told(self, candidate_id: str = "C1") -> list[tuple[str, str]]:
        """Type and certification of each event about a candidate, in order of their versions."""
        about = [event for event in said(self.base) if event["subject"] == candidate_id]
        about.sort(key=lambda event: int(event["subjectversion"]))
        assert len({event["subjectversion"] for event in about}) == len(about)
        return [(event["type"].split(".")[-2], event["data"].get("certification", "")) for event in about]

    async def ledger(self, candidate_id: str = "C1") -> dict[str, Any]:
        (row,) = await self.base.rows("candidates", _id=candidate_id)
        return row

    async def held(self, candidate_id: str = "C1") -> dict[str, tuple[str, str | None]]:
        """Earned and expiry by certification."""
        row = await self.ledger(candidate_id)
        return {entry["certification"]: (entry["earned_on"], entry["expires_on"]) for entry in row["certifications"]}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture
async def service(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[Certs]:
    async with base_of("certs") as base:
        yield Certs(base, dict(programs))


AWARDED = ("CertificationAwarded", CERTIFICATION)
REVOKED = ("CertificationRevoked", CERTIFICATION)
EXPIRING = ("CertificationExpiring", CERTIFICATION)
EXPIRED = ("CertificationExpired", CERTIFICATION)
RENEWED = ("CertificationRenewed", CERTIFICATION)


async def test_pass_awards_with_its_reason(service: Certs) -> None:
    await service.take(received(passed()))
    assert service.told() == [AWARDED]
    assert await service.held() == {CERTIFICATION: ("2025-03-10", EXPIRES.isoformat())}
    (event,) = said(service.base)
    assert "2025" in event["data"]["because"]


async def test_fail_awards_nothing_and_is_remembered(service: Certs) -> None:
    await service.take(received(failed()))
    assert service.told() == []
    assert (await service.held(), len((await service.ledger())["facts"])) == ({}, 1)


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
async def test_pass_told_again_awards_once(service: Certs, together: bool) -> None:
    event, told_anew = received(passed()), received(passed())
    if together:
        await service.take(event, event, told_anew)
    else:
        for one in (event, event, told_anew):
            await service.take(one)
    assert service.told() == [AWARDED]
    assert len((await service.ledger())["facts"]) == 1


async def test_workers_with_the_same_pass_award_once(service: Certs) -> None:
    for n in range(10):
        await asyncio.gather(*(service.take(received(passed(f"C{n}", f"R{n}"))) for _ in range(3)))
        assert service.told(f"C{n}") == [AWARDED]


async def test_invalidated_result_revokes(service: Certs) -> None:
    await service.take(received(passed()))
    await service.take(received(invalidated()))
    assert service.told() == [AWARDED, REVOKED]
    assert await service.held() == {}


async def test_invalidation_before_its_pass_awards_nothing(service: Certs) -> None:
    await service.take(received(invalidated()))
    await service.take(received(passed()))
    assert service.told() == []
    assert await service.held() == {}


async def test_revision_to_a_fail_revokes_and_back_awards_again(service: Certs) -> None:
    def revised(revision: int, grade: str) -> Received[Any]:
        fields = passed().model_dump(exclude={"score", "passing_score"})
        changes = {"revision": revision, "grade": grade, "previous_grade": "pass"}
        return received(exams.ExamResultRevised(**fields | changes))

    await service.take(received(passed()))
    await service.take(revised(2, "fail"))
    assert service.told() == [AWARDED, REVOKED]
    await service.take(revised(3, "pass"))
    assert service.told() == [AWARDED, REVOKED, AWARDED]


async def test_second_pass_renews(service: Certs) -> None:
    await service.take(received(passed()))
    later = {"taken_on": date(2026, 5, 1), "taken_at": datetime(2026, 5, 1, 9, tzinfo=UTC)}
    await service.take(received(passed("C1", "R2", **later)))
    told = service.told()
    assert told[0] == AWARDED
    assert set(told[1:]) <= {RENEWED}
    (_, expires), *_ = (await service.held()).values()
    assert expires is not None
    assert expires >= EXPIRES.isoformat()


async def test_expiry_is_told_once_and_on_its_day_in_the_programs_time_zone(service: Certs) -> None:
    await service.take(received(passed()))
    # The last active day is over at midnight in Los Angeles, eight hours after midnight in UTC.
    service.clock.advance(datetime(2028, 3, 11, 7, 59, tzinfo=UTC) - service.clock.now())
    await service.sweep.run()
    assert service.told() == [AWARDED, EXPIRING]
    before = await service.ledger()
    await service.sweep.run()
    assert await service.ledger() == before, "it is not due yet"
    service.clock.advance(timedelta(minutes=2))
    await service.sweep.run()
    assert service.told() == [AWARDED, EXPIRING, EXPIRED]
    for _ in range(3):
        service.clock.advance(timedelta(days=1))
        await service.sweep.run()
    assert service.told() == [AWARDED, EXPIRING, EXPIRED]


async def test_each_reminder_day_is_told_once_and_only_its_own_day_is_swept(service: Certs) -> None:
    await service.take(received(passed()))
    assert (await service.ledger())["next_transition_on"] == "2027-03-11"
    for day in ("2027-03-11", "2027-12-11", "2028-01-10", "2028-02-09"):
        service.clock.advance(datetime.fromisoformat(f"{day}T12:00:00+00:00") - service.clock.now())
        await asyncio.gather(service.sweep.run(), service.sweep.run())
        service.clock.advance(timedelta(days=1))
        await service.sweep.run()
    assert service.told() == [AWARDED, *[EXPIRING] * 4]
    left = [event["data"]["days_left"] for event in said(service.base) if "CertificationExpiring" in event["type"]]
    assert sorted(left, reverse=True) == [365, 90, 60, 30]
    assert (await service.ledger())["next_transition_on"] == "2028-03-11"


async def test_renewed_certification_is_reminded_of_by_its_new_expiry_only(service: Certs) -> None:
    await service.take(received(passed()))
    service.clock.advance(datetime(2027, 3, 11, 20, tzinfo=UTC) - service.clock.now())  # a reminder day
    later = {"taken_on": date(2027, 3, 10), "taken_at": datetime(2027, 3, 10, 9, tzinfo=UTC)}
    await service.take(received(passed("C1", "R2", **later)))
    await service.sweep.run()
    assert service.told() == [AWARDED, RENEWED]
    assert (await service.ledger())["next_transition_on"] == "2028-03-10", "two years before 10 March 2030"


async def test_two_sweeps_at_the_same_moment_tell_an_expiry_once(service: Certs) -> None:
    await service.take(*(received(passed(f"C{n}", f"R{n}")) for n in range(20)))
    service.clock.advance(datetime(2028, 3, 12, tzinfo=UTC) - service.clock.now())
    await asyncio.gather(service.sweep.run(), service.sweep.run(), service.sweep.run())
    for n in range(20):
        assert service.told(f"C{n}") == [AWARDED, EXPIRED]


async def test_sweep_touches_only_what_is_due(service: Certs) -> None:
    await service.take(received(passed("C1", "R1")))
    later = {"taken_on": date(2026, 6, 1), "taken_at": datetime(2026, 6, 1, 9, tzinfo=UTC)}
    await service.take(received(passed("C2", "R2", **later)))
    service.clock.advance(datetime(2028, 3, 1, tzinfo=UTC) - service.clock.now())
    await service.sweep.run()
    untouched = await service.ledger("C2")
    service.clock.advance(datetime(2028, 3, 12, tzinfo=UTC) - service.clock.now())
    await service.sweep.run()
    assert service.told("C1") == [AWARDED, EXPIRING, EXPIRED]
    assert await service.ledger("C2") == untouched


async def test_more_than_a_slice_is_swept_whole(service: Certs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExpirySweep, "SLICE", 4)
    await service.take(*(received(passed(f"C{n}", f"R{n}")) for n in range(10)))
    service.clock.advance(datetime(2028, 3, 12, tzinfo=UTC) - service.clock.now())
    await service.sweep.run()
    assert sum(service.told(f"C{n}") == [AWARDED, EXPIRED] for n in range(10)) == 10


async def test_pass_learnt_after_the_expiry_awards_nothing_that_is_over(service: Certs) -> None:
    service.clock.advance(datetime(2028, 6, 1, tzinfo=UTC) - service.clock.now())
    await service.take(received(passed()))
    assert service.told() == []
    assert list(await service.held()) == [CERTIFICATION]


async def test_event_of_a_program_we_do_not_have_can_never_be_handled(service: Certs) -> None:
    with pytest.raises(Unprocessable) as refused:
        await service.take(received(passed(), program="nosuch"))
    assert refused.value.code == "unknown_program"


def next_version(program: Program, *replacements: tuple[str, str]) -> Program:
    """The program's definition with changes, as its next version."""
    text = program.definition
    for before, after in ((f"\nversion: {program.version}\n", f"\nversion: {program.version + 1}\n"), *replacements):
        assert before in text
        text = text.replace(before, after, 1)
    return load_definition(text, name="cisco.yaml")


FOUR_YEARS = ("validity: 3 years ", "validity: 4 years ")


async def test_new_policy_is_told_to_everybody_once_a_slice_at_a_time(
    service: Certs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reevaluation, "SLICE", 4)
    await service.take(*(received(passed(f"C{n}", f"R{n}")) for n in range(10)))
    service.programs["cisco"] = next_version(service.programs["cisco"], FOUR_YEARS)
    await asyncio.gather(service.reevaluation.run(), service.reevaluation.run())
    await service.reevaluation.run()
    for n in range(10):
        assert service.told(f"C{n}") == [AWARDED, RENEWED]
        assert (await service.held(f"C{n}"))[CERTIFICATION] == ("2025-03-10", "2029-03-10")
        assert (await service.ledger(f"C{n}"))["policy_version"] == service.programs["cisco"].version


async def test_fact_that_comes_before_the_reevaluation_brings_its_ledger_to_the_new_policy(service: Certs) -> None:
    await service.take(received(passed()))
    service.programs["cisco"] = next_version(service.programs["cisco"], FOUR_YEARS)
    later = {"taken_on": date(2024, 5, 1), "taken_at": datetime(2024, 5, 1, 9, tzinfo=UTC)}
    await service.take(received(failed("C1", "R0", **later)))
    assert service.told() == [AWARDED, RENEWED]
    await service.reevaluation.run()
    assert service.told() == [AWARDED, RENEWED]


async def test_process_with_an_older_policy_leaves_a_ledger_alone(service: Certs) -> None:
    old = service.programs["cisco"]
    await service.take(received(passed()))
    service.programs["cisco"] = next_version(old, FOUR_YEARS)
    await service.reevaluation.run()
    service.programs["cisco"] = old
    with pytest.raises(Unavailable):
        await service.take(received(failed("C1", "R9")))
    service.clock.advance(timedelta(days=3650))
    with pytest.raises(Unavailable):
        await service.sweep.run()
    assert (await service.held())[CERTIFICATION][1] == "2029-03-10"


async def test_definition_that_changes_without_its_version_stops_the_work_and_says_so(service: Certs) -> None:
    await service.take(received(passed()))
    version = service.programs["cisco"].version
    same = (f"\nversion: {version + 1}\n", f"\nversion: {version}\n")
    changed = next_version(service.programs["cisco"], FOUR_YEARS, same)
    restarted = Certs(service.base, {"cisco": changed})
    with pytest.raises(Unavailable, match="raise its version"):
        await restarted.take(received(passed("C2", "R2")))


async def test_publishers_clock_ahead_of_ours_takes_nothing_back(service: Certs) -> None:
    """A fact known "later" than our now was told; the next one, known now, must not forget it."""
    ahead = service.clock.now() + timedelta(minutes=1)
    await service.take(received(passed(known_at=ahead)))
    await service.take(received(failed("C1", "R2", exam_code="350-401", known_at=service.clock.now())))
    await service.sweep.run()
    assert service.told() == [AWARDED]
    assert await service.held() == {CERTIFICATION: ("2025-03-10", EXPIRES.isoformat())}
