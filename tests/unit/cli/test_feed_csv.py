"""The CSV form of a vendor's file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.cli.errors import CliError
from deploy.cli.feed_csv import field_kinds, read_csv
from deploy.cli.feed_rows import Row, defaults_for
from libs.common.events import vendors

KIND = "ExamRegistered.v1"
Write = Callable[[str], list[Row]]


@pytest.fixture
def read(tmp_path: Path) -> Write:
    """Reads CSV text as a vendor's file of registrations."""

    def read(text: str) -> list[Row]:
        path = tmp_path / "rows.csv"
        path.write_text(text, encoding="utf-8", newline="")
        return list(read_csv(path, defaults_for(path, "vue", "cisco", None)))

    return read


def data(row: Row) -> dict[str, Any]:
    assert row.message is not None, row.reasons
    return dict(orjson.loads(row.message.body)["data"])


def test_dotted_columns_nest(read: Write) -> None:
    (row,) = read(f"type,exam_code,candidate.email,candidate.given_name\r\n{KIND},200-301,a@example.com,Zoë\r\n")
    assert data(row) == {"exam_code": "200-301", "candidate": {"email": "a@example.com", "given_name": "Zoë"}}


def test_numbers_and_lists_are_read_as_such_and_texts_are_not(read: Write) -> None:
    header = "type,result_id,revision,score,sections"
    (row,) = read(f'{header}\nExamResultReported.v1,007,2,66.5,"[{{""name"": ""A"", ""percent"": 8}}]"\n')
    assert data(row) == {"result_id": "007", "revision": 2, "score": 66.5, "sections": [{"name": "A", "percent": 8}]}


def test_an_empty_cell_leaves_the_field_out(read: Write) -> None:
    (row,) = read(f"type,exam_code,site\n{KIND},200-301,\n")
    assert data(row) == {"exam_code": "200-301"}


def test_optional_columns_replace_what_is_derived(read: Write) -> None:
    header = "type,id,program,time,exam_code"
    (row,) = read(f"{header}\n{KIND},e7,juniper,2026-01-02T03:04:05Z,JN0-105\n")
    assert row.message is not None
    event = orjson.loads(row.message.body)
    assert (event["id"], event["program"], event["time"]) == ("e7", "juniper", "2026-01-02T03:04:05Z")


def test_a_byte_order_mark_and_line_breaks_in_cells_do_no_harm(read: Write) -> None:
    rows = read(f'\ufefftype,exam_code,site\n{KIND},200-301,"two\nlines"\n{KIND},200-301,one\n')
    assert [row.line for row in rows] == [3, 4]
    assert data(rows[0])["site"] == "two\nlines"


@pytest.mark.parametrize(
    ("line", "path", "code"),
    [
        (f"{KIND},200-301,1,too many", "", "cells"),
        (f"{KIND}", "", "cells"),
        ("ExamResultReported.v1,200-301,x", "type", "mixed_types"),
    ],
)
def test_a_faulty_row_is_told_and_its_neighbours_pass(read: Write, line: str, path: str, code: str) -> None:
    rows = read(f"type,exam_code,site\n{KIND},200-301,1\n{line}\n{KIND},200-301,2\n")
    assert [bool(row.message) for row in rows] == [True, False, True]
    assert (rows[1].line, rows[1].reasons[0].path, rows[1].reasons[0].code) == (3, path, code)


def test_a_cell_that_is_no_number_names_its_column(read: Write) -> None:
    (row,) = read('type,revision,score\nExamResultReported.v1,one,"8,5"\n')
    assert [(reason.path, reason.message) for reason in row.reasons] == [
        ("revision", "is not a whole number"),
        ("score", "is not a number"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no header"),
        (f"type,exam_kode\n{KIND},1\n", "unknown column 'exam_kode'"),
        (f"type,site,site\n{KIND},1,2\n", "twice"),
        ("type,site\nExamForgotten.v1,1\n", "no event type 'ExamForgotten.v1'"),
        ("site\nx\n", "names no event type"),
        (f'type,site\n{KIND},"open\n', "is not CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_fault(read: Write, text: str, words: str) -> None:
    with pytest.raises(CliError, match=words):
        read(text)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"type,site\nExamRegistered.v1,Z\xfcrich\n")
    with pytest.raises(CliError, match="UTF-8"):
        list(read_csv(path, defaults_for(path, "vue", "cisco", None)))


def test_every_field_of_a_registration_has_a_column() -> None:
    kinds = field_kinds(vendors.ExamRegistered)
    assert {"candidate.family_name", "address.lines", "address.postal_code", "scheduled_at", "language"} <= kinds.keys()
    assert (kinds["address.lines"], kinds["scheduled_at"]) == ("array", "string")
