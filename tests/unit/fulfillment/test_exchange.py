"""What is between us and a fulfilment house, as far as it is pure: standings, lines, lists, definitions."""

from datetime import date
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.programs.errors import ProgramErrors
from services.fulfillment.exchange.comparing import (
    Finding,
    Kind,
    NoList,
    Ours,
    Theirs,
    Unreadable,
    compare,
    read_orders,
    read_stock,
)
from services.fulfillment.exchange.definition import House, load_house
from services.fulfillment.exchange.printing import Parcel, line_of, why_unsendable
from services.fulfillment.exchange.standing import (
    Standing,
    State,
    acknowledged,
    again,
    over,
    refused,
    sent,
    stopped,
    withdrawn,
)

STEPS: dict[str, Any] = {
    "sent": sent,
    "acknowledged": acknowledged,
    "refused": partial(refused, reason="no", sending=1),
    "stopped": partial(stopped, reason="letters"),
    "again": again,
    "withdrawn": withdrawn,
    "over": over,
}


@settings(max_examples=200)
@given(steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
def test_what_has_ended_stays_so_and_what_is_withdrawn_is_asked_for_no_more(steps: list[str]) -> None:
    one, ended, recalled = Standing(), False, False
    for step in steps:
        if step in {"sent", "stopped"} and (one.todo is None or (step == "stopped" and one.todo == "withdraw")):
            continue  # these two are steps of whoever does what is to be done
        one = STEPS[step](one)
        recalled = recalled or step == "withdrawn"
        ended = ended or one.state is State.ENDED
        assert not (recalled and one.todo == "request")
        assert not ended or (one.state, one.todo) == (State.ENDED, None)


def test_refusal_of_an_earlier_sending_undoes_nothing() -> None:
    second = sent(again(sent(Standing())))
    assert refused(second, "old", 1) == second
    assert refused(second, "new", 2).state is State.REFUSED
    assert acknowledged(refused(second, "new", 2)) == Standing(State.ACKNOWLEDGED, None, 2)


def test_house_that_never_heard_of_an_order_is_not_told_that_it_is_called_off() -> None:
    assert withdrawn(Standing()) == Standing(State.ENDED, None)
    assert withdrawn(sent(Standing())).todo == "withdraw"
    assert sent(withdrawn(sent(Standing()))) == Standing(State.ENDED, None, 1)


DEFINITION = """
id: kits
name: Kits Ltd
programs: [cisco]
sign_on: [{anything: that exams checks}]
orders:
  country: US
  files:
    folder: /in
    file: orders-{program}-{number}.txt
    confirmations: {folder: /out, file: "ack-{number}.txt"}
    letters: ascii
    lengths: {Name: 10}
"""
PARCEL = Parcel("O1", "cisco", "C1", "kits", "initial_kit", "Kit", "Ana Diaz", ("1 Elm", "A"), "US", date(2027, 1, 1))


def test_definition_is_read_and_lines_follow_it() -> None:
    house = load_house(DEFINITION, name="kits.yaml")
    assert house is not None
    assert house.files is not None
    assert why_unsendable(line_of(PARCEL, house, 1), house.files) is None
    long, accented = Parcel(**_fields(name="Ana Maria Diaz")), Parcel(**_fields(lines=("Évora",)))
    assert why_unsendable(line_of(long, house, 1), house.files) == "Name is longer than the house prints"
    assert "Address1 has letters" in str(why_unsendable(line_of(accented, house, 1), house.files))
    tabbed = Parcel(**_fields(title="Kit\tAdd\tO2"))
    assert "Title has letters" in str(why_unsendable(line_of(tabbed, house, 1), house.files))
    many = Parcel(**_fields(lines=tuple("abcdefghi")))
    assert line_of(many, House("kits", "kits"), 1)["Address7"] == "g, h, i"
    assert load_house("id: vue\nname: V\nprograms: [cisco]\n", name="vue.yaml") is None


def _fields(**changes: Any) -> dict[str, Any]:
    return {name: getattr(PARCEL, name) for name in Parcel.__slots__} | changes


@pytest.mark.parametrize(
    ("written", "wrong", "said"),
    [
        ("lengths: {Name: 10}", "lengths: {Nam: 10}", "there is no column 'Nam'"),
        ("letters: ascii", "columns: [OrderID]", "`columns` needs Action"),
        ("orders-{program}-{number}.txt", "orders-{number}.txt", "needs the places {program} and {number}"),
        ("country: US", "lists: {folder: /out, file: all.csv}", "needs the place {program}"),
        ("country: US", "resend_days: 0", "resend_days"),
    ],
)
def test_fault_of_a_definition_is_told(written: str, wrong: str, said: str) -> None:
    with pytest.raises(ProgramErrors) as raised:
        load_house(DEFINITION.replace(written, wrong), name="kits.yaml")
    assert said in str(raised.value)


def test_lists_are_read_by_the_names_of_columns() -> None:
    written = 'Tracking_Number,ORDER ID,x,Status\r\n1Z,O1,"a\nb",Shipped\r\n,O2,,lost\r\n\r\n,,,open\r\n'
    first, *bad = list(read_orders(("\ufeff" + written).encode()))
    assert first == Theirs(order_id="O1", status="dispatched", tracking_number="1Z")
    assert [type(one) for one in bad] == [Unreadable, Unreadable]
    good, wrong = list(read_stock(b"item,on_hand,at\nKIT,3,2026-01-01T00:00:00Z\nKIT,-1,\n"))
    assert (getattr(good, "on_hand", None), type(wrong)) == (3, Unreadable)
    for broken in (b"", b"\xff\xfe", b"order_id\nO1\n", b"order_id,status,order_id\n"):
        with pytest.raises(NoList):
            list(read_orders(broken))


@settings(max_examples=300)
@given(content=st.text(max_size=60) | st.text(alphabet='O1,"\nab\r', max_size=60))
def test_no_list_breaks_the_reading(content: str) -> None:
    lines = list(read_orders(b"order_id,status\n" + content.encode("utf-8", "ignore")))
    assert all(isinstance(one, Theirs | Unreadable) for one in lines)


STATES = ("ordered", "in_production", "shipped", "delivered", "returned", "cancelled")
LISTED = ("accepted", "in_production", "dispatched", "delivered", "returned", "cancelled")


@given(
    ours=st.dictionaries(st.sampled_from("ABCD"), st.tuples(st.sampled_from(STATES), st.booleans())),
    theirs=st.dictionaries(st.sampled_from("ABCD"), st.sampled_from(LISTED)),
)
@settings(max_examples=200)
def test_each_order_is_found_at_most_once_and_none_where_both_say_the_same(
    ours: dict[str, tuple[str, bool]], theirs: dict[str, Any]
) -> None:
    here = {key: Ours(key, "C1", state, None, expected) for key, (state, expected) in ours.items()}
    there = {key: Theirs(order_id=key, status=status) for key, status in theirs.items()}
    found: dict[str, Finding] = {one.order_id: one for one in compare(there, here)}
    for key in "ABCD":
        kind = found[key].kind if key in found else None
        if key in here and key in there:
            mine, listed = STATES.index(here[key].state), LISTED.index(there[key].status)
            behind = listed < 3 and mine < 5 and mine > listed
            assert (kind is None) == (mine == listed or behind)
        elif key in there:
            assert kind is Kind.MISSING_HERE
        else:
            assert (kind is Kind.MISSING_THERE) == (key in here and here[key].expected)
