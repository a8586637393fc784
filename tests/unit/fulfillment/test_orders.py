"""What a fulfilment house tells of an order, in whatever order it comes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import Benefit
from services.fulfillment.domain.orders import Entry, Order, State, advance, promise

PLACED = datetime(2026, 11, 1, 9, tzinfo=UTC)
PENDING = Order(
    id="O1",
    program="cisco",
    candidate_id="C1",
    offer_id="F1",
    benefit="initial_kit",
    certification="CCNA",
    title="Welcome kit: CCNA",
    vendor="kits",
    placed_at=PLACED,
    history=(Entry("pending", PLACED, "candidate"),),
)
STATES: list[State] = ["ordered", "in_production", "shipped", "delivered", "returned", "cancelled"]
reports = st.builds(
    Entry,
    state=st.sampled_from(STATES),
    at=st.integers(0, 5).map(lambda hours: PLACED + timedelta(hours=hours)),
    by=st.sampled_from(["vendor:kits", "staff:S1"]),
    carrier=st.sampled_from([None, "UPS", "DHL"]),
    tracking_number=st.sampled_from([None, "1Z"]),
)


def told(order: Order, *said: Entry) -> Order:
    for one in said:
        order = advance(order, one) or order
    return order


def report(state: State, day: int = 2, **more: str) -> Entry:
    return Entry(state, datetime(2026, 11, day, 9, tzinfo=UTC), "vendor:kits", **more)


@given(st.data(), st.lists(reports, max_size=6))
def test_order_depends_on_what_is_told_and_not_on_when(data: st.DataObject, said: list[Entry]) -> None:
    other = data.draw(st.permutations(said + data.draw(st.lists(st.sampled_from(said), max_size=3)) if said else said))
    assert told(PENDING, *said) == told(PENDING, *other)


@given(st.lists(reports, max_size=6))
def test_a_repetition_is_no_news(said: list[Entry]) -> None:
    order = told(PENDING, *said)
    assert all(advance(order, one) is None for one in said)
    elsewhere = timezone_of(said)
    assert all(advance(order, one) is None for one in elsewhere)


def timezone_of(said: list[Entry]) -> list[Entry]:
    """The same moments, finer than they are kept and with another offset."""
    return [replace(one, at=(one.at + timedelta(microseconds=7)).astimezone()) for one in said]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ([], "pending"),
        ([report("shipped", 5), report("ordered", 6)], "shipped"),
        ([report("delivered", 7), report("returned", 9)], "returned"),
        ([report("returned", 7), report("delivered", 9)], "delivered"),
        ([report("ordered"), report("cancelled", 3)], "cancelled"),
        ([report("cancelled", 3), report("in_production", 4)], "cancelled"),
        ([report("cancelled", 3), report("shipped", 4)], "shipped"),
        ([report("delivered", 3), report("shipped", 4), report("cancelled", 5)], "delivered"),
    ],
)
def test_the_farthest_step_counts(said: list[Entry], state: State) -> None:
    assert told(PENDING, *said).state == state


def test_what_was_said_last_of_the_parcel_is_known_of_it() -> None:
    order = told(
        PENDING,
        report("shipped", 6, carrier="DHL", tracking_number="2"),
        report("shipped", 5, carrier="UPS", tracking_number="1", tracking_url="https://ups.example/1"),
        report("delivered", 8),
    )
    assert (order.carrier, order.tracking_number, order.tracking_url) == ("DHL", "2", "https://ups.example/1")


def test_a_promise_is_kept_on_its_last_day() -> None:
    promised = promise(Benefit("kit", "Kit"), date(2026, 11, 1))
    assert promised == date(2027, 2, 21)
    order = replace(PENDING, promised_by=promised)
    assert (order.is_late(promised), order.is_late(promised + timedelta(1))) == (False, True)
    assert not told(order, report("delivered")).is_late(promised + timedelta(1))
    assert not PENDING.is_late(date(2029, 1, 1))
