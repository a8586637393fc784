"""Worked cases of the two sample programs: every field that a case asserts is compared."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from libs.common.programs import Program
from services.certs.cases import Case, answer, read_inputs
from services.certs.domain.evaluate import evaluate

_CASES = json.loads(Path(__file__).with_name("policy-cases.json").read_text("utf-8"))["cases"]
_MORE = json.loads(Path(__file__).with_name("convention-cases.json").read_text("utf-8"))["cases"]
_OF_THE_ANSWER = ("policy_version", "earliest_retake", "pdf_available", "ecertificate_available")
_ASSERTED = {"certs", "absent", "exhaustive", "flags", "no_flags", "progress", *_OF_THE_ANSWER}


def simulated(case: dict[str, Any], programs: dict[str, Program]) -> dict[str, Any]:
    program = programs[case["program"]]
    facts = read_inputs(case["inputs"], program)
    standing = evaluate(program, facts, date.fromisoformat(case["as_of"]))
    return answer(Case.model_validate(case), program, standing, facts)


def check(case: dict[str, Any], programs: dict[str, Program]) -> None:
    found, expected = simulated(case, programs), case["expected"]
    assert expected.keys() <= _ASSERTED, "every field that a case asserts is compared"
    held = {entry["cert"]: entry for entry in found["certifications"]}
    for entry in expected["certs"]:
        assert entry["cert"] in held, found
        assert {key: held[entry["cert"]][key] for key in entry} == entry
    assert not held.keys() & set(expected["absent"])
    assert set(expected.get("flags", ())) <= set(found["flags"])
    assert not set(expected.get("no_flags", ())) & set(found["flags"])
    for one in expected.get("progress", ()):
        assert one in found["progress"]
    for key in _OF_THE_ANSWER:
        if key in expected:
            assert found[key] == expected[key]


def test_the_file_is_whole() -> None:
    assert len(_CASES) == 91
    assert len({case["id"] for case in _CASES}) == len(_CASES)


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["id"])
def test_policy_case(case: dict[str, Any], programs: dict[str, Program]) -> None:
    check(case, programs)


@pytest.mark.parametrize("case", _MORE, ids=lambda case: case["id"])
def test_case_of_the_conventions(case: dict[str, Any], programs: dict[str, Program]) -> None:
    check(case, programs)
