"""Keys of names, and what is forgiven when they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import DamerauLevenshtein

from libs.common.name_keys import MOST_KEYS, name_keys
from services.identity.domain.name_keys import first_half, keys_of, likeness, misspellings

WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Zoë Ångström", ["zoe", "angstrom"]),
        ("Jean-Pierre O\u2019Brien", ["jean", "pierre", "obrien"]),
        ("Владимир", ["vladimir"]),
        ("王 小明", ["wang", "xiaoming"]),
        ("김철수", ["gimcheolsu"]),
        ("MÜLLER, Straße", ["muller", "strasse"]),
        ("<b>Ada</b>", ["bada", "b"]),
        ("=1+1", []),
        ("·", []),
        ("", []),
    ],
)
def test_keys_are_latin_letters_of_whatever_script(text: str, keys: list[str]) -> None:
    assert name_keys([text]) == keys


def test_an_account_has_keys_of_both_its_names_and_of_the_native_one_without_a_space() -> None:
    native = {"given_name": "小明", "family_name": "王"}
    account = {"given_name": "Ming", "family_name": "Wang", "native_name": native}
    assert keys_of(account) == ["ming", "wang", "xiaoming", "wangxiaoming"]
    assert keys_of({"given_name": "Ada", "family_name": "Ada", "native_name": None}) == ["ada"]


def test_an_account_keeps_the_keys_of_its_former_names() -> None:
    former = [{"given_name": "Ada", "family_name": "Byron", "native_name": None}]
    account = {"given_name": "Ada", "family_name": "Lovelace", "former_names": former}
    assert keys_of(account) == ["ada", "lovelace", "byron"]


@given(st.lists(st.text(max_size=200), max_size=4))
def test_any_text_gives_few_keys_of_small_letters(texts: list[str]) -> None:
    keys = name_keys(texts)
    assert len(keys) <= MOST_KEYS
    assert all(key.isascii() and key.isalpha() and key == key.lower() for key in keys)
    assert name_keys(keys) == keys


@given(WORDS, st.data())
def test_every_single_typing_error_is_among_the_misspellings(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    kinds = [
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
    ]
    assert set(kinds) <= misspellings(word)


@given(WORDS)
def test_misspellings_are_one_error_away_and_no_more(word: str) -> None:
    assert {DamerauLevenshtein.distance(word, each) for each in misspellings(word)} == {0, 1}


def test_short_words_are_taken_as_they_are() -> None:
    assert misspellings("wei") == {"wei"}
    assert first_half("papa") is None
    assert first_half("papadopulos") == "papad"


@given(st.lists(WORDS, min_size=1, max_size=3), st.lists(WORDS, max_size=3))
def test_likeness_is_one_for_words_that_are_there_and_within_its_bounds(words: list[str], others: list[str]) -> None:
    assert likeness(words, [*words, *others]) == 1
    assert 0 <= likeness(words, others) <= 1


def test_a_beginning_is_nearly_the_word() -> None:
    assert 0.9 < likeness(["chris"], ["christopher"]) < 1
    assert likeness(["chris"], ["christopher"]) > likeness(["chrisx"], ["christopher"])
