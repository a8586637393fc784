"""The form of result files: every good row is taken, every bad one says where and why, no bytes crash it."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.events import vendors
from services.exams.feeds import lines as lines_module
from services.exams.feeds.lines import LONGEST_LINE, Line, split_lines
from services.exams.feeds.rows import COLUMNS, BadRow, GoodRow, HeaderError, Sheet
from tests.unit.exams.vendor_files import RIGHT, absent, cells, line, member

NOW = datetime(2025, 3, 12, 12, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")
EXAMS = {"200-301": ("cisco",), "JN0-106": ("juniper",), "BOTH-1": ("cisco", "juniper")}


class Exams:
    def programs_of(self, exam_code: str) -> tuple[str, ...]:
        return EXAMS.get(exam_code, ())


def sheet(header: bytes = "\t".join(COLUMNS).encode(), zone: ZoneInfo = CHICAGO) -> Sheet:
    return Sheet(header, Exams(), zone, NOW)


def good(**changes: str) -> GoodRow:
    row = sheet().read(2, line(cells(**changes)))
    assert isinstance(row, GoodRow), row
    return row


def faults(row: dict[str, str] | bytes, **form: Any) -> list[tuple[str, str]]:
    read = sheet(**form).read(7, row if isinstance(row, bytes) else line(row))
    assert isinstance(read, BadRow), read
    assert read.line == 7
    assert all(fault.message for fault in read.faults)
    return [(fault.column, fault.code) for fault in read.faults]


def read_all(content: bytes) -> list[GoodRow | BadRow]:
    """A member's rows, as an import reads them."""
    found = split_lines(io.BytesIO(content))
    header = next(found)
    here = sheet(header.content or b"")
    return [row for each in found if (row := here.read(each.number, each.content)) is not None]


def test_row_becomes_a_result_with_the_vendors_offset() -> None:
    row = good()
    assert row.program == "cisco"
    assert row.candidate_id == "P1"
    data = row.data
    assert isinstance(data, vendors.ExamResultReported)
    assert (data.registration_id, data.result_id, data.exam_code, data.grade) == ("G1", "G1", "200-301", "pass")
    assert (data.score, data.passing_score, data.form) == (870.0, 825.0, "A")
    assert data.taken_at.isoformat() == "2025-03-10T10:00:00-05:00"


def test_both_date_forms_say_the_same() -> None:
    assert good(ExamDate="03/10/2025 10:00:00").data == good(ExamDate="2025/03/10 10:00:00").data


@pytest.mark.parametrize(
    "date",
    [
        "2025-03-10 10:00:00",
        "10/03/25 10:00:00",
        "2025/02/30 10:00:00",
        "13/01/2025 10:00:00",
        "2025/03/10",
        "2025/03/10 24:00:00",
        "٢٠٢٥/03/10 10:00:00",
    ],
)
def test_other_dates_are_refused(date: str) -> None:
    assert faults(cells(ExamDate="x") if not date.isascii() else cells(ExamDate=date)) == [("ExamDate", "date")]


