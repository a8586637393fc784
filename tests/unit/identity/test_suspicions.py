"""What finds accounts that are compared, and which of them staff are asked about."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libs.common.name_keys import name_keys
from services.identity.domain.similarity import Likeness, Reason
from services.identity.domain.suspicions import is_offered, place_keys
from services.identity.duplicates.comparing import worth_offering

HOME = {"lines": ["Storgatan 1"], "city": "Umeå", "postal_code": "903 26", "region": None, "country": "SE"}
WORDS = st.text(alphabet="abcdefghijklmnoprstuvåäöéø", min_size=2, max_size=10)
CHARACTERS = st.sampled_from(["upper", "title", "casefold"])


def account(key: str, given_name: str, family_name: str, **more: Any) -> dict[str, Any]:
    about = {"_id": key, "given_name": given_name, "family_name": family_name, "email_key": f"{key}@example.com"}
    return {**about, "country": "SE", "address": HOME, **more}


@given(WORDS, WORDS, CHARACTERS)
def test_another_spelling_and_order_of_a_name_at_one_place_is_found_and_offered_from_either_side(
    given_name: str, family_name: str, case: str
) -> None:
    one = account("C1", given_name, family_name)
    other = account("C2", getattr(family_name, case)(), getattr(given_name, case)(), address=HOME | {"region": "AC"})
    keys = [place_keys(name_keys([each["given_name"], each["family_name"]]), HOME) for each in (one, other)]
    assert set(keys[0]) & set(keys[1])
    there, back = (worth_offering(a, [b, a], crowded=False) for a, b in ((one, other), (other, one)))
    assert [(each.id, each.reasons) for each in there] == [("C2", ("name", "address", "country"))]
    assert [(each.id, each.score) for each in back] == [("C1", there[0].score)]


def test_a_place_is_its_postal_code_or_its_city_and_nobody_has_one_without() -> None:
    assert place_keys(["ada"], HOME) == ["ada@se:90326", "ada@se:umea"]
    assert place_keys(["ada"], HOME | {"postal_code": None}) == ["ada@se:umea"]
    assert place_keys(["ada"], HOME | {"city": "北京", "country": "CN"}) == ["ada@cn:90326", "ada@cn:beijing"]
    assert place_keys(["ada"], {"country": "SE"}) == place_keys(["ada"], None) == []


def offered(*reasons: Reason, crowded: bool = False, score: float = 0.5) -> bool:
    return is_offered(Likeness("C2", score, reasons), crowded=crowded)


def test_staff_are_asked_for_a_shared_mailbox_or_a_name_at_a_place_and_never_for_a_name() -> None:
    assert offered("email")
    assert offered("name", "address")
    assert not offered("name", "country")
    assert not offered("address", "country")
    assert not offered("email", crowded=True)
    assert offered("email", "name", crowded=True)
    assert not offered("name", "address", score=0.39)
