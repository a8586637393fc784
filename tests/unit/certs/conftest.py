"""The two sample programs."""

from pathlib import Path

import pytest

from libs.common.programs import Program, load_programs


@pytest.fixture(scope="session")
def programs() -> dict[str, Program]:
    return load_programs(Path(__file__).parents[3] / "deploy" / "programs")


@pytest.fixture(scope="session")
def cisco(programs: dict[str, Program]) -> Program:
    return programs["cisco"]


@pytest.fixture(scope="session")
def juniper(programs: dict[str, Program]) -> Program:
    return programs["juniper"]
