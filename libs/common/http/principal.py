"""Who makes a request, and what of a program they may see."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from libs.common.http.problems import FORBIDDEN, NOT_FOUND, Problem


class Kind(StrEnum):
    """The kinds of callers."""

    CANDIDATE = "candidate"
    STAFF = "staff"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"
    """Nobody in particular, on a public route."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of a verified access token.

    Attributes:
        subject: the token's `sub`; unique among all callers of all programs.
        programs: the programs that the token is good for.
        candidate_id: whose data a candidate may see; None for everybody else.
        session_id: the session that the token belongs to, where it belongs to one.
        authenticated_at: when its holder last proved who they are.
        acr: how they did.
    """

    subject: str
    kind: Kind
    programs: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    candidate_id: str | None = None
    session_id: str | None = None
    authenticated_at: datetime | None = None
    acr: str | None = None

    def may_enter(self, program: str) -> bool:
        """Whether things of `program` that belong to no candidate may be seen."""
        return program in self.programs

    def may_see(self, program: str, candidate_id: str) -> bool:
        """Whether things of this candidate may be seen: candidates see their own, staff their programs'."""
        if program not in self.programs:
            return False
        return self.kind is not Kind.CANDIDATE or self.candidate_id == candidate_id

    def require_program(self, program: str) -> None:
        """Raise `not-found` unless `may_enter`."""
        if not self.may_enter(program):
            raise Problem(NOT_FOUND)

    def require(self, program: str, candidate_id: str) -> None:
        """Raise `not-found` unless `may_see`: what may not be seen looks like what is not there."""
        if not self.may_see(program, candidate_id):
            raise Problem(NOT_FOUND)

    def require_scopes(self, scopes: frozenset[str]) -> None:
        """Raise a problem unless all `scopes` were granted (RFC 6750, 3.1)."""
        if not scopes <= self.scopes:
            wanted = " ".join(sorted(scopes))
            challenge = f'Bearer error="insufficient_scope", scope="{wanted}"'
            raise Problem(FORBIDDEN, f"needs the scope {wanted}", headers={"WWW-Authenticate": challenge})


ANONYMOUS = Principal(subject="", kind=Kind.ANONYMOUS)
