"""Milestones through certs on a real database: each told once for ever, on its day, and shown with its reason."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from libs.common.clock import FixedClock
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.certs.domain.facts import ExamFact, Fact, ImportFact
from services.certs.ledger import stored_ledger
from services.certs.ledgers import Ledgers
from services.certs.policies import Policies
from tests.service.conftest import OpenBase
from tests.service.samples import CERTIFICATION, EXAM
from tests.service.test_certs import Certs, next_version
from tests.service.test_exams import said
from tests.service.test_outlook import ME, api, staff

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def service(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[Certs]:
    async with base_of("certs") as base:
        yield Certs(base, dict(programs))


async def learn(service: Certs, *facts: Fact, candidate_id: str = "C1") -> None:
    """Put facts into a ledger as any part of the service does."""
    ledgers = Ledgers(service.store, Policies(service.store, service.programs, service.clock))

    async def work(transaction: Transaction) -> None:
        opened = await ledgers.open(transaction, [("cisco", candidate_id)])
        for fact in facts:
            opened["cisco", candidate_id].add(fact, transaction, None)
        await ledgers.save(transaction, opened.values())

    await service.base.unit_of_work.run(work)


def balance(since: date, earned_on: date = date(2025, 5, 1)) -> ImportFact:
    return ImportFact(CERTIFICATION, earned_on, NOW, continuous_since=since)


def renewal(taken_on: date, revision: int = 1, outcome: Any = "pass") -> ExamFact:
    return ExamFact("R1", revision, EXAM, taken_on, outcome, NOW)


def milestones(service: Certs, candidate_id: str = "C1") -> list[dict[str, Any]]:
    events = [event for event in said(service.base) if "MilestoneReached" in event["type"]]
    return [event["data"] for event in events if event["subject"] == candidate_id]


async def test_opening_balance_of_more_than_25_years_tells_it_at_once_and_once(service: Certs) -> None:
    await learn(service, balance(date(2001, 5, 2)))
    (told,) = milestones(service)
    assert told == {
        "candidate_id": "C1",
        "milestone": "years-25",
        "title": "25 years of certification",
        "years": 25,
        "since": "2001-05-02",
        "reached_on": "2026-05-02",
    }
    await learn(service, balance(date(2001, 5, 2)), renewal(date(2026, 6, 1)))
    service.clock.advance(timedelta(days=900))
    await service.sweep.run()
    assert len(milestones(service)) == 1


async def test_opening_balance_that_was_stored_untold_is_told_by_the_next_sweep(service: Certs) -> None:
    row = stored_ledger("C1", service.programs["cisco"], [balance(date(2001, 5, 2))], NOW)
    await service.base.database["candidates"].insert_one(row)
    await service.sweep.run()
    assert len(milestones(service)) == 1
    before = await service.ledger()
    await service.sweep.run()
    assert await service.ledger() == before


async def test_sweep_tells_it_on_its_day_and_two_sweeps_do_not_double_it(service: Certs) -> None:
    await learn(service, balance(date(2001, 12, 5)))
    assert (await service.ledger())["next_transition_on"] == "2026-12-05"
    # Midnight in Los Angeles is eight hours after midnight in UTC.
    service.clock.advance(datetime(2026, 12, 5, 7, 59, tzinfo=UTC) - NOW)
    before = await service.ledger()
    await service.sweep.run()
    assert await service.ledger() == before
    service.clock.advance(timedelta(minutes=2))
    await asyncio.gather(*(service.sweep.run() for _ in range(3)))
    assert [told["reached_on"] for told in milestones(service)] == ["2026-12-05"]
    assert (await service.ledger())["next_transition_on"] > "2026-12-05"


async def test_correction_that_takes_the_years_away_and_back_tells_nothing_twice(service: Certs) -> None:
    first = balance(date(2001, 6, 1), date(2021, 5, 1))
    await learn(service, first, renewal(date(2024, 4, 1)))
    assert len(milestones(service)) == 1
    await learn(service, renewal(date(2024, 4, 1), 2, "invalidated"))
    async with api(service.base, service.programs) as ask:
        assert (await ask("GET", f"{ME}/milestones"))[1]["reached"] == []
    await learn(service, renewal(date(2024, 4, 1), 3))
    async with api(service.base, service.programs) as ask:
        assert len((await ask("GET", f"{ME}/milestones"))[1]["reached"]) == 1
    assert len(milestones(service)) == 1


async def test_new_policy_tells_its_new_milestone_and_not_the_old_one_again(service: Certs) -> None:
    await learn(service, balance(date(2001, 5, 2)))
    line = "  - {id: years-25, title: 25 years of certification, years: 25}\n"
    more = (line, f"{line}  - {{id: years-20, title: 20 years of certification, years: 20}}\n")
    service.programs["cisco"] = next_version(service.programs["cisco"], more)
    await service.reevaluation.run()
    await service.reevaluation.run()
    assert [told["milestone"] for told in milestones(service)] == ["years-25", "years-20"]


async def test_milestones_are_shown_with_the_clause_and_the_next_with_its_day(service: Certs) -> None:
    await learn(service, balance(date(2001, 5, 2)))
    await learn(service, balance(date(2020, 5, 2)), candidate_id="C2")
    async with api(service.base, service.programs, staff("certs:read")) as ask:
        status, first = await ask("GET", f"{ME}/milestones")
        _, second = await ask("GET", "cisco/candidates/C2/milestones")
        _, nobody = await ask("GET", "cisco/candidates/C3/milestones")
    assert (status, first["candidate_id"], first["as_of"], first["next"]) == (200, "C1", "2026-11-22", None)
    (reached,) = first["reached"]
    line = reached.pop("line")
    assert service.programs["cisco"].definition.splitlines()[line - 1].strip() == f"- {reached.pop('wording')}"
    assert reached == {
        "milestone": "years-25",
        "title": "25 years of certification",
        "years": 25,
        "since": "2001-05-02",
        "on": "2026-05-02",
        "text": "Held without a gap since 2 May 2001: 25 years on 2 May 2026.",
        "clause": "milestones[0]",
        "file": "cisco.yaml",
    }
    assert (second["reached"], second["next"]["on"]) == ([], "2045-05-02")
    assert (nobody["reached"], nobody["next"]) == ([], None)


async def test_milestones_of_another_are_not_there(service: Certs) -> None:
    await learn(service, balance(date(2001, 5, 2)), candidate_id="C2")
    async with api(service.base, service.programs) as ask:
        assert (await ask("GET", "cisco/candidates/C2/milestones"))[0] == 404
        assert (await ask("GET", "juniper/candidates/C1/milestones"))[0] == 404
