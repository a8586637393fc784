"""What the candidates of the HTTP benchmark hold: the same documents for the product and for its references."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from deploy.local.platform import PROGRAMS
from libs.common.programs import Program, load_program
from services.certs.domain.facts import ExamFact
from services.certs.ledger import stored_ledger


def ledger(candidate: str) -> dict[str, Any]:
    """A candidate of three certifications, as certs itself would have stored them."""
    now = datetime.now(UTC)
    facts = [
        ExamFact(f"cisco:vue:{code}-{candidate}", 1, code, now.date() - timedelta(days=days), "pass", now)
        for code, days in (("200-301", 400), ("200-201", 300), ("200-901", 200))
    ]
    return stored_ledger(candidate, _cisco(), facts, now)


@lru_cache
def _cisco() -> Program:
    return load_program(PROGRAMS / "cisco.yaml")
