"""The language of definitions as a JSON Schema, for editors: completion, and faults while typing.

`python -m libs.common.programs.schema` compares the published file with the code; `--write` brings it up to date.
The loader checks more: what refers to what, and which rules can hold.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from libs.common.programs.shape import CertificationShape, ExamShape, ProgramShape

FILE = Path(__file__).resolve().parents[3] / "deploy" / "programs" / "program.schema.json"

_DAY = {"type": "string", "format": "date"}
_REQUIREMENT: dict[str, Any] = {
    "description": "What it takes to earn a certification: an exam code, or one of the forms.",
    "oneOf": [
        {"type": "string", "description": "A pass of the exam."},
        {
            "type": "object",
            "properties": {"exam": {"type": "string"}, "until": _DAY},
            "required": ["exam"],
            "additionalProperties": False,
            "description": "A pass that can complete the requirement up to a day only.",
        },
        {
            "type": "object",
            "properties": {"certification": {"type": "string"}},
            "required": ["certification"],
            "additionalProperties": False,
            "description": "A prerequisite, active on the day.",
        },
        *(
            {
                "type": "object",
                "properties": {form: {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Requirement"}}},
                "required": [form],
                "additionalProperties": False,
                "description": meaning,
            }
            for form, meaning in (("all", "Every part."), ("any", "One part."))
        ),
        {
            "type": "object",
            "properties": {
                "n_of": {
                    "type": "object",
                    "properties": {
                        "n": {"type": "integer", "minimum": 1},
                        "of": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Requirement"}},
                    },
                    "required": ["n", "of"],
                    "additionalProperties": False,
                }
            },
            "required": ["n_of"],
            "additionalProperties": False,
            "description": "So many of the parts.",
        },
    ],
}


def schema() -> dict[str, Any]:
    """The schema of one definition file."""
    made = ProgramShape.model_json_schema()
    definitions: dict[str, Any] = made.setdefault("$defs", {})
    for shape in (ExamShape, CertificationShape):
        own = shape.model_json_schema()
        definitions.update(own.pop("$defs", {}))
        definitions[shape.__name__] = own
    definitions["Requirement"] = _REQUIREMENT
    definitions["CertificationShape"]["properties"]["requires"] = {"$ref": "#/$defs/Requirement"}
    for section, shape in (("exams", ExamShape), ("certifications", CertificationShape)):
        made["properties"][section]["additionalProperties"] = {"$ref": f"#/$defs/{shape.__name__}"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Certrail program definition",
        **{key: value for key, value in made.items() if key != "title"},
    }


def text() -> str:
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="bring the file up to date")
    parser.add_argument("--check", action="store_true", help="only compare (the default)")
    if parser.parse_args().write:
        FILE.write_text(text(), encoding="utf-8")
        return 0
    if not FILE.exists() or FILE.read_text(encoding="utf-8") != text():
        print(f"{FILE.name} is not what the code says; run with --write", file=sys.stderr)  # noqa: T201 a command prints
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