def test_hour_that_comes_twice_is_the_first_and_one_that_never_was_keeps_its_date() -> None:
    taken = [good(ExamDate=date).data for date in ("2024/11/03 01:30:00", "2025/03/09 02:30:00")]
    assert [data.taken_at.isoformat() for data in taken if isinstance(data, vendors.ExamResultReported)] == [
        "2024-11-03T01:30:00-05:00",
        "2025-03-09T02:30:00-06:00",
    ]


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ({"NoShow": "1"}, None),
        ({"NoShow": "Y", "NDARefused": "true"}, "nda_refused"),
        ({"NoShow": "", "NDARefused": "yes"}, "nda_refused"),
    ],
)
def test_absence_is_a_change_of_the_appointment(flags: dict[str, str], reason: str | None) -> None:
    row = sheet().read(2, line(absent(**flags)))
    assert isinstance(row, GoodRow)
    assert isinstance(row.data, vendors.ExamAppointmentChanged)
    assert (row.data.registration_id, row.data.change) == ("G1", "no_show")
    assert getattr(row.data, "reason", reason) == reason


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (cells(ExamSeriesCode="NO-1"), [("ExamSeriesCode", "unknown_exam")]),
        (cells(ExamSeriesCode="BOTH-1"), [("ExamSeriesCode", "ambiguous_exam")]),
        (cells(Grade="great"), [("Grade", "grade")]),
        (cells(Grade=""), [("Grade", "missing")]),
        (cells(NoShow="1"), [("NoShow", "contradiction"), ("Grade", "contradiction")]),
        (cells(NoShow="maybe"), [("NoShow", "flag")]),
        (cells(Score="8,5", Attempt="-1"), [("Attempt", "number"), ("Score", "number")]),
        (cells(Score="1000000"), [("Score", "schema")]),
        (cells(ExamDate="2025/03/14 10:00:00"), [("ExamDate", "future")]),
        (cells(ExamDate="1979/03/14 10:00:00"), [("ExamDate", "schema")]),
        (cells(RegistrationID=""), [("RegistrationID", "missing")]),
        (
            cells(RegistrationID='"G1"', ClientCandidateID="P 1"),
            [("RegistrationID", "schema"), ("ClientCandidateID", "schema")],
        ),
        (cells(ExamLanguage="English!"), [("ExamLanguage", "schema")]),
        (cells(ExamName="a\tb"), [("", "cells")]),
        (line(RIGHT).replace(b"870", b"87\x81"), [("Score", "encoding")]),
        (line(RIGHT).rpartition(b"\t")[0], [("", "cells")]),
    ],
)
def test_bad_row_names_every_column_at_fault(row: dict[str, str] | bytes, expected: list[tuple[str, str]]) -> None:
    assert sorted(faults(row)) == sorted(expected)


def test_bad_row_says_whose_it_is_as_far_as_it_can_be_read() -> None:
    bad = sheet().read(3, line(cells(Grade="great")))
    assert isinstance(bad, BadRow)
    assert (bad.registration_id, bad.program) == ("G1", "cisco")


def test_quotes_and_letters_of_cp1252_are_letters_like_others() -> None:
    assert good(ExamName='"Zoë\u2019s \u201cexam\u201d', TCID='"O\'Neil" 5').data == good(TCID='"O\'Neil" 5').data


def test_columns_are_found_by_name_and_unknown_ones_ignored() -> None:
    columns = ("Extra", *reversed(COLUMNS))
    row = sheet("\t".join(columns).encode()).read(2, line(cells(Extra="x"), columns))
    assert isinstance(row, GoodRow)
    assert row.data == good().data


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (b"", "missing_column"),
        ("\t".join(COLUMNS).encode("utf-16"), "encoding"),
        ("\t".join(name for name in COLUMNS if name != "ExamDate").encode(), "missing_column"),
        ("\t".join(name for name in COLUMNS if name not in {"Grade", "NoShow"}).encode(), "missing_column"),
        ("\t".join([*COLUMNS, "Score"]).encode(), "repeated_column"),
        (b"PK\3\4 a zip in the zip", "missing_column"),
    ],
)
def test_member_whose_header_says_too_little_is_refused(header: bytes, code: str) -> None:
    with pytest.raises(HeaderError) as refused:
        sheet(header)
    assert refused.value.code == code


def test_byte_order_mark_says_utf8() -> None:
    (row,) = read_all(b"\xef\xbb\xbf" + member(cells(Form="Ωmega"), encoding="utf-8"))
    assert isinstance(row, GoodRow)
    assert isinstance(row.data, vendors.ExamResultReported)
    assert row.data.form == "Ωmega"


def test_line_that_never_ends_is_one_bad_row_and_the_next_is_read() -> None:
    content = member(cells(), b"x" * (3 * lines_module.BLOCK_BYTES), cells(RegistrationID="G2"))
    first, long, last = read_all(content)
    assert isinstance(first, GoodRow)
    assert isinstance(long, BadRow)
    assert (long.line, long.faults[0].code) == (3, "too_long")
    assert isinstance(last, GoodRow)
    assert last.line == 4


