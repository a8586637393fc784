"""Lists of codes: good lines are taken, bad ones told with line and reason, and no line stops the others."""

from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exams.vouchers.codes import Codes, end_of, masked
from services.exams.vouchers.lists import CSV, JSON_LINES, BadLine, CodeRow, ListRefused, read_list
from services.exams.vouchers.states import Flag, State, Window, flags

HEADER = "code,vendor,batch,kind,exams,value,valid_from,valid_until\n"


def read(text: str | bytes, media_type: str = CSV) -> list[Any]:
    return list(read_list(media_type, text.encode() if isinstance(text, str) else text))


def told(found: list[Any]) -> list[tuple[int, str]]:
    return [(one.line, one.code) if isinstance(one, BadLine) else (one[0], "taken") for one in found]


def test_both_forms_say_the_same() -> None:
    row = {
        "code": "ABCD-1234-EFGH",
        "vendor": "vue",
        "batch": "2026-spring",
        "kind": "access_code",
        "exams": ["200-301", "350-401"],
        "value": "100 %",
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
    }
    line = "ABCD-1234-EFGH,vue,2026-spring,access_code,200-301 350-401,100 %,2026-01-01,2026-12-31\n"
    ((_, by_csv),) = read("\ufeff" + HEADER + line)
    ((_, by_json),) = read(orjson.dumps(row), JSON_LINES)
    assert by_csv == by_json
    assert by_csv.valid_until == date(2026, 12, 31)


def test_bad_lines_are_told_and_the_others_taken() -> None:
    lines = [
        "AAAA1111,vue,b1,,,,,",
        "AAAA1112,vue,b1",
        "",
        "has space,vue,b1,,,,,",
        "AAAA1113,VUE,b1,,,,,",
        "AAAA1114,vue,b1,gift,,,,",
        "AAAA1115,vue,b1,,,,2026-02-01,2026-01-01",
        "AAAA1116,vue,b1,,,,,31.12.2026",
        '"AAAA1117",vue,b1,,,"two\nlines",,',
        "AAAA1118,vue,b1,,,,,",
    ]
    found = told(read(HEADER + "\n".join(lines)))
    assert [line for line, code in found if code == "taken"] == [2, 12]
    assert [line for line, code in found if code != "taken"] == [3, 5, 6, 7, 8, 9, 10]


def test_reasons_repeat_nothing_of_a_code() -> None:
    found = read(HEADER + "SECRET CODE,vue,b1,,,,,\nSECRET,vue,,,,,,\nSECRET,vue\n" + "SECRET\x00\xff,vue,b,,,,,")
    assert all(isinstance(one, BadLine) and "SECRET" not in one.message for one in found)
    assert len(found) == 4


@pytest.mark.parametrize("text", ["", "vendor,batch\n", "code,vendor,batch,price\n", "code,vendor,batch,code\n"])
def test_file_without_a_fitting_header_is_refused_whole(text: str) -> None:
    with pytest.raises(ListRefused):
        read(text)


def test_text_that_is_not_utf8_is_told_by_line() -> None:
    content = HEADER.encode() + b"AAAA1111,vue,b1,,,\xe4,,\nAAAA1112,vue,b1,,,,,\n"
    assert told(read(content)) == [(2, "encoding"), (3, "taken")]


@given(st.binary(max_size=200), st.sampled_from([CSV, JSON_LINES]))
def test_no_bytes_break_the_reader(content: bytes, media_type: str) -> None:
    for one in read_list(media_type, HEADER.encode() + content if media_type == CSV else content):
        assert isinstance(one, BadLine) or isinstance(one[1], CodeRow)


def test_codes_are_found_in_any_case_and_opened_by_their_secret_alone() -> None:
    codes, others = Codes("s" * 32), Codes("t" * 32)
    assert codes.voucher_id("cisco", "vue", "abcd1234") == codes.voucher_id("cisco", "vue", "ABCD1234")
    names = {codes.voucher_id(*it, "ABCD1234") for it in (("cisco", "vue"), ("cisco", "psi"), ("juniper", "vue"))}
    assert len(names | {others.voucher_id("cisco", "vue", "ABCD1234")}) == 4
    assert codes.open(codes.seal("AbCd1234")) == "AbCd1234"
    with pytest.raises(ValueError, match="another secret"):
        others.open(codes.seal("AbCd1234"))


def test_mask_shows_the_end_of_a_long_code_and_nothing_of_a_short_one() -> None:
    assert masked(end_of("ABCD-1234-EFGH")) == "••••EFGH"
    assert masked(end_of("ABC1234")) == "••••"


DAY = date(2026, 11, 20)
ENDED = Window(None, date(2026, 11, 19))


@pytest.mark.parametrize(
    ("before", "window", "holders", "used_by", "registrations", "wrong"),
    [
        (State.ASSIGNED, Window(None, DAY), ["C1"], "C1", ["G1"], []),
        (State.ASSIGNED, Window(None, None), ["C1"], None, ["G1"], []),
        (State.ASSIGNED, Window(None, None), ["C1", "C9"], "C9", ["G1", "G1"], []),
        (State.ASSIGNED, Window(None, None), ["C1"], "C2", ["G1"], [Flag.ANOTHER]),
        (State.FREE, Window(None, None), [], "C2", ["G1"], [Flag.NOBODYS]),
        (State.EXPIRED, ENDED, ["C1"], "C1", ["G1"], [Flag.EXPIRED]),
        (State.WITHDRAWN, ENDED, ["C1"], "C2", ["G1", "G2"], [*list(Flag)[3:], Flag.ANOTHER, Flag.TWICE]),
    ],
)
def test_what_is_wrong_with_a_use(  # noqa: PLR0917 a table
    before: State, window: Window, holders: list[str], used_by: str | None, registrations: list[str], wrong: list[Flag]
) -> None:
    assert flags(before, window, DAY, holders=holders, used_by=used_by, registrations=registrations) == wrong


def test_window_holds_its_two_ends() -> None:
    window = Window(date(2026, 1, 1), date(2026, 1, 2))
    assert [window.holds(date(2026, 1, day)) for day in (1, 2, 3)] == [True, True, False]
    assert not window.holds(date(2025, 12, 31))
