"""What an award entitles to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import Program, load_programs
from services.fulfillment.domain.offers import offers_for

PROGRAMS = load_programs(Path(__file__).parents[3] / "deploy" / "programs")
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
