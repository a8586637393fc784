"""What a payment page has said, in any order; and card numbers, which it must never say."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import Price
from libs.common.programs.errors import ProgramErrors
from libs.common.signed_forms import KEY_ID, PAYMENT, read_keys, verify
from services.fulfillment.domain.cards import holds_card_number
from services.fulfillment.domain.orders import Order
from services.fulfillment.domain.payments import Fact, Payment, heard, settling, trouble
from services.fulfillment.payments.api import NoticeBody
from services.fulfillment.payments.pages import load_page, load_pages

GUIDE = (Path(__file__).parents[3] / "docs" / "vendors.md").read_text()
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ASKED = Price(Decimal("79.00"), "USD")
PAGE = """
id: example
name: Example Pay
programs: [cisco]
url: https://pay.example/checkout
client: certrail
secret: example-pay
"""


def payment(**more: Any) -> Payment:
    given_fields: dict[str, Any] = {
        "id": "P1",
        "program": "cisco",
        "page": "example",
        "order_id": "O1",
        "candidate_id": "C1",
        "title": "Wall plaque",
        "asked": ASKED,
        "made_at": NOW,
        "expires_at": NOW + timedelta(minutes=30),
    }
    return Payment(**given_fields | more)


def order(**more: Any) -> Order:
    return Order("O1", "cisco", "C1", "F1", "plaque", "CCNA", "Wall plaque", "kits", NOW, awaits_payment=True, **more)


def fact(kind: Any, reference: str, amount: str = "79.00", currency: str = "USD") -> Fact:
    return Fact(kind, reference, Decimal(amount), currency, NOW)


def told(*facts: Fact, **more: Any) -> Payment:
    now = payment(**more)
    for one in facts:
        now = heard(now, one) or now
    return now


PAID, BACK = fact("confirmed", "c1"), fact("refunded", "r1")


@pytest.mark.parametrize(
    ("facts", "settles", "goes_on", "reason"),
    [
        ((PAID,), True, True, None),
        ((fact("confirmed", "c1", "79"),), True, True, None),
        ((PAID, BACK), True, False, None),
        ((fact("confirmed", "c1", "7.90"),), False, False, "other_amount"),
        ((fact("confirmed", "c1", "79.00", "JPY"),), False, False, "other_amount"),
        ((fact("confirmed", "c1", "79.00", "JPY"), fact("refunded", "r1", "79.00", "JPY")), False, False, None),
        ((PAID,), False, True, "paid_twice"),
        ((PAID, fact("confirmed", "c2")), True, True, "paid_twice"),
        ((PAID, fact("confirmed", "c2"), BACK), True, True, None),
        ((PAID, BACK, fact("refunded", "r2", "0.01")), True, False, "refunded_too_much"),
        ((BACK,), False, False, "refunded_too_much"),
        ((PAID, fact("refunded", "r1", "9.00")), True, True, None),
    ],
)
def test_facts_in_any_order(facts: tuple[Fact, ...], settles: bool, goes_on: bool, reason: str | None) -> None:
    for said in permutations([*facts, *facts][: len(facts) + 1]):
        now = told(*said, settles=settles)
        assert (settling(now, order()), trouble(now, order())) == (goes_on, reason)
        assert len(now.facts) == len(facts)


def test_money_for_what_is_not_sent_goes_back() -> None:
    assert trouble(told(PAID, settles=True), order(state="cancelled")) == "called_off"
    assert trouble(told(PAID), None) == "called_off"
    assert trouble(told(PAID, BACK, settles=True), order(state="cancelled")) is None
    assert not settling(told(PAID), order(state="cancelled"))


def test_state() -> None:
    later = NOW + timedelta(hours=1)
    states = [told(*facts).state(NOW) for facts in ((), (PAID,), (PAID, fact("refunded", "r", "1")), (PAID, BACK))]
    assert states == ["open", "paid", "partly_refunded", "refunded"]
    assert payment().state(later) == "expired"
    assert told(PAID).state(later) == "paid"


CARDS = [
    "4111111111111111",
    "4111 1111 1111 1111",
    "5555-5555-5555-4444",
    "2223003122003222",
    "378282246310005",
    "3782 822463 10005",
    "6011111111111117",
    "30569309025904",
    "3530111333300000",
    "6200000000000005",
    "4222222222222",
]


@pytest.mark.parametrize("card", CARDS)
def test_card_number_is_seen_wherever_it_stands(card: str) -> None:
    for text in (card, f'{{"reference": "{card}"}}', f"paid with {card}, thanks", f"[{card.replace(' ', '')}]"):
        assert holds_card_number(text)
    wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
    assert not holds_card_number(wrong)


@pytest.mark.parametrize("number", ["1000000000000008", "9999999999999995", "4111 11111111 1111", "a4111111111111111"])
def test_other_numbers_with_a_right_check_digit_pass(number: str) -> None:
    assert not holds_card_number(number)


@given(st.uuids(), st.datetimes(), st.decimals(0, 9_999_999, places=2))
def test_what_notices_are_made_of_is_no_card(one: Any, moment: datetime, amount: Decimal) -> None:
    assert not holds_card_number(f'{{"payment_id":"{one}","occurred_at":"{moment.isoformat()}Z","amount":"{amount}"}}')


def test_page_is_read_with_its_faults(tmp_path: Any) -> None:
    page = load_page(PAGE, name="example.yaml")
    assert (page.id, page.programs, page.lifetime) == ("example", ("cisco",), timedelta(minutes=30))
    with pytest.raises(ProgramErrors, match="https URL"):
        load_page(PAGE.replace("https://pay", "http://pay"), name="example.yaml")
    (tmp_path / "a.yaml").write_text(PAGE)
    (tmp_path / "b.yaml").write_text(PAGE.replace("id: example", "id: other"))
    with pytest.raises(ProgramErrors, match="pays on another page"):
        load_pages(tmp_path)
    assert load_pages(None) == {}


# --- What payment pages are told --------------------------------------------------------------------------------------


def _json(holds: str) -> Any:
    (found,) = [block for block in re.findall(r"```json\n(.*?)```", GUIDE, flags=re.DOTALL) if holds in block]
    return json.loads(found)


def test_vector_and_notice_in_the_guide_are_ours() -> None:
    vector = _json(f'"what": "{PAYMENT}"')
    verify(PAYMENT, vector["fields"], read_keys(f"{vector['fields'][KEY_ID]} {vector['key']}"))
    notice = _json('"kind": "confirmed"')
    assert NoticeBody.model_validate_json(json.dumps(notice)).payment_id == vector["fields"]["payment_id"]
    assert not holds_card_number(json.dumps(notice))
