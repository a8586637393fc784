"""The sample programs and a letter, for all tests of notify's rules."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from libs.common.programs import Program, load_programs
from services.notify.domain.mails import Template
from services.notify.domain.recipients import Recipient
from services.notify.letters import Cause, Letter
from services.notify.rendering import Renderer
from services.notify.unsubscribing.links import UnsubscribeLinks

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

Write = Callable[..., Letter]


@pytest.fixture(scope="session")
def programs() -> Mapping[str, Program]:
    return load_programs(Path(__file__).resolve().parents[3] / "deploy" / "programs")


@pytest.fixture(scope="session")
def renderer(programs: Mapping[str, Program]) -> Renderer:
    return Renderer(programs, "https://certs.example/", links=UnsubscribeLinks("k" * 32, "https://certs.example"))


@pytest.fixture
def write() -> Write:
    """Builds a letter; names and facts can be given."""

    def build(
        template: Template = Template.EXAM_PASSED,
        context: Mapping[str, Any] | None = None,
        program: str = "cisco",
        **recipient: Any,
    ) -> Letter:
        fields = {
            "candidate_id": "CSCO10000001",
            "program": program,
            "email": "ada@example.com",
            "given_name": "Ada",
            "family_name": "Lovelace",
            "language": None,
            "version": 1,
        }
        return Letter(
            id="0123456789abcdef" * 2,
            program=program,
            template=template,
            context=context or {"exam": "CCNA (200-301)", "taken_on": "2026-03-01"},
            created_at=NOON,
            attempts=0,
            cause=Cause("e1", "e1", None),
            recipient=Recipient(**(fields | recipient)),
            claimed_until=NOON,
        )

    return build
