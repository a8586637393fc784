"""The two sample programs, and readers of pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.common.languages import ENGLISH, READER
from libs.common.pages.visitors import VISITOR, Visitor
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


@pytest.fixture
def spoken_to_nobody() -> Iterator[None]:
    """What a test has set with `speak_to` ends with it, as it ends with a request."""
    reader, visitor = READER.set(ENGLISH), VISITOR.set(Visitor())
    yield
    VISITOR.reset(visitor)
    READER.reset(reader)
