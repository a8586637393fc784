"""A cursor comes back as it went out, and nothing else is one."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from libs.common.http.paging import Cursor, Page
from libs.common.http.problems import INVALID, Problem

HISTORY = Cursor("history", tuple[datetime, str])

moments = st.datetimes(timezones=st.just(UTC))
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


class Item(BaseModel):
    number: int


@given(moments, texts)
def test_a_cursor_comes_back_as_it_went_out(moment: datetime, text: str) -> None:
    written = HISTORY.encode((moment, text))
    assert HISTORY.decode(written) == (moment, text)
    assert written.isascii()
    assert not set(written) & set("+/=&? ")


@given(st.text(max_size=80))
def test_what_was_not_made_here_is_refused_by_name(text: str) -> None:
    with pytest.raises(Problem) as caught:
        HISTORY.decode(text)
    assert caught.value.kind is INVALID
    assert [error.path for error in caught.value.errors] == ["query.cursor"]


@given(moments, texts, st.integers(min_value=0), st.sampled_from("ABab01-_="))
def test_a_changed_cursor_is_refused_or_is_another_valid_one(
    moment: datetime, text: str, position: int, replacement: str
) -> None:
    written = HISTORY.encode((moment, text))
    at = position % len(written)
    changed = written[:at] + replacement + written[at + 1 :]
    try:
        key = HISTORY.decode(changed)
    except Problem:
        return
    assert key is not None
    assert HISTORY.encode(key) == changed


@pytest.mark.parametrize(
    "plain",
    [
        b'offers:["2024-01-01T00:00:00Z","a"]',  # of another list
        b'history:["2024-01-01T00:00:00Z", "a"]',  # not as we write it
        b'history:["2024-01-01T00:00:00Z","a","b"]',
        b'history:["2024-01-01T00:00:00Z",{"$ne":""}]',
        b"history:[1e999,1]",
        b"",
    ],
)
def test_a_made_up_cursor_is_refused(plain: bytes) -> None:
    with pytest.raises(Problem):
        HISTORY.decode(base64.urlsafe_b64encode(plain).rstrip(b"=").decode())


def test_the_cursor_of_another_list_is_refused() -> None:
    other = Cursor("offers", tuple[datetime, str])
    with pytest.raises(Problem):
        HISTORY.decode(other.encode((datetime(2026, 1, 1, tzinfo=UTC), "a")))


@given(st.integers(0, 30), st.integers(1, 10))
def test_pages_show_every_row_once(total: int, limit: int) -> None:
    cursor = Cursor("rows", int)
    shown: list[int] = []
    after: str | None = None
    while True:
        start = cursor.decode(after)
        rows = [row for row in range(total) if start is None or row > start][: limit + 1]
        page = cursor.page(Page[Item], rows, limit, key=int, show=lambda row: Item(number=row))
        assert len(page.items) <= limit
        shown += [item.number for item in page.items]
        after = page.next
        if after is None:
            break
    assert shown == list(range(total))
