"""The published contracts: as the code has them, valid, and changed by addition only."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from libs.common.events import all_events, contracts
from libs.common.events.compatibility import breaking_changes
from libs.common.events.contracts import broken_promises, committed, generated, main

Schema = dict[str, Any]
REGISTERED = "vendor.ExamRegistered.v1.schema.json"
REPORTED = "vendor.ExamResultReported.v1.schema.json"
Change = Callable[[Schema], None]


def data(schema: Schema) -> Schema:
    """The part of an event's schema that describes its data."""
    reference = schema["properties"]["data"]["$ref"]
    found: Schema = schema["$defs"][reference.rpartition("/")[2]]
    return found


def field(schema: Schema, name: str) -> Schema:
    found: Schema = data(schema)["properties"][name]
    return found


def person(schema: Schema) -> Schema:
    """The schema of a nested object."""
    found: Schema = schema["$defs"]["VendorCandidate"]
    return found


def test_committed_contracts_are_what_the_code_says() -> None:
    assert committed() == generated()


def test_every_event_has_its_contract_and_nothing_else_has() -> None:
    names = {name for name in committed() if name.endswith(".schema.json")}
    assert names == {f"{key}.schema.json" for key in all_events()}


@pytest.mark.parametrize("name", sorted(name for name in committed() if name.endswith(".schema.json")))
def test_contract_is_a_valid_schema_of_an_event(name: str) -> None:
    schema = committed()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert {"specversion", "id", "source", "type", "time", "program", "data"} <= schema["properties"].keys()
    assert data(schema).get("additionalProperties", True) is True, "readers ignore what they do not know"


def remove(name: str) -> Change:
    def change(schema: Schema) -> None:
        del data(schema)["properties"][name]

    return change


def put(name: str, **keywords: Any) -> Change:
    def change(schema: Schema) -> None:
        field(schema, name).update(keywords)

    return change


def require(name: str) -> Change:
    def change(schema: Schema) -> None:
        data(schema)["required"].append(name)

    return change


def add_required(schema: Schema) -> None:
    data(schema)["properties"]["brand_new"] = {"type": "string"}
    data(schema)["required"].append("brand_new")


def no_longer_required(schema: Schema) -> None:
    data(schema)["required"].remove("grade")


def fewer_grades(schema: Schema) -> None:
    field(schema, "grade")["enum"].remove("pending")


def more_grades(schema: Schema) -> None:
    field(schema, "grade")["enum"].append("embargoed")


def no_longer_null(schema: Schema) -> None:
    field(schema, "form")["anyOf"] = field(schema, "form")["anyOf"][:1]


def closed(schema: Schema) -> None:
    data(schema)["additionalProperties"] = False


def envelope_field(schema: Schema) -> None:
    del schema["properties"]["correlationid"]


BREAKING: dict[str, Change] = {
    "a field is removed": remove("form"),
    "a required field is removed": remove("grade"),
    "a field becomes required": require("form"),
    "a required field is added": add_required,
    "a required field becomes optional": no_longer_required,
    "a length is narrowed": put("result_id", maxLength=10),
    "a pattern is changed": put("result_id", pattern="^[0-9]+$"),
    "a limit is lowered": put("revision", maximum=10),
    "a choice is taken away": fewer_grades,
    "a choice is added that readers do not know": more_grades,
    "a type is changed": put("revision", type="string"),
    "a format is changed": put("taken_at", format="date"),
    "null is no longer allowed": no_longer_null,
    "unknown fields are no longer allowed": closed,
    "a field of the envelope is removed": envelope_field,
}


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING.keys())
def test_breaking_change_is_refused(change: Change) -> None:
    old = committed()[REPORTED]
    new = copy.deepcopy(old)
    change(new)
    assert broken_promises({REPORTED: old}, {REPORTED: new})


def new_optional(schema: Schema) -> None:
    data(schema)["properties"]["venue"] = {"type": "string", "default": ""}


def other_words(schema: Schema) -> None:
    data(schema)["description"] = "Said otherwise."
    field(schema, "grade")["description"] = "What came of it."


def optional_in_a_nested_object(schema: Schema) -> None:
    person(schema)["properties"]["nickname"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}


@pytest.mark.parametrize(
    ("name", "change"),
    [(REPORTED, new_optional), (REPORTED, other_words), (REGISTERED, optional_in_a_nested_object)],
    ids=["an optional field", "other words", "an optional field of a nested object"],
)
def test_addition_is_accepted(name: str, change: Change) -> None:
    old = committed()[name]
    new = copy.deepcopy(old)
    change(new)
    assert old != new
    assert broken_promises({name: old}, {name: new}) == []


def test_breaking_change_of_a_nested_object_is_refused() -> None:
    old = committed()[REGISTERED]
    new = copy.deepcopy(old)
    del person(new)["properties"]["country"]
    assert breaking_changes(old, new) == ["/data/candidate/country: removed"]


def test_event_that_vanishes_is_refused_and_a_new_one_is_not() -> None:
    schema = committed()[REPORTED]
    assert broken_promises({REPORTED: schema}, {}) == [f"{REPORTED}: the event would vanish"]
    assert broken_promises({}, {REPORTED: schema}) == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the published contracts, for the command to work on."""
    for name, content in committed().items():
        (tmp_path / name).write_text(json.dumps(content))
    monkeypatch.setattr(contracts, "committed", lambda: committed(tmp_path))
    monkeypatch.setattr(contracts, "write", lambda: write(tmp_path))
    return tmp_path


write = contracts.write


@pytest.mark.parametrize("option", ["--check", "--write"])
def test_command_refuses_a_breaking_change_and_leaves_the_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    promised = committed()[REPORTED]
    data(promised)["properties"]["promised"] = {"type": "string"}
    (folder / REPORTED).write_text(json.dumps(promised))
    monkeypatch.setattr("sys.argv", ["contracts", option])
    assert main() == 1
    assert "/data/promised: removed" in capsys.readouterr().err
    assert json.loads((folder / REPORTED).read_text()) == promised


def test_command_finds_a_file_out_of_date_and_brings_it_up_to_date(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    older = committed()[REPORTED]
    del data(older)["properties"]["form"]
    (folder / REPORTED).write_text(json.dumps(older))
    monkeypatch.setattr("sys.argv", ["contracts", "--check"])
    assert main() == 1
    assert REPORTED in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["contracts", "--write"])
    assert main() == 0
    assert committed(folder) == generated()
