"""Fulfillment through its handlers on a real database: a kit once, however often the award is told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from libs.common.bus.messages import Received
from libs.common.events import fulfillment, identity
from libs.common.programs import Program
from services.fulfillment.consumers import ServiceEvents
from services.fulfillment.store import FulfillmentStore
from tests.service.conftest import OpenBase
from tests.service.rig import Base
from tests.service.samples import TAKEN, awarded, received
from tests.service.test_exams import said


class Fulfillment:
    """The service's handler, and what it has said."""

    def __init__(self, base: Base, programs: dict[str, Program]) -> None:
        self.base = base
        self._handler = ServiceEvents(FulfillmentStore(base.database), programs)

    async def take(self, *items: Received[Any]) -> None:
        await self.base.handle(self._handler.handle, *items)

    def offered(self, candidate_id: str = "C1") -> list[str]:
        events = [event for event in said(self.base) if event["subject"] == candidate_id]
        assert {event["type"] for event in events} <= {fulfillment.BenefitOffered.event_type}
        return [event["data"]["certification"] for event in events]


@pytest.fixture
async def service(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[Fulfillment]:
    async with base_of("fulfillment") as base:
        yield Fulfillment(base, programs)


async def test_award_offers_a_kit(service: Fulfillment) -> None:
    await service.take(received(awarded()))
    assert service.offered() == ["CCNA"]
    (offer,) = await service.base.rows("offers")
    assert (offer["candidate_id"], offer["benefit"], offer["state"]) == ("C1", "initial_kit", "offered")
    (event,) = said(service.base)
    assert event["data"]["offer_id"] == offer["_id"]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
async def test_award_told_again_offers_no_second_kit(service: Fulfillment, together: bool) -> None:
    award, awarded_again = received(awarded()), received(awarded())
    if together:
        await service.take(award, award, awarded_again)
    else:
        for one in (award, award, awarded_again):
            await service.take(one)
    assert service.offered() == ["CCNA"]
    assert len(await service.base.rows("offers")) == 1


async def test_workers_with_the_same_award_offer_one_kit(service: Fulfillment) -> None:
    for n in range(10):
        await asyncio.gather(*(service.take(received(awarded(f"C{n}"))) for _ in range(3)))
        assert service.offered(f"C{n}") == ["CCNA"]


async def test_each_certification_and_candidate_has_its_own_kit(service: Fulfillment) -> None:
    await service.take(
        received(awarded("C1")),
        received(awarded("C2")),
        received(awarded("C1", "JNCIA-Junos"), program="juniper"),
    )
    assert sorted(service.offered("C1")) == ["CCNA", "JNCIA-Junos"]
    assert service.offered("C2") == ["CCNA"]


async def test_certification_the_program_does_not_know_offers_nothing(service: Fulfillment) -> None:
    await service.take(received(awarded(certification="CCIE-Underwater")), received(awarded(), program="nosuch"))
    assert await service.base.rows("offers") == []


async def test_merged_accounts_are_offered_a_kit_once_and_separated_ones_each(service: Fulfillment) -> None:
    both = {"merge_id": "M1", "candidate_id": "C2", "merged_id": "C1"}
    merged = received(identity.CandidatesMerged(**both, merged_at=TAKEN))
    await service.take(received(awarded("C1")), merged)
    await service.take(received(awarded("C2")))
    assert (service.offered("C1"), service.offered("C2")) == (["CCNA"], [])
    await service.take(received(identity.CandidatesSeparated(**both, separated_at=TAKEN)), merged)
    await service.take(received(awarded("C2")))
    assert service.offered("C2") == ["CCNA"]
