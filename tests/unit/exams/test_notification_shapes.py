"""Whatever is sent as a notification is read, or refused with where and why."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.exams.notices.shapes import MOST, Notifications, Read
from tests.service.vendor_station import moved, notice, said_result

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
GOOD = (said_result(), said_result("modify"), notice("hold"), notice("un_revoke"), moved("no_show"))
PLACES = (("id",), ("kind",), ("program",), ("occurred_at",), ("data",), ("data", "result_id"), ("data", "taken_at"))


def read(body: Any) -> list[Read]:
    return Notifications.model_validate_json(json.dumps(body), strict=True).read()


@given(ANYTHING)
def test_anything_is_read_or_refused(body: Any) -> None:
    try:
        found = read(body)
    except ValidationError:
        assert not isinstance(body, dict)
        return
    assert all((item.notification is None) == bool(item.reasons) for item in found)


@given(st.sampled_from(GOOD), st.sampled_from(PLACES), ANYTHING)
def test_one_field_with_anything_in_it_breaks_nothing(good: Any, place: tuple[str, ...], value: Any) -> None:
    body = json.loads(json.dumps(good))
    inner = body
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    (item,) = read(body)
    assert (item.notification is None) == bool(item.reasons)
    assert json.loads(item.raw) == json.loads(json.dumps(body)) or "NaN" in json.dumps(body)


@pytest.mark.parametrize("good", GOOD, ids=lambda body: str(body["kind"]))
def test_good_ones_are_read_alone_and_in_a_list(good: Any) -> None:
    assert [item.notification is not None for item in read(good)] == [True]
    assert [item.notification is not None for item in read([good] * MOST)] == [True] * MOST


def test_number_of_many_digits_is_no_outage() -> None:
    body = f'{{"kind": "hold", "id": {"9" * 5000}}}'
    try:
        (item,) = Notifications.model_validate_json(body, strict=True).read()
    except ValidationError:
        return
    assert item.reasons