class Trickle:
    """A stream that gives as many bytes at once as it likes."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._stream = io.BytesIO(content)
        self._sizes = sizes

    def read(self, n: int, /) -> bytes:
        size = self._sizes.pop() if self._sizes else n
        return self._stream.read(max(1, min(n, size)))


ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
texts = st.binary(max_size=40).map(lambda text: text.replace(b"\n", b"").replace(b"\r", b"") or b".")


@given(st.lists(st.tuples(texts, ends)), st.lists(st.integers(1, 30)), st.booleans())
def test_lines_are_the_same_however_they_end_and_arrive(
    parts: list[tuple[bytes, bytes]], sizes: list[int], open_end: bool
) -> None:
    content = b"".join(text + end for text, end in parts)
    if open_end and parts:
        content = content.rstrip(b"\r\n")
    found = list(split_lines(Trickle(content, sizes)))
    assert [each.content for each in found] == [text for text, _ in parts]
    assert [each.number for each in found] == list(range(1, len(parts) + 1))
    assert not found or found[-1].after == len(content)


@given(st.lists(st.tuples(texts, ends), min_size=1), st.data())
def test_reading_goes_on_behind_any_line(parts: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    content = b"".join(text + end for text, end in parts)
    whole = list(split_lines(io.BytesIO(content)))
    at: Line = data.draw(st.sampled_from(whole))
    rest = split_lines(io.BytesIO(content[at.after :]), number=at.number, offset=at.after)
    assert list(rest) == whole[at.number :]


@given(st.binary(max_size=3 * LONGEST_LINE))
def test_any_bytes_are_read_to_their_end(content: bytes) -> None:
    for header in ("\t".join(COLUMNS).encode(), b"\xef\xbb\xbf" + "\t".join(COLUMNS).encode()):
        for row in read_all(header + b"\n" + content):
            assert isinstance(row, BadRow)


cell = st.text(st.characters(codec="cp1252", exclude_characters="\t\r\n", exclude_categories=("Cs",)), max_size=12)
rows_like_ours = st.fixed_dictionaries({name: st.one_of(st.just(RIGHT[name]), cell) for name in COLUMNS})


@given(rows_like_ours)
def test_any_cells_make_a_row_or_name_their_columns(row: dict[str, str]) -> None:
    read = sheet().read(2, line(row))
    if isinstance(read, BadRow):
        assert {fault.column for fault in read.faults} <= {*COLUMNS, ""}
        assert read.faults


wrong_lines = st.one_of(
    st.sampled_from([line(cells(Grade="great")), line(cells(ExamDate="soon")), b"a\tb", b"\t" * 50, b"\x81\x8d"]),
    st.binary(min_size=1, max_size=60).map(lambda raw: raw.replace(b"\n", b"?").replace(b"\r", b"?")),
)


@given(st.lists(st.one_of(st.integers(0, 99), wrong_lines)), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_every_good_row_of_a_mixed_file_is_taken(parts: list[int | bytes], end: bytes) -> None:
    content = member(
        *(part if isinstance(part, bytes) else cells(RegistrationID=f"G{part}") for part in parts), end=end
    )
    taken = [row for row in read_all(content) if isinstance(row, GoodRow)]
    assert [row.data.registration_id for row in taken] == [f"G{part}" for part in parts if isinstance(part, int)]
    assert [row.line for row in taken] == [at for at, part in enumerate(parts, 2) if isinstance(part, int)]


@given(
    st.datetimes(datetime(1981, 1, 1), datetime(2025, 3, 11)),  # noqa: DTZ001 local times
    st.sampled_from(["Europe/Berlin", "America/Chicago", "Australia/Lord_Howe"]),
)
def test_local_date_is_always_the_one_written(moment: datetime, zone: str) -> None:
    row = sheet(zone=ZoneInfo(zone)).read(2, line(cells(ExamDate=f"{moment:%Y/%m/%d %H:%M:%S}")))
    assert isinstance(row, GoodRow)
    assert isinstance(row.data, vendors.ExamResultReported)
    assert row.data.taken_at.replace(tzinfo=None) == moment.replace(microsecond=0)
    assert abs(row.data.taken_at.utcoffset() or timedelta()) <= timedelta(hours=14)
