"""What a decision on a result does to certifications: exams and certs, each on a database, joined by what is told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
import pytest

from libs.common.clock import FixedClock
from libs.common.events import EventData, exams
from libs.common.programs import Program
from tests.service.certs_station import CertsStation
from tests.service.challenge_desk import ADA, BEN, RESULT, ChallengeDesk, challenge_desk
from tests.service.conftest import OpenBase
from tests.service.rig import said
from tests.service.samples import CERTIFICATION, TAKEN, received, reported, result

RESULTS: tuple[type[EventData], ...] = (
    exams.ExamPassed,
    exams.ExamFailed,
    exams.ExamResultRevised,
    exams.ExamResultInvalidated,
)


@dataclass
class Two:
    desk: ChallengeDesk
    certs: CertsStation
    carried: set[str] = field(default_factory=set)

    async def carry(self) -> list[str]:
        """Let certs take in what exams has told since, and return what certs then tells."""
        before = len(said(self.certs.base))
        for event in said(self.desk.base):
            kind = next((each for each in RESULTS if each.event_type == event["type"]), None)
            if kind is not None and event["id"] not in self.carried:
                self.carried.add(event["id"])
                await self.certs.take(
                    received(kind.model_validate_json(orjson.dumps(event["data"])), event_id=event["id"])
                )
        told = said(self.certs.base)[before:]
        return [event["type"].split(".")[-2] for event in told if event["data"].get("certification") == CERTIFICATION]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(TAKEN + timedelta(days=3))


@pytest.fixture
async def two(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[Two]:
    async with base_of("exams") as base, base_of("certs") as other, challenge_desk(base, programs) as desk:
        yield Two(desk, CertsStation(other, programs))


async def test_certification_is_awarded_by_a_challenge_and_ends_with_the_vendors_next_word(two: Two) -> None:
    assert await two.carry() == []
    await two.desk.both_decide(await two.desk.open(), "changed", grade="pass", score=850)
    assert await two.carry() == ["CertificationAwarded"]
    (ledger,) = await two.certs.base.rows("candidates")
    assert "2025-03-10" in str(ledger), "it counts from the day of the exam"
    later = two.desk.base.clock.now() + timedelta(hours=1)
    await two.desk.station.report(reported(result(revision=2, grade="fail", score=700.0), time=later))
    assert await two.carry() == [], "that was decided"
    await two.desk.station.report(reported(result(revision=3, grade="invalidated", score=None), time=later))
    assert await two.carry() == ["CertificationRevoked"]


async def test_certification_lapses_with_a_ruling_and_comes_back_with_the_challenge_of_it(two: Two) -> None:
    await two.desk.station.report(reported(result(result_id="R2", taken_at=TAKEN - timedelta(days=30))))
    assert await two.carry() == ["CertificationAwarded"]
    for by in (ADA, BEN):
        body: dict[str, Any] = {"grade": "invalidated", "reason": "Another sat it."}
        assert (await two.desk.staff("POST", "results/cisco:vue:R2/rulings", by=by, **body))[0] == 201
    assert await two.carry() == ["CertificationRevoked"]
    challenge = await two.desk.open(result_id="cisco:vue:R2", ground="integrity")
    await two.desk.both_decide(challenge, "changed", grade="pass", score=900)
    assert await two.carry() == ["CertificationAwarded"]
    assert (await two.desk.result())["_id"] == RESULT
