"""What can become of what staff decide: it waits for them or for the candidate, is decided once or twice, and ends.

    open ⇄ waiting_for_candidate
    open, waiting_for_candidate → [decided_once, where four eyes decide] → what was decided
    open, waiting_for_candidate, decided_once → withdrawn, or what it settled as by itself

Two people decide the same case, not two states of it: whatever the candidate adds, or is asked, voids a first opinion.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from enum import StrEnum


class Stage(StrEnum):
    """Where something stands that is not decided. What it is decided as is a state too, and the service's own."""

    OPEN = "open"
    WAITING = "waiting_for_candidate"
    DECIDED_ONCE = "decided_once"
    WITHDRAWN = "withdrawn"


UNDECIDED = frozenset({Stage.OPEN, Stage.WAITING, Stage.DECIDED_ONCE})
FOR_STAFF = frozenset({Stage.OPEN, Stage.DECIDED_ONCE})
"""States in which staff are to do something, so that a case can be overdue."""


class Closed(Exception):
    """Nothing becomes of a case any more."""

    def __init__(self, state: str) -> None:
        super().__init__(f"it is {state} already")
        self.state = state


class SecondOpinionNeeded(Exception):
    """Whoever decided first cannot be the second."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody decides.

    Attributes:
        end: the state in which it is to end.
        by: the subject of whoever says so.
        terms: what of it its decider chose, such as the account to merge; two opinions agree on it too.
    """

    end: str
    by: str
    terms: Hashable = None

    def agrees_with(self, other: "Opinion") -> bool:
        return (self.end, self.terms) == (other.end, other.terms)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a case has come. Every step gives the next one, or raises `Closed` where there is none.

    Attributes:
        four_eyes: whether two people must decide the same; it was said when the case was opened, and stays.
        first: the opinion that waits for a second.
    """

    four_eyes: bool
    state: str = Stage.OPEN
    first: Opinion | None = None

    @property
    def closed(self) -> bool:
        return self.state not in UNDECIDED

    def answered(self) -> "Progress":
        """The candidate has written, or added evidence."""
        self._check_open()
        return replace(self, state=Stage.OPEN, first=None)

    def asked(self) -> "Progress":
        """Staff have asked the candidate something."""
        self._check_open()
        return replace(self, state=Stage.WAITING, first=None)

    def noted(self) -> "Progress":
        """Staff have done something that changes nothing of what is decided."""
        self._check_open()
        return self

    def decided(self, opinion: Opinion) -> "Progress":
        """Somebody decides. Two who disagree leave the case as if neither had.

        Raises:
            SecondOpinionNeeded: the first opinion is theirs.
        """
        self._check_open()
        if not self.four_eyes:
            return replace(self, state=opinion.end, first=None)
        if self.first is None:
            return replace(self, state=Stage.DECIDED_ONCE, first=opinion)
        if self.first.by == opinion.by:
            raise SecondOpinionNeeded
        if self.first.agrees_with(opinion):
            return replace(self, state=opinion.end, first=None)
        return replace(self, state=Stage.OPEN, first=None)

    def withdrawn(self) -> "Progress":
        """The candidate no longer wants it."""
        self._check_open()
        return replace(self, state=Stage.WITHDRAWN, first=None)

    def settled(self, end: str) -> "Progress":
        """What was asked for has come, or can come no more; nobody has to decide anything."""
        self._check_open()
        return replace(self, state=end, first=None)

    def _check_open(self) -> None:
        if self.closed:
            raise Closed(self.state)
