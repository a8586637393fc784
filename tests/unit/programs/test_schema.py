"""The schema for editors: as the code has it, and true of the programs that ship."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from libs.common.programs.schema import FILE, schema, text

PROGRAMS = Path(__file__).parents[3] / "deploy" / "programs"


def test_the_published_schema_is_what_the_code_says() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run python -m libs.common.programs.schema --write"
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", sorted(PROGRAMS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_programs_that_ship_keep_to_it(path: Path) -> None:
    written = path.read_text(encoding="utf-8")
    assert written.startswith("# yaml-language-server: $schema=program.schema.json\n")
    as_json = json.loads(json.dumps(yaml.safe_load(written), default=str))
    jsonschema.Draft202012Validator(schema()).validate(as_json)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("retake", {"after_fail": {"wait": "soon"}}),
        ("retake", {"limit": "3 a year"}),
        ("renewal", {"associate": [{"exam": ["A"]}]}),
        ("colour", "blue"),
    ],
)
def test_a_fault_is_seen_while_typing(key: str, value: object) -> None:
    written = yaml.safe_load((PROGRAMS / "cisco.yaml").read_text(encoding="utf-8"))
    as_json = json.loads(json.dumps(written | {key: value}, default=str))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(as_json)
