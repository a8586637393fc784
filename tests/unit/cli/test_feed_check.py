"""A file's rows are checked as the platform's border will check them."""

from pathlib import Path
from typing import Any

import pytest

from deploy.cli.feed import open_file
from deploy.cli.feed_check import Checked, RowCheck, accepted_messages, check_rows
from libs.common.clock import SystemClock
from libs.common.programs import Program, load_programs
from tests.unit.cli.lines import WriteLines

KIND = "ExamResultReported.v1"


@pytest.fixture(scope="module")
def programs() -> dict[str, Program]:
    return load_programs(Path(__file__).parents[3] / "deploy" / "programs")


def check(path: Path, programs: dict[str, Program], *, unchecked: bool = False) -> Checked:
    file = open_file(path, "vue", "cisco", KIND)
    border = None if unchecked else RowCheck(programs, SystemClock(), columns=file.columns)
    return check_rows(file.rows(), border, lambda: None)


def reasons(checked: Checked) -> list[tuple[int, str, str]]:
    return [(row.line, row.reasons[0].path, row.reasons[0].code) for row in checked.rejected]


def test_good_rows_pass_and_bad_ones_name_line_path_and_code(
    json_lines: WriteLines, result: dict[str, Any], programs: dict[str, Program]
) -> None:
    path = json_lines(
        result,
        {**result, "exam_code": "999-999"},
        {"program": "nosuch", "data": result},
        {**result, "revision": 0},
        {**result, "taken_at": "9999-01-01T00:00:00Z"},
        "{",
    )
    checked = check(path, programs)
    assert (checked.rows, checked.accepted) == (6, 1)
    assert reasons(checked) == [
        (2, "data.exam_code", "unknown_exam"),
        (3, "program", "unknown_program"),
        (4, "data.revision", "schema"),
        (5, "data.taken_at", "schema"),
        (6, "", "not_json"),
    ]


def test_reasons_name_columns_in_a_csv_file(tmp_path: Path, programs: dict[str, Program]) -> None:
    path = tmp_path / "results.csv"
    header = "result_id,revision,vendor_candidate_id,registration_id,exam_code,taken_at,grade"
    path.write_text(f"{header}\nR1,1,C1,G1,200-301,2026-05-04T10:00:00Z,perhaps\n")
    assert reasons(check(path, programs)) == [(2, "grade", "schema")]


def test_only_accepted_rows_are_sent(
    json_lines: WriteLines, result: dict[str, Any], programs: dict[str, Program]
) -> None:
    path = json_lines({**result, "result_id": "R1"}, {**result, "grade": "perhaps"}, {**result, "result_id": "R3"})
    file = open_file(path, "vue", "cisco", KIND)
    messages = list(accepted_messages(file.rows(), check(path, programs)))
    assert [b'"R1"' in messages[0].body, b'"R3"' in messages[1].body, len(messages)] == [True, True, 2]


def test_unchecked_rows_are_rejected_only_where_they_make_no_message(
    json_lines: WriteLines, result: dict[str, Any], programs: dict[str, Program]
) -> None:
    checked = check(json_lines({**result, "grade": "perhaps"}, "{"), programs, unchecked=True)
    assert reasons(checked) == [(2, "", "not_json")]
