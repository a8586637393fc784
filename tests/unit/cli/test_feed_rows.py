"""Rows of a JSON Lines file become messages, or reasons."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.cli.feed_rows import Row, defaults_for, read_json_lines
from libs.common.bus.topology import MAX_MESSAGE_BYTES
from libs.common.events import SINGLE
from tests.unit.cli.lines import WriteLines

KIND = "ExamResultReported.v1"


def read(path: Path, *, program: str | None = "cisco", event_type: str | None = KIND) -> list[Row]:
    return list(read_json_lines(path, defaults_for(path, "vue", program, event_type)))


def event(row: Row) -> dict[str, Any]:
    assert row.message is not None, row.reasons
    return dict(orjson.loads(row.message.body))


def test_a_row_becomes_an_event_of_the_vendor(json_lines: WriteLines, result: dict[str, Any]) -> None:
    row = {"id": "e1", "type": KIND, "program": "cisco", "time": "2026-05-04T09:00:00Z", "data": result}
    (read_row,) = read(json_lines(row), program=None, event_type=None)
    assert event(read_row) == {
        "specversion": "1.0",
        "id": "e1",
        "source": "vue",
        "type": f"vue.{KIND}",
        "time": "2026-05-04T09:00:00Z",
        "datacontenttype": "application/json",
        "program": "cisco",
        "data": result,
    }
    message = read_row.message
    assert message is not None
    assert (message.id, message.user_id, message.content_type) == ("e1", "vue", SINGLE)
    assert (message.exchange, message.routing_key) == ("certrail.vendors", f"vue.{KIND}")


def test_bare_event_data_takes_type_and_program_from_the_options(
    json_lines: WriteLines, result: dict[str, Any]
) -> None:
    (row,) = read(json_lines(result))
    assert (event(row)["type"], event(row)["program"], event(row)["data"]) == (f"vue.{KIND}", "cisco", result)


def test_the_same_row_has_the_same_id_in_every_file(json_lines: WriteLines, result: dict[str, Any]) -> None:
    first = read(json_lines(result, name="monday.jsonl"))
    again = read(json_lines({**result, "result_id": "R2"}, dict(reversed(result.items())), name="tuesday.jsonl"))
    assert event(first[0])["id"] == event(again[1])["id"] != event(again[0])["id"]


def test_rows_without_a_time_keep_their_order(json_lines: WriteLines, result: dict[str, Any]) -> None:
    times = [event(row)["time"] for row in read(json_lines(result, result, result))]
    assert times == sorted(set(times))


def test_a_type_may_carry_the_vendors_name(json_lines: WriteLines, result: dict[str, Any]) -> None:
    (row,) = read(json_lines({"type": f"vue.{KIND}", "data": result}))
    assert event(row)["type"] == f"vue.{KIND}"


def test_empty_lines_and_a_byte_order_mark_are_no_rows(json_lines: WriteLines, result: dict[str, Any]) -> None:
    rows = read(json_lines("\ufeff" + orjson.dumps(result).decode(), "", "  ", result))
    assert [row.line for row in rows] == [1, 4]
    assert all(row.message for row in rows)


@pytest.mark.parametrize(
    ("line", "path", "code"),
    [
        ('{"data": {}', "", "not_json"),
        ("[1]", "", "not_a_row"),
        ('{"data": {}, "extra": 1}', "extra", "unknown_key"),
        ('{"data": null}', "data", "missing"),
        ('{"data": {}, "type": 7}', "type", "envelope"),
    ],
)
def test_a_row_that_makes_no_message_says_why(json_lines: WriteLines, line: str, path: str, code: str) -> None:
    (row,) = read(json_lines(line))
    assert row.message is None
    assert [(reason.path, reason.code) for reason in row.reasons] == [(path, code)]


def test_a_row_without_program_or_type_is_told_which_option_helps(json_lines: WriteLines) -> None:
    rows = read(json_lines({"data": {}}, {"data": {}, "type": KIND}), program=None, event_type=None)
    assert ["--type" in rows[0].reasons[0].message, "--program" in rows[1].reasons[0].message] == [True, True]


def test_a_row_too_large_for_the_broker_is_not_sent(json_lines: WriteLines) -> None:
    (row,) = read(json_lines({"text": "x" * MAX_MESSAGE_BYTES}))
    assert [reason.code for reason in row.reasons] == ["too_large"]
