"""`certrail simulate` and `certrail programs diff`: a policy tried on histories before it goes live."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.local.platform import PROGRAMS

CASE: dict[str, Any] = {
    "id": "one",
    "program": "cisco",
    "as_of": "2024-06-01",
    "inputs": [{"type": "exam", "code": "200-301", "date": "2023-05-10", "outcome": "pass"}],
}


@pytest.fixture
def write(tmp_path: Path):
    def _write(value: Any, name: str = "case.json") -> str:
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return str(path)

    return _write


def run(*words: str) -> Any:
    return CliRunner().invoke(app, words)


def simulated(*words: str) -> Any:
    done = run("simulate", *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_one_case_is_answered_with_facts_and_clauses(write) -> None:
    answer = simulated(write(CASE))
    assert (answer["id"], answer["as_of"], answer["flags"]) == ("one", "2024-06-01", [])
    (entry,) = answer["certifications"]
    assert {key: entry[key] for key in ("cert", "status", "earned", "expires")} == {
        "cert": "CCNA",
        "status": "active",
        "earned": "2023-05-10",
        "expires": "2026-05-10",
    }
    earned, lasts = entry["because"]
    assert (earned["fact"], earned["clause"], earned["text"]) == (
        "200-301 on 2023-05-10",
        "certifications.CCNA.requires",
        "200-301 passed on 10 May 2023",
    )
    assert (lasts["clause"], lasts["file"], lasts["wording"]) == ("defaults.validity", "cisco.yaml", "3 years")


def test_a_file_of_cases_is_answered_one_by_one(write) -> None:
    answers = simulated(write({"cases": [CASE, CASE | {"id": "two"}]}), "--as-of", "2026-05-11")
    assert [(one["id"], one["certifications"][0]["status"]) for one in answers] == [
        ("one", "expired"),
        ("two", "expired"),
    ]
    assert [one["id"] for one in simulated(write([CASE]))] == ["one"]


def test_what_never_expires_has_an_empty_expiry(write) -> None:
    entry = CASE["inputs"][0] | {"code": "100-150"}
    assert simulated(write(CASE | {"inputs": [entry]}))["certifications"][0]["expires"] == ""


def test_a_changed_policy_is_tried_on_the_same_history(write) -> None:
    text = (
        (PROGRAMS / "cisco.yaml").read_text(encoding="utf-8").replace("  validity: 3 years", "  validity: 4 years", 1)
    )
    answer = simulated(write(CASE), "--policy", write(text, "changed.yaml"))
    assert answer["certifications"][0]["expires"] == "2027-05-10"


def test_the_program_and_the_day_may_come_from_the_command(write) -> None:
    bare = write({"inputs": CASE["inputs"]})
    answer = simulated(bare, "--program", "cisco", "--as-of", "2023-05-09")
    assert (answer["id"], answer["certifications"]) == ("", [])
    assert "names no program" in run("simulate", bare).exception.args[0]
    assert "has no as_of" in run("simulate", bare, "--program", "cisco").exception.args[0]
    assert "there is no program 'acme'" in run("simulate", bare, "--program", "acme").exception.args[0]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("{", "is not JSON"),
        ("7", "holds no cases"),
        ([{"id": "x"}], "case x: inputs: Field required"),
        (CASE | {"inputs": [{"type": "medal"}]}, "case one: inputs[0]"),
    ],
)
def test_a_case_that_cannot_be_read_is_told_by_its_place(write, value: Any, told: str) -> None:
    assert told in str(run("simulate", write(value)).exception)


def test_people_read_a_table_with_flags_and_what_is_missing(write) -> None:
    inputs = [
        {"type": "exam", "code": "350-401", "date": "2023-05-10", "outcome": "pass"},
        {"type": "exam", "code": "200-301", "date": "2023-05-01", "outcome": "fail"},
        {"type": "exam", "code": "200-301", "date": "2023-05-02", "outcome": "pass"},
    ]
    shown = run("simulate", write(CASE | {"inputs": inputs})).stdout
    assert "Earned on 10 May 2023: 350-401 passed on 10 May 2023" in shown
    assert "RETAKE_WAIT: 200-301 was taken on 2 May 2023, free again from 6 May 2023" in shown
    assert "CCNP-Enterprise needs one of 300-410" in shown
    assert "may be taken again from 2023-05-06" in shown


def test_a_diff_shows_statements_with_the_lines_of_both(write) -> None:
    text = (PROGRAMS / "cisco.yaml").read_text(encoding="utf-8")
    line = text[: text.index("after_fail:")].count("\n") + 1
    changed = write(text.replace("wait: 5 days", "wait: 7 days"), "changed.yaml")
    done = run("programs", "diff", str(PROGRAMS / "cisco.yaml"), changed, "--json")
    assert json.loads(done.stdout) == [
        {
            "change": "changed",
            "clause": "retake.after_fail.wait",
            "old": {"line": line, "wording": "5 days"},
            "new": {"line": line, "wording": "7 days"},
        }
    ]
    assert "5 days (line" in run("programs", "diff", str(PROGRAMS / "cisco.yaml"), changed).stdout
    assert run("programs", "diff", changed, changed).stdout == "no difference\n"


def test_rules_are_shown_with_their_lines() -> None:
    shown = json.loads(run("programs", "show", "juniper", "--json").stdout)
    rules = {rule["rule"]: rule["text"] for rule in shown["rules"]}
    assert rules["retake.after_pass"] == "{blocked: 18 months}"
    assert "[[specialist, professional, expert]]" in run("programs", "show", "juniper").stdout
