"""Logs hold names and ids of things; a personal value never comes out, whichever way it goes in."""

import ast
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from libs.common.errors import Unavailable
from libs.common.events import vendors
from libs.common.logs import ALLOWED, configure_logs

PROJECT = Path(__file__).parents[3]
NAME, EMAIL = "Ångström-Quux", "zoe.quux@example.com"


class Output:
    """Where a process configured here writes its log."""

    def __init__(self) -> None:
        self._stream = StringIO()

    def configure(self, *, level: str = "info", human: bool = False) -> None:
        with redirect_stderr(self._stream):
            configure_logs(level=level, service="exams", role="worker", human=human)

    def text(self) -> str:
        return self._stream.getvalue()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def output() -> Iterator[Output]:
    """Logging as a process configures it."""
    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    output = Output()
    output.configure()
    yield output
    root.handlers[:], root.level = handlers, level
    structlog.configure(**config)
    structlog.contextvars.clear_contextvars()


def test_line_says_what_happened_where(output: Output) -> None:
    structlog.get_logger().info("event_parked", queue="exams.events", tries=5)
    (line,) = output.lines()
    assert (line["event"], line["queue"], line["tries"]) == ("event_parked", "exams.events", 5)
    assert (line["service"], line["role"], line["level"]) == ("exams", "worker", "info")
    assert line["timestamp"].endswith("Z")


def test_value_under_a_key_nobody_has_allowed_is_withheld(output: Output) -> None:
    structlog.get_logger().warning("mail_refused", name=NAME, email=EMAIL, body={"to": EMAIL}, code="550")
    (line,) = output.lines()
    assert (line["name"], line["email"], line["body"], line["code"]) == (
        "[withheld]",
        "[withheld]",
        "[withheld]",
        "550",
    )


def test_whatever_a_line_of_ours_says_may_be_written() -> None:
    folders = (PROJECT / "libs", PROJECT / "services")
    calls = [
        (path.relative_to(PROJECT), node)
        for folder in folders
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"debug", "info", "warning", "error", "exception"}
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
    ]
    assert len(calls) > 100
    said = [(str(path), call.lineno, key.arg) for path, call in calls for key in call.keywords if key.arg]
    assert [each for each in said if each[2] not in ALLOWED | {"exc_info"}] == []


def test_bound_value_is_withheld_too(output: Output) -> None:
    structlog.get_logger().bind(family_name=NAME).info("looked_up")
    with structlog.contextvars.bound_contextvars(login=EMAIL):
        structlog.get_logger().info("entered")
    assert [(line.get("family_name"), line.get("login")) for line in output.lines()] == [
        ("[withheld]", None),
        (None, "[withheld]"),
    ]


def fail_with_local_values(email: str) -> None:
    secret = f"{NAME} <{email}>"
    raise RuntimeError(f"out of order, {len(secret)} letters")


def test_traceback_shows_no_local_variables(output: Output) -> None:
    try:
        fail_with_local_values(EMAIL)
    except RuntimeError:
        structlog.get_logger().exception("went_wrong")
    (line,) = output.lines()
    assert "fail_with_local_values" in json.dumps(line["exception"])
    assert EMAIL not in json.dumps(line, ensure_ascii=False)


def test_error_that_quotes_its_input_is_not_repeated(output: Output) -> None:
    try:
        vendors.VendorCandidate(given_name=NAME, family_name=f"{NAME}\n", email=f"{EMAIL}@", country="Sweden")
    except ValidationError:
        structlog.get_logger().exception("went_wrong")
        logging.getLogger("some.library").exception("went wrong")
    written = json.dumps(output.lines(), ensure_ascii=False)
    assert "ValidationError" in written
    assert NAME not in written
    assert EMAIL not in written


def test_librarys_own_lines_come_out_alike_and_only_from_warning_on(output: Output) -> None:
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("heed this")
    (line,) = output.lines()
    assert (line["event"], line["level"], line["service"]) == ("heed this", "warning", "exams")


def test_level_is_the_least_that_is_written(output: Output) -> None:
    output.configure(level="error")
    structlog.get_logger().warning("quiet")
    structlog.get_logger().error("loud")
    assert [line["event"] for line in output.lines()] == ["loud"]


def test_logs_for_a_terminal_say_as_little(output: Output) -> None:
    output.configure(human=True)
    try:
        fail_with_local_values(EMAIL)
    except RuntimeError:
        structlog.get_logger().exception("went_wrong", email=EMAIL)
        logging.getLogger("some.library").exception("went wrong too")
    assert "went_wrong" in output.text()
    assert "went wrong too" in output.text()
    assert "fail_with_local_values" in output.text()
    assert EMAIL not in output.text()


def test_what_led_to_an_error_is_said_with_the_same_discretion(output: Output) -> None:
    try:
        try:
            vendors.VendorCandidate(given_name=NAME, family_name=NAME, email=EMAIL, country="Sweden")
        except ValidationError as error:
            raise ExceptionGroup("several", [Unavailable("no broker"), ValueError(EMAIL)]) from error
    except ExceptionGroup:
        structlog.get_logger().exception("went_wrong")
    (line,) = output.lines()
    assert line["exception"]["cause"]["type"] == "ValidationError"
    assert [part["text"] for part in line["exception"]["parts"]] == ["no broker", "[withheld]"]
    assert NAME not in output.text()
    assert EMAIL not in output.text()


@pytest.mark.parametrize("chosen", [EMAIL, "Zoe Quux", NAME, "x" * 129])
def test_id_that_a_vendor_has_chosen_is_withheld_where_it_looks_like_a_person(output: Output, chosen: str) -> None:
    structlog.get_logger().info("message_handled", correlation_id=chosen, message_id="S-5512/1")
    (line,) = output.lines()
    assert (line["correlation_id"], line["message_id"]) == ("[withheld]", "S-5512/1")
