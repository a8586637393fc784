"""Fulfillment through its handlers on a real database: a kit once, however often the award is told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.bus.messages import Received
from libs.common.events import certs, fulfillment, identity
from libs.common.programs import Program, load_definition
from tests.service.conftest import OpenBase
from tests.service.fulfillment_station import FulfillmentStation
from tests.service.samples import TAKEN, awarded, received
from tests.service.test_exams import said
from tests.service.test_order import BOUNDED, arrivals

AWARDED, REVOKED = certs.CertificationAwarded, certs.CertificationRevoked
_candidates = count(1)


class Fulfillment(FulfillmentStation):
    """The service, and what it has said."""

    def offered(self, candidate_id: str = "C1") -> list[str]:
        events = [event for event in said(self.base) if event["subject"] == candidate_id]
        assert {event["type"] for event in events} <= {fulfillment.BenefitOffered.event_type}
        return [event["data"]["certification"] for event in events]

    def told(self, candidate_id: str = "C1") -> list[str]:
        """What was said of the offers of a candidate, in order."""
        events = [event for event in said(self.base) if event["subject"] == candidate_id]
        assert len({event["subjectversion"] for event in events}) == len(events)
        return [str(event["type"]).split(".")[2] for event in events]

    async def claimable(self, candidate_id: str = "C1") -> list[str]:
        found = await self.store.offers("cisco", candidate_id, self.base.clock.now(), after=None, limit=9)
        return [one.offer.certification for one, state in found if state == "offered"]


def word(kind: type[Any], version: int, candidate_id: str = "C1", **more: Any) -> Received[Any]:
    """What certs says of a certification, in its version."""
    item = received(kind(**awarded(candidate_id).model_dump() | more))
    return replace(item, event=item.event.model_copy(update={"subjectversion": version}))


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


async def test_offer_is_withdrawn_when_the_certification_is_revoked(service: Fulfillment) -> None:
    await service.take(word(AWARDED, 1), word(AWARDED, 1, "C2"))
    await service.take(word(REVOKED, 2, remains=True))
    assert (service.told(), await service.claimable()) == (["BenefitOffered"], ["CCNA"])
    service.base.clock.advance(timedelta(seconds=1))
    revoked = word(REVOKED, 3)
    for _ in range(2):
        await service.take(revoked)
    assert (service.told(), await service.claimable()) == (["BenefitOffered", "BenefitWithdrawn"], [])
    assert (service.told("C2"), await service.claimable("C2")) == (["BenefitOffered"], ["CCNA"])
    offered, withdrawn = (event["data"] for event in said(service.base) if event["subject"] == "C1")
    assert withdrawn["offer_id"] == offered["offer_id"]


@pytest.mark.parametrize("kind", [certs.CertificationReinstated, certs.CertificationAwarded])
async def test_offer_stands_again_with_the_certification(service: Fulfillment, kind: type[Any]) -> None:
    for item in (word(AWARDED, 1), word(REVOKED, 2), word(kind, 3), word(REVOKED, 2), word(kind, 3)):
        await service.take(item)
        service.base.clock.advance(timedelta(seconds=1))
    assert service.told() == ["BenefitOffered", "BenefitWithdrawn", "BenefitOffered"]
    assert await service.claimable() == ["CCNA"]


async def test_revocation_that_is_faster_than_the_award_leaves_nothing_to_claim(service: Fulfillment) -> None:
    await service.take(word(REVOKED, 2))
    await service.take(word(AWARDED, 1))
    assert (service.told(), await service.claimable()) == ([], [])
    assert await service.store.totals({"cisco": ["initial_kit"]}) == {"offers": 1, "kits": 1}


async def test_suspension_alone_offers_nothing(service: Fulfillment) -> None:
    """Of what was awarded before there were offers, nothing is offered when it is reinstated."""
    await service.take(word(certs.CertificationReinstated, 5))
    assert (service.told(), await service.claimable()) == ([], [])
    await service.take(word(AWARDED, 4))
    assert await service.claimable() == ["CCNA"]


@BOUNDED
@given(data=st.data())
async def test_latest_word_decides_in_any_order(
    base_of: OpenBase, programs: dict[str, Program], data: st.DataObject
) -> None:
    kinds = data.draw(st.lists(st.sampled_from([AWARDED, REVOKED, certs.CertificationReinstated]), max_size=4))
    who = f"C{next(_candidates)}x"
    words = [word(kind, version, who) for version, kind in enumerate([AWARDED, *kinds], start=1)]
    batches = data.draw(arrivals(len(words)))
    async with base_of("fulfillment") as base:
        service = Fulfillment(base, programs)
        for batch in batches:
            await service.take(*(words[at] for at in batch))
            base.clock.advance(timedelta(seconds=1))
        stands = kinds == [] or kinds[-1] is not REVOKED
        assert await service.claimable(who) == (["CCNA"] if stands else [])
        told = service.told(who)
        assert told == [("BenefitOffered", "BenefitWithdrawn")[at % 2] for at in range(len(told))]
        assert (len(told) % 2 == 1) == stands


async def test_revocation_for_the_account_that_goes_on_withdraws_what_another_was_offered(service: Fulfillment) -> None:
    both = {"merge_id": "M1", "candidate_id": "C2", "merged_id": "C1"}
    await service.take(word(AWARDED, 1, "C1"))
    await service.take(received(identity.CandidatesMerged(**both, merged_at=TAKEN)), word(AWARDED, 1, "C2"))
    assert (service.told("C1"), service.told("C2")) == (["BenefitOffered"], [])
    service.base.clock.advance(timedelta(seconds=1))
    await service.take(word(REVOKED, 2, "C2"))
    assert (service.told("C1"), service.told("C2")) == (["BenefitOffered", "BenefitWithdrawn"], [])
    assert await service.claimable("C1") == await service.claimable("C2") == []
    await service.take(received(identity.CandidatesSeparated(**both, separated_at=TAKEN)))
    assert (await service.claimable("C1"), await service.claimable("C2")) == (["CCNA"], [])


@pytest.mark.parametrize(("source", "into"), [("C1", "C2"), ("C2", "C1")])
async def test_second_offer_of_a_person_is_taken_back_by_the_merge(
    service: Fulfillment, source: str, into: str
) -> None:
    both = {"merge_id": "M1", "candidate_id": into, "merged_id": source}
    await service.take(word(AWARDED, 1, "C1"))
    service.base.clock.advance(timedelta(seconds=1))
    await service.take(word(AWARDED, 1, "C2"))
    service.base.clock.advance(timedelta(seconds=1))
    await service.take(received(identity.CandidatesMerged(**both, merged_at=TAKEN)))
    assert (service.told("C1"), service.told("C2")) == (["BenefitOffered"], ["BenefitOffered", "BenefitWithdrawn"])
    service.base.clock.advance(timedelta(seconds=1))
    await service.take(received(identity.CandidatesSeparated(**both, separated_at=TAKEN)))
    assert service.told("C2") == ["BenefitOffered", "BenefitWithdrawn", "BenefitOffered"]


async def test_benefit_of_a_level_is_offered_once_and_what_is_earned_anew_is_offered_anew(base_of: OpenBase) -> None:
    text = (Path(__file__).parents[2] / "deploy" / "programs" / "cisco.yaml").read_text(encoding="utf-8")
    text = text.replace("title: Welcome kit\n", "title: Welcome kit\n    when_earned_again: offered again\n")
    text = text.replace("title: Wall plaque\n", "title: Wall plaque\n    once: level\n")
    experts = ["CCIE-Security", "CCIE-Data-Center"]
    async with base_of("fulfillment") as base:
        service = Fulfillment(base, {"cisco": load_definition(text, name="cisco.yaml")})
        for certification in experts:
            await service.take(received(awarded("C1", certification)))
            base.clock.advance(timedelta(seconds=1))
        assert sorted(service.offered()) == ["CCIE-Data-Center", "CCIE-Security", "CCIE-Security"]
        award = word(AWARDED, 7, certification="CCIE-Security", earned_on=date(2031, 5, 1))
        for _ in range(2):
            await service.take(award)
        assert sorted(service.offered()) == ["CCIE-Data-Center", *["CCIE-Security"] * 3]
