"""What staff read of the badge provider, of houses' lists and of earlier dry runs."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.portal.staff.badges import words as badges
from services.portal.staff.badges.shapes import Provider, Trouble
from services.portal.staff.parcels import found_words
from services.portal.staff.parcels.shapes import Finding, OrderList
from services.portal.staff.people import Names

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = Names({"staff:rosa": "Rosa"}, "staff:me")


def plain(text: object) -> str:
    return str(text).replace("\xa0", " ")


def provider(**changed: Any) -> Provider:
    fields: dict[str, Any] = {
        "on": True,
        "failing_since": None,
        "failures": 0,
        "silent_until": None,
        "error": None,
        "waiting": 0,
        "trouble": 0,
        "compared_at": NOON,
    }
    return Provider.model_validate(fields | changed)


def trouble(kind: str) -> Trouble:
    return Trouble(
        trouble_id="t1",
        kind=kind,
        candidate_id="C1",
        certification="CCNA",
        credential_id="c",
        badge_id=None,
        state=None,
        text="no such template",
        since=NOON,
    )


@pytest.mark.parametrize(
    ("found", "word"),
    [(provider(on=False), "Not used"), (provider(), "Works"), (provider(failures=3, failing_since=NOON), "Failing")],
    ids=["off", "fine", "failing"],
)
def test_how_a_provider_does_is_one_word(found: Provider, word: str) -> None:
    assert badges.provider_chip(found).word == word


def test_a_failing_provider_says_since_when_why_and_until_when_it_is_left_alone() -> None:
    said = badges.standing(provider(failures=3, failing_since=NOON, silent_until=NOON, error="HTTP 503"))
    assert "HTTP 503" in said[0]
    assert "left alone until" in said[1]
    assert badges.standing(provider(on=False)) == [
        "This program has its badges kept by no provider. They are the platform's alone."
    ]


def test_trying_again_says_whether_something_is_sent_again_or_issued_anew() -> None:
    assert "The same step is sent once more" in badges.follows(trouble("refused"))[0]
    for kind in ("revoked_there", "missing_there"):
        assert "A new badge is issued" in badges.follows(trouble(kind))[0]


def finding(**changed: Any) -> Finding:
    fields: dict[str, Any] = {
        "finding_id": "f1",
        "kind": "missing_there",
        "order_id": "O1",
        "ours": {"state": "ordered"},
        "differences": [],
    }
    return Finding.model_validate(fields | changed)


def test_only_an_order_that_the_house_lacks_can_be_sent_to_it_again() -> None:
    assert [action for action, _, _ in found_words.choices_of(finding())] == ["send_again", "ask_house", "dismiss"]
    others = found_words.choices_of(finding(kind="different", theirs={"status": "delivered"}))
    assert [action for action, _, _ in others] == ["ask_house", "dismiss"]


def test_facts_of_an_order_say_what_fits_where_both_have_it() -> None:
    both = finding(
        kind="different",
        theirs={"status": "dispatched", "tracking_number": "1"},
        ours={"state": "shipped", "tracking_number": "2"},
        differences=["tracking_number"],
    )
    assert [fact.fits for fact in found_words.facts_of(both)] == [True, False]
    assert [fact.fits for fact in found_words.facts_of(finding())] == [None, None]
    assert found_words.facts_of(finding(kind="unreadable", ours=None)) == []


def test_what_was_decided_about_an_order_says_who_and_when() -> None:
    action = {"kind": "ask_house", "by": "staff:rosa", "at": NOON}
    shown = found_words.shown(finding(action=action), NAMES)
    assert plain(shown["done"]).startswith("The house is to be asked. Rosa decided it on 20 Nov")


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({}, "All equal"),
        ({"counts": {"different": 1}}, "Differences"),
        ({"kind": "stock"}, "Figures of stock"),
        ({"state": "refused"}, "Refused"),
    ],
    ids=["equal", "differs", "stock", "refused"],
)
def test_a_list_says_what_became_of_it(changed: dict[str, Any], word: str) -> None:
    fields: dict[str, Any] = {
        "list_id": "l1",
        "house": "kits",
        "kind": "orders",
        "name": "all.csv",
        "made_at": NOON,
        "state": "done",
        "lines": 3,
        "counts": {},
    }
    assert found_words.list_chip(OrderList.model_validate(fields | changed)).word == word
