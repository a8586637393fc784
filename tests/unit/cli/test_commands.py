"""What users see: help, errors without tracebacks, exit statuses, plain output where nobody looks at colours."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from deploy.cli.errors import CliError, explained
from deploy.cli.main import app
from deploy.local.settings import PROJECT
from tests.unit.cli.lines import WriteLines

KIND = "ExamResultReported.v1"


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every command below a group, with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


COMMANDS = dict(commands(typer.main.get_command(app)))


def run(*words: str) -> Any:
    return CliRunner().invoke(app, words)


def certrail(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command as a process of its own, without any of our own settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CERTRAIL_")}
    return subprocess.run(
        [sys.executable, "-c", "from deploy.cli.main import main; main()", *words],
        env={**inherited, **environment},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_and_option_has_a_help_text(words: str) -> None:
    command = COMMANDS[words]
    assert command.help
    assert [parameter.name for parameter in command.params if not parameter.help] == []
    assert run(*words.split(), "--help").exit_code == 0


def test_the_promised_commands_are_there() -> None:
    promised = {"up", "down", "status", "feed", "rejected", "simulate", "token", "trace", "capacity"}
    promised |= {"backup", "backups", "restore", "doctor", "events tail", "events replay"}
    promised |= {f"parked {name}" for name in ("list", "show", "replay", "drop")}
    promised |= {f"programs {name}" for name in ("list", "show", "check", "diff", "dry-run", "publish")}
    promised |= {f"staff {name}" for name in ("decide", "decisions", "add", "list", "roles", "invite", "disable")}
    promised |= {f"systems {name}" for name in ("add", "list", "rotate", "disable")}
    promised |= {f"vendors {name}" for name in ("add", "rotate", "remove", "list", "reconcile")}
    promised |= {"audit verify", "audit list"}
    promised |= {f"keys {name}" for name in ("list", "rotate", "withdraw", "fields")}
    assert promised == COMMANDS.keys()


def test_the_doctor_judges_by_the_definitions_that_the_platform_runs_with(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text("id: acme\n")
    told = certrail("doctor", CERTRAIL_PROGRAMS_DIR=str(tmp_path))
    assert "the program definitions are not in order" in told.stderr
    assert "acme.yaml" in told.stderr


def test_a_users_error_is_one_line_and_a_status_without_a_traceback(tmp_path: Path) -> None:
    done = certrail("status", CERTRAIL_STATE_DIR=str(tmp_path / "none"), CERTRAIL_PORT_BASE="64000")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    done = certrail("token", CERTRAIL_STATE_DIR=str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("certrail: no platform was ever started")
    assert "CERTRAIL_GATEWAY_URL" in done.stderr


def test_a_wrong_setting_names_its_variable() -> None:
    done = certrail("token", CERTRAIL_PORT_BASE="99")
    assert done.returncode == 2
    assert done.stderr.startswith("CERTRAIL_PORT_BASE: ")


def test_a_broker_elsewhere_needs_its_management_api() -> None:
    done = certrail("token", CERTRAIL_AMQP_ADMIN_URL="amqp://admin:x@127.0.0.1:5672/")
    assert done.returncode == 2
    assert done.stderr.startswith("CERTRAIL_MANAGEMENT_URL: ")
    assert "CERTRAIL_AMQP_ADMIN_URL" in done.stderr


def test_looking_creates_no_secrets(tmp_path: Path) -> None:
    certrail("token", CERTRAIL_STATE_DIR=str(tmp_path))
    assert not (tmp_path / "secrets.json").exists()


def test_output_into_a_file_has_no_colours() -> None:
    assert "\x1b" not in certrail("programs", "show", "juniper").stdout


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["feed", "nowhere.jsonl", "--vendor", "vue"], "there is no file"),
        (["feed", "README.md", "--vendor", "VUE!"], "--vendor"),
        (["parked", "replay"], "say which"),
        (["parked", "drop", "--all", "--service", "exams"], "say which"),
        (["parked", "list", "--service", "portal"], "no service 'portal'"),
        (["programs", "show", "nosuch"], "no program 'nosuch'"),
        (["events", "tail", "--from", "soon"], "--from"),
    ],
)
def test_bad_input_names_what_is_wrong(words: list[str], fault: str) -> None:
    error = run(*words).exception
    assert isinstance(error, CliError)
    assert fault in str(error)


def test_a_fault_inside_a_task_group_is_explained() -> None:
    nested = ExceptionGroup("tasks", [ExceptionGroup("workers", [CliError("the broker stays away")])])
    found = explained(nested)
    assert found is not None
    assert str(found) == "the broker stays away"


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    assert explained(KeyError("oops")) is None


def test_a_dry_run_reports_rejected_rows_and_exits_with_1(json_lines: WriteLines, result: dict[str, Any]) -> None:
    path = json_lines(result, {**result, "exam_code": "999-999"})
    done = run("feed", str(path), "--vendor", "vue", "--program", "cisco", "--type", KIND, "--dry-run")
    assert done.exit_code == 1
    assert f"{path}:2: data.exam_code: program cisco has no exam '999-999' [unknown_exam]" in done.stderr
    words = "rows 2 accepted 1 rejected 1 (unknown_exam 1) published 0 (dry run)"
    assert done.stdout.split() == words.split()


def test_a_dry_run_as_json_lists_every_rejected_row(json_lines: WriteLines, result: dict[str, Any]) -> None:
    path = json_lines(*({**result, "grade": "perhaps"} for _ in range(60)), result)
    options = ("--program", "cisco", "--type", KIND, "--dry-run", "--json")
    outcome = json.loads(run("feed", str(path), "--vendor", "vue", *options).stdout)
    assert (outcome["rows"], outcome["accepted"], outcome["published"], len(outcome["rejected"])) == (61, 1, 0, 60)
    assert outcome["rejected"][0]["reasons"][0]["path"] == "data.grade"


def test_programs_in_order_are_listed_and_shown() -> None:
    listed = json.loads(run("programs", "list", "--json").stdout)
    assert [row["program"] for row in listed] == ["cisco", "juniper"]
    shown = json.loads(run("programs", "show", "juniper", "--json").stdout)
    assert {"certification", "title", "level", "valid_years"} <= shown["certifications"][0].keys()
    assert run("programs", "check").exit_code == 0


def test_a_reader_who_has_seen_enough_is_no_fault() -> None:
    script = "from deploy.cli.main import main; main()"
    read, write = os.pipe()
    os.close(read)  # nobody reads from the first line on
    with os.fdopen(write, "w") as nowhere:
        done = subprocess.run(
            [sys.executable, "-c", script, "programs", "show", "cisco"],
            cwd=PROJECT,
            stdout=nowhere,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_faulty_definition_is_told_with_file_and_line(tmp_path: Path) -> None:
    text = (PROJECT / "deploy" / "programs" / "juniper.yaml").read_text()
    text = re.sub(r"(?m)^version: \d+$", "version: none", text, count=1)
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    line = text[: text.index("version: none")].count("\n") + 1
    done = run("programs", "check", str(path))
    assert done.exit_code == 1
    assert f"broken.yaml:{line}: version: " in done.stdout
