"""What pages of kits say: how far a parcel is, what is next for its candidate, and what is wrong with an address."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.portal.addresses.countries import countries
from services.portal.addresses.shapes import Address, AddressForm, FormField, Label, Region
from services.portal.kits import addresses, words
from services.portal.kits.shapes import AddressProblem, Entry, Offer, Order, Price

CLAIMED = datetime(2026, 9, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 20, 9, tzinfo=UTC)


def order(state: Any = "pending", **changes: Any) -> Order:
    history = [Entry(state="pending", at=CLAIMED, by="candidate", note=None)]
    if state != "pending":
        history.append(Entry(state=state, at=LATER, by="vendor", note=changes.pop("note", None)))
    fields: dict[str, Any] = {
        "order_id": "o1",
        "offer_id": "f1",
        "benefit": "initial_kit",
        "title": "Welcome kit: CCNA",
        "choices": {},
        "state": state,
        "placed_at": CLAIMED,
        "promised_by": date(2026, 12, 22),
        "late": False,
        "awaits_payment": False,
        "ship_to": Label(name="Ann Lee", lines=["Main Street 1"], country="SE"),
        "carrier": None,
        "tracking_number": None,
        "tracking_url": None,
        "replaces": None,
        "replaced_by": None,
        "history": history,
    }
    return Order(**fields | changes)


def offer(state: Any = "offered", **changes: Any) -> Offer:
    fields: dict[str, Any] = {
        "offer_id": "f1",
        "certification": "CCNA",
        "benefit": "initial_kit",
        "title": "Welcome kit: CCNA",
        "state": state,
        "claim_until": None,
        "choices": [],
        "ships": True,
        "promise_weeks": [12, 16],
        "price": None,
        "token": None,
        "order_id": None,
    }
    return Offer(**fields | changes)


@pytest.mark.parametrize(
    ("state", "step", "over"),
    [
        ("pending", 1, False),
        ("ordered", 2, False),
        ("in_production", 3, False),
        ("shipped", 4, False),
        ("delivered", 5, True),
        ("returned", 4, False),
        ("cancelled", None, True),
    ],
)
def test_the_step_of_a_parcel_follows_from_its_state(state: str, step: int | None, over: bool) -> None:
    assert words.step_of(order(state)) == step
    assert words.is_over(order(state)) is over


def test_a_returned_parcel_is_over_once_it_was_sent_again() -> None:
    assert not words.is_over(order("returned"))
    again = order("returned", replaced_by="o2")
    assert words.is_over(again)
    assert (words.chip_of(again).word, words.order_words(again)) == (
        "Sent again",
        "It came back, and we sent it again.",
    )


@pytest.mark.parametrize(
    ("one", "chip", "sentence"),
    [
        (order(), "Claimed", "Promised by 22 December 2026. We write to you when it ships."),
        (order(awaits_payment=True, promised_by=None), "Waiting for payment", "It is made as soon as it is paid."),
        (
            order("ordered", late=True),
            "Late",
            "It was promised by 22 December 2026. We know that it is late, and look after it; you don't need to ask.",
        ),
        (
            order("shipped", carrier="PostNord", tracking_number="SE1"),
            "Shipped",
            "PostNord SE1, on its way since 20 November 2026.",
        ),
        (order("shipped"), "Shipped", "It is on its way since 20 November 2026."),
        (order("delivered"), "Delivered", "It was delivered on 20 November 2026."),
        (
            order("returned", note="Nobody there."),
            "Came back",
            "It came back: Nobody there. Give us an address and we send it again, free of charge.",
        ),
        (order("cancelled"), "Called off", "It was called off on 20 November 2026."),
    ],
)
def test_each_state_has_its_words_and_a_next_step(one: Order, chip: str, sentence: str) -> None:
    assert words.chip_of(one).word == chip
    assert words.order_words(one).replace("\xa0", " ") == sentence


def test_the_heading_says_what_needs_its_candidate_first() -> None:
    orders = [order("shipped"), order("delivered"), order(awaits_payment=True), order("returned")]
    for state in ("came back", "waits for payment", "is on its way", "is on its way"):
        assert words.heading_of(orders, [offer()]).text == f"Welcome kit: CCNA {state}"
        orders = [one for one in orders if not one.awaits_payment] if "payment" in state else orders
        orders = [one for one in orders if one.state != "returned"]
    assert words.heading_of([], [offer()]).text == "Welcome kit: CCNA is yours to claim"
    assert words.heading_of([], [offer(), offer()]).text == "2 things are yours to claim"
    assert words.heading_of([order("delivered")], []).text == "Nothing is on its way"
    assert words.heading_of([], []).text == "No kits"


def test_an_offer_says_its_price_and_its_last_day() -> None:
    until = datetime(2027, 3, 15, tzinfo=UTC)  # the end of the fourteenth
    said = words.offer_words(offer(claim_until=until)).replace("\xa0", " ")
    assert said == "Free of charge, once. Claim it by 14 March 2027."
    priced = offer(price=Price(amount="79.00", currency="USD"))
    assert "79" in words.offer_words(priced)
    assert words.weeks(offer()) == "It takes 12 to 16 weeks."


def test_what_was_had_is_said_with_its_day() -> None:
    claimed = offer("claimed", order_id="o1")
    token = words.had_words(claimed, order("ordered"), token=True)
    assert token.replace("\xa0", " ") == "This token was used on 1 September 2026."
    had = words.had_words(claimed, order("delivered"), token=False).replace("\xa0", " ")
    assert had == "You had it; it was delivered on 20 November 2026. There is one of each."
    assert words.had_words(offer("expired"), None, token=True) == "The last day to claim it has passed."


FORM = AddressForm(
    country="US",
    fields=[
        FormField(name="lines", kind="street", required=True, examples=[], options=[]),
        FormField(name="city", kind="city", required=True, examples=[], options=[]),
        FormField(
            name="region",
            kind="state",
            required=True,
            examples=[],
            options=[Region(code="CA", name="California", latin="CA")],
        ),
        FormField(name="postal_code", kind="zip", required=True, examples=["95014"], options=[]),
    ],
)


def test_an_address_is_read_as_it_was_begun() -> None:
    given = Address(lines=["Main Street 1", "Floor 2"], city="San Jose", region="CA", postal_code="95014", country="US")
    typed = addresses.begun(given, "SE") | {"lines": " Main  Street 1\r\n\r\nFloor 2 "}
    assert Address.model_validate(addresses.read(typed)) == given
    assert addresses.begun(None, "SE")["country"] == "SE"


def test_an_address_without_street_or_country_is_not_even_checked() -> None:
    assert addresses.missing(addresses.read({})) == {
        "country": "Choose a country from the list",
        "lines": "Enter the street and number",
    }
    assert list(addresses.missing(addresses.read({"country": "US", "lines": "1\n2\n3\n4\n5\n6\n7"}))) == ["lines"]


def test_faults_stand_at_their_fields_in_the_order_of_the_form() -> None:
    problems = [
        AddressProblem(path="postal_code", code="format", message="That isn't a ZIP code of this country."),
        AddressProblem(path="city", code="required", message="We need the city."),
        AddressProblem(path="lines.0", code="po_box", message="That's a box."),
    ]
    faults = addresses.faults_of(problems, FORM)
    assert list(faults) == ["lines", "city", "postal_code"]
    assert faults["city"] == "Enter the city"
    assert faults["lines"].startswith("That's a P.O. box. The carrier needs a street and number.")
    assert faults["postal_code"] == "That isn't a ZIP code of this country."


def test_a_region_is_known_by_its_name_as_well() -> None:
    assert [addresses.option_of(FORM.fields[2], name) for name in ("California", "CA", "Nowhere", "")] == [
        "CA",
        "CA",
        "Nowhere",
        "",
    ]


def test_countries_are_those_to_which_parcels_go() -> None:
    names = dict(countries())
    assert names["SE"] == "Sweden"
    assert not {"EU", "UN", "ZZ", "001"} & set(names)
