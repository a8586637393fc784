"""What a search has found, in the order in which people look."""

from typing import Any

from services.identity.search.finding import ranked


def account(key: str, *names: str) -> dict[str, Any]:
    return {"_id": key, "name_keys": list(names)}


def test_the_best_fit_comes_first_whatever_the_order_it_was_found_in() -> None:
    named = [account("C1", "chrsi"), account("C2", "christopher"), account("C3", "chris")]
    for order in (named, named[::-1]):
        found = ranked([("similar_id", account("C4"))], order, ["chris"])
        assert [each.account["_id"] for each in found] == ["C3", "C2", "C4", "C1"]
        assert found[0].score > found[1].score > found[2].score > found[3].score


def test_what_begins_alike_and_is_another_word_is_left_out() -> None:
    named = [account("C1", "christensen"), account("C2", "christodoulou")]
    assert [each.account["_id"] for each in ranked([], named, ["christodulu"])] == ["C2"]


def test_an_account_is_shown_once_with_all_that_speaks_for_it() -> None:
    one = account("C1", "ada")
    (found,) = ranked([("email", one), ("id", one)], [one, one], ["ada"])
    assert (found.score, found.reasons) == (1.0, ("id", "email", "name"))
