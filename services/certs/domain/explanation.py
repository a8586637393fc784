"""Why an entry is what it is: each fact, the clause that gave it effect, and where that clause is written."""

from typing import NamedTuple

from libs.common.programs import Program
from services.certs.domain.standing import CertificationStanding


class Explained(NamedTuple):
    """One reason, with its clause in full."""

    fact: str
    clause: str
    text: str
    file: str
    line: int
    wording: str


def explained(policy: Program, entry: CertificationStanding) -> list[Explained]:
    """Every reason of an entry, in the order in which they took effect."""
    found = []
    for reason in entry.because:
        clause = policy.clause(reason.clause)
        found.append(Explained(reason.fact, reason.clause, reason.text, clause.file, clause.line, clause.wording))
    return found
