"""What can become of a support case: it waits for staff or for the candidate, is decided once or twice, and ends.

    open ⇄ waiting_for_candidate
    open, waiting_for_candidate → [decided_once, where four eyes decide] → accepted | refused
    open, waiting_for_candidate, decided_once → withdrawn
    open, waiting_for_candidate, decided_once → arrived | lapsed, of missing results alone

Two people decide the same case, not two states of it: whatever the candidate adds, or is asked, voids a first opinion.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from libs.common.candidate_ids import candidate_id
from libs.common.ids import derived_id
from libs.common.programs import Program
from libs.common.programs.cases import CaseKind


class State(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    WAITING = "waiting_for_candidate"
    DECIDED_ONCE = "decided_once"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ARRIVED = "arrived"
    """The vendor has reported the result."""
    LAPSED = "lapsed"
    """There is no result to wait for."""


CLOSED = frozenset({State.ACCEPTED, State.REFUSED, State.WITHDRAWN, State.ARRIVED, State.LAPSED})
FOR_STAFF = frozenset({State.OPEN, State.DECIDED_ONCE})
"""States in which staff are to do something, so that a case can be overdue."""


class CaseClosed(Exception):
    """Nothing becomes of a case any more."""

    def __init__(self, state: State) -> None:
        super().__init__(f"the case is {state}")
        self.state = state


class SecondOpinionNeeded(Exception):
    """Whoever decided first cannot be the second."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody decides.

    Attributes:
        accept: whether what was asked for is done.
        by: the subject of whoever says so.
        other: what of the acceptance its decider chose, such as the account to merge; two opinions agree on it too.
    """

    accept: bool
    by: str
    other: str | None = None

    def agrees_with(self, other: "Opinion") -> bool:
        return (self.accept, self.other) == (other.accept, other.other)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a case has come. Every step gives the next one, or raises `CaseClosed` where there is none.

    Attributes:
        four_eyes: whether two people must decide the same; it was said when the case was opened, and stays.
        first: the opinion that waits for a second.
    """

    four_eyes: bool
    state: State = State.OPEN
    first: Opinion | None = None

    @property
    def closed(self) -> bool:
        return self.state in CLOSED

    def answered(self) -> "Progress":
        """The candidate has written, or added evidence."""
        self._check_open()
        return replace(self, state=State.OPEN, first=None)

    def asked(self) -> "Progress":
        """Staff have asked the candidate something."""
        self._check_open()
        return replace(self, state=State.WAITING, first=None)

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
            return self._ended(opinion)
        if self.first is None:
            return replace(self, state=State.DECIDED_ONCE, first=opinion)
        if self.first.by == opinion.by:
            raise SecondOpinionNeeded
        if self.first.agrees_with(opinion):
            return self._ended(opinion)
        return replace(self, state=State.OPEN, first=None)

    def withdrawn(self) -> "Progress":
        """The candidate no longer wants it."""
        self._check_open()
        return replace(self, state=State.WITHDRAWN, first=None)

    def settled(self, end: State) -> "Progress":
        """What was asked for has come, or can come no more; nobody has to decide anything."""
        self._check_open()
        return replace(self, state=end, first=None)

    def _ended(self, opinion: Opinion) -> "Progress":
        return replace(self, state=State.ACCEPTED if opinion.accept else State.REFUSED, first=None)

    def _check_open(self) -> None:
        if self.closed:
            raise CaseClosed(self.state)


_LETTER, _DIGITS = "K", 8


def reference_of(number: int) -> str:
    """What people call a program's `number`-th case on the phone: `K00000013`, the last digit a check digit."""
    return candidate_id(_LETTER, _DIGITS, number)


def due_on(program: Program, kind: CaseKind, moment: datetime) -> date:
    """The last day on which a case that staff have in hand since a moment is decided in time."""
    return program.calendar.add(program.day_of(moment), program.cases[kind].due_business_days)


def same_request(kind: CaseKind, details: Mapping[str, object], text: str | None) -> str:
    """What cases of an account share that are one case, as long as it is open.

    Of names only one can be the right one, and an id is claimed once, with whatever proofs; anything else is told apart
    by its words, however people type them.
    """
    if kind == "name":
        return kind
    told = [details["system"], details["external_id"]] if kind == "mapping" else [words_of(details), _plain(text or "")]
    return derived_id(kind, *map(str, told))


def same_result(details: Mapping[str, object], others: Mapping[str, object]) -> bool:
    """Whether two cases are about the same result: by the registration where both name one, or by exam and day."""
    one, other = details.get("registration_id"), others.get("registration_id")
    if one and other:
        return _plain(str(one)) == _plain(str(other))
    return words_of(_sitting(details)) == words_of(_sitting(others))


def _sitting(details: Mapping[str, object]) -> dict[str, object]:
    return {name: details[name] for name in ("exam_code", "taken_on")}


def words_of(details: Mapping[str, object]) -> str:
    """Details as a text that is the same for the same ones, whatever their letters' case and spaces."""
    return "\n".join(f"{name}={_plain(str(value))}" for name, value in sorted(details.items()))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
