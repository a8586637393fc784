"""What an award entitles to."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import Program, load_programs
from services.fulfillment.domain.offers import Entitlement, Offer, claimed_together, offers_for, standing

PROGRAMS = load_programs(Path(__file__).parents[3] / "deploy" / "programs")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
names = st.text("CJ0123456789", min_size=1, max_size=12)
held = st.sampled_from([(program, name) for program in PROGRAMS.values() for name in program.certifications])


@given(names, held)
def test_award_told_again_gives_the_same_offers(candidate_id: str, award: tuple[Program, str]) -> None:
    program, certification = award
    offers = list(offers_for(program, candidate_id, certification))
    assert offers == list(offers_for(program, candidate_id, certification))
    assert [offer.benefit for offer in offers] == list(program.certifications[certification].entitlements)
    assert all(program.certifications[certification].title in offer.title for offer in offers)


@given(names, names, held, held)
def test_no_two_awards_share_an_offer(
    one: str, other: str, first: tuple[Program, str], second: tuple[Program, str]
) -> None:
    ids = {offer.id for offer in offers_for(first[0], one, first[1])}
    others = {offer.id for offer in offers_for(second[0], other, second[1])}
    if (one, first) != (other, second):
        assert not ids & others


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_certification_the_program_does_not_know_entitles_to_nothing(program: Program) -> None:
    assert list(offers_for(program, "C1", "no such thing")) == []


def due(
    account: str = "C1", *, scope: str = "CCNA", of: str = "CCNA", days: int = 0, earned: int | None = None, **more: Any
) -> Entitlement:
    """A kit that was offered so many days ago."""
    earned_on = None if earned is None else date(2020 + earned, 1, 1)
    offer = Offer(
        id=f"{account}.{of}.{earned}",
        candidate_id=account,
        certification=of,
        benefit="kit",
        title="Kit",
        scope=scope,
        earned_on=earned_on,
    )
    given = {"version": 1, "stands": True, "awarded": True, "since": NOW - timedelta(days)} | more
    return Entitlement("cisco", offer, **given)


def stands(*known: Entitlement, goes_on: str = "C1") -> dict[str, str]:
    return dict(standing(known, goes_on, NOW))


def test_of_what_is_given_once_a_level_or_ever_one_stands_and_the_next_when_that_is_revoked() -> None:
    for scope in ("level:expert", "ever"):
        first, second = due(of="A", scope=scope, days=2), due(of="B", scope=scope, days=1)
        assert stands(first, second) == stands(second, first) == {first.offer.id: "offered"}
        assert stands(replace(first, stands=False), second) == {second.offer.id: "offered"}
        assert stands(first, replace(second, order_id="O1")) == {second.offer.id: "claimed"}
    one, other = due(of="A", scope="A"), due(of="B", scope="B")
    assert stands(one, other) == {one.offer.id: "offered", other.offer.id: "offered"}


def test_what_is_offered_anew_is_counted_by_account_and_never_added_up() -> None:
    first, again = due(earned=1, order_id="O1"), due(earned=4)
    assert stands(first, again) == {first.offer.id: "claimed", again.offer.id: "offered"}
    merged = due("C2", earned=2)
    assert stands(first, again, merged) == stands(first, again)
    assert stands(first, merged) == {first.offer.id: "claimed"}


def test_what_is_over_or_revoked_cannot_be_claimed_and_what_is_claimed_stays() -> None:
    for gone in ({"claim_until": NOW}, {"stands": False}, {"awarded": False}):
        assert stands(due(**gone)) == {}
        assert set(stands(due(**gone, order_id="O1")).values()) == {"claimed"}
    assert stands(due(claim_until=NOW + timedelta(seconds=1))) != {}


entitlements = st.builds(
    due,
    st.sampled_from(["C1", "C2"]),
    scope=st.just("ever"),
    of=st.sampled_from(["A", "B", "C"]),
    days=st.integers(0, 3),
    order_id=st.sampled_from([None, None, "O1", "O2"]),
    stands=st.booleans(),
    claim_until=st.sampled_from([None, NOW, NOW + timedelta(1)]),
)


@given(st.lists(entitlements, max_size=6, unique_by=lambda one: one.offer.id), st.data())
def test_within_a_scope_at_most_one_stands_whatever_the_order(known: list[Entitlement], data: st.DataObject) -> None:
    found = stands(*known)
    assert len(found) <= 1
    assert found == stands(*data.draw(st.permutations(known)))
    claimed = [one for one in known if one.order_id is not None]
    assert ("claimed" in found.values()) == bool(claimed)
    together = claimed_together(known)
    assert sorted(one.offer.id for group in together for one in group) == (
        sorted(one.offer.id for one in claimed) if len(claimed) > 1 else []
    )


def test_award_earned_again_is_another_offer_only_where_the_program_says_so() -> None:
    days = date(2020, 1, 1), date(2025, 1, 1)
    cisco = PROGRAMS["cisco"]
    once = {offer.id for day in days for offer in offers_for(cisco, "C1", "CCNA", day)}
    again = replace(cisco.benefits["initial_kit"], again=True)
    giving = replace(cisco, benefits={"initial_kit": again})
    twice = {offer.id for day in days for offer in offers_for(giving, "C1", "CCNA", day)}
    assert (len(once), len(twice), len(once & twice)) == (1, 2, 0)
