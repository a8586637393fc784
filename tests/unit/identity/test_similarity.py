"""Similar accounts: symmetric scores between 0 and 1, and nobody suggested to themselves."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.similarity import Person, compare, similar, tokens

TEXT = st.text(min_size=1, max_size=12)
PEOPLE = st.builds(
    Person,
    id=st.sampled_from(["C1", "C2", "C3"]),
    names=st.lists(TEXT, min_size=1, max_size=2).map(tuple),
    email=st.sampled_from(["", "a@example.com", "A@Example.com", "b@example.com"]),
    country=st.sampled_from(["", "SE", "US"]),
    address=st.one_of(st.just(""), TEXT),
    merged=st.booleans(),
)
ZOE = Person("C1", ("Zoë Ångström",), "zoe@example.com", "SE")


@given(PEOPLE, PEOPLE)
def test_score_is_symmetric_and_between_none_and_whole(one: Person, other: Person) -> None:
    there, back = compare(one, other), compare(other, one)
    assert there.score == pytest.approx(back.score)
    assert there.reasons == back.reasons
    assert 0 <= there.score <= 1


@given(PEOPLE)
def test_the_same_person_is_whole(one: Person) -> None:
    assert compare(one, replace(one, id="C9")).score == pytest.approx(1.0)


@given(PEOPLE, st.lists(PEOPLE, max_size=5))
def test_neither_oneself_nor_merged_accounts_are_suggested(one: Person, others: list[Person]) -> None:
    merged = {other.id for other in others if other.merged} - {other.id for other in others if not other.merged}
    suggested = [likeness.id for likeness in similar(one, [*others, one])]
    assert one.id not in suggested
    assert not merged & set(suggested)


@pytest.mark.parametrize("name", ["Zoe Angstrom", "ANGSTROM, Zoe", "Zoë Ångstrøm"])
def test_spellings_of_one_name_are_alike(name: str) -> None:
    assert "name" in compare(ZOE, replace(ZOE, id="C2", names=(name,), email="")).reasons


def test_name_alone_reaches_no_more_than_half_against_another_address() -> None:
    namesake = compare(ZOE, replace(ZOE, id="C2", email="other@example.com"))
    assert namesake.score <= 0.5
    assert namesake.reasons == ("name", "country")


def test_native_names_are_compared_in_any_script() -> None:
    one = Person("C1", ("Ivan Petrov", "Иван Петров"), "", "")
    assert compare(one, Person("C2", ("ПЕТРОВ Иван",), "", "")).score == pytest.approx(1.0)
    assert tokens("李 小龍") == ("小龍", "李")


def test_strangers_are_not_suggested_and_the_likeliest_is_first() -> None:
    twin, namesake = replace(ZOE, id="C2"), replace(ZOE, id="C3", email="other@example.com", country="SE")
    stranger = Person("C4", ("Bob Fox",), "bob@example.com", "US")
    assert [likeness.id for likeness in similar(ZOE, [stranger, namesake, twin])] == ["C2", "C3"]
