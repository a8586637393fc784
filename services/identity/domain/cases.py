"""What support cases are called and when they are due; what can become of them is as for all that staff decide."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from libs.common.candidate_ids import candidate_id
from libs.common.casework.progress import Stage
from libs.common.ids import derived_id
from libs.common.programs import Program
from libs.common.programs.calendar import add_business_days
from libs.common.programs.cases import CaseKind


class State(StrEnum):
    """Where a case stands: undecided in one of the stages, or as it was decided."""

    OPEN = Stage.OPEN.value
    WAITING = Stage.WAITING.value
    DECIDED_ONCE = Stage.DECIDED_ONCE.value
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = Stage.WITHDRAWN.value


CLOSED = frozenset({State.ACCEPTED, State.REFUSED, State.WITHDRAWN})

_LETTER, _DIGITS = "K", 8


def reference_of(number: int) -> str:
    """What people call a program's `number`-th case on the phone: `K00000013`, the last digit a check digit."""
    return candidate_id(_LETTER, _DIGITS, number)


def due_on(program: Program, kind: CaseKind, moment: datetime) -> date:
    """The last day on which a case that staff have in hand since a moment is decided in time."""
    return add_business_days(program.day_of(moment), program.cases[kind].due_business_days)


def same_request(kind: CaseKind, details: Mapping[str, object], text: str | None) -> str:
    """What cases of an account share that are one case, as long as it is open.

    Of names only one can be the right one, and an id is claimed once, with whatever proofs; anything else is told apart
    by its words, however people type them.
    """
    if kind == "name":
        return kind
    told = [details["system"], details["external_id"]] if kind == "mapping" else [words_of(details), _plain(text or "")]
    return derived_id(kind, *map(str, told))


def words_of(details: Mapping[str, object]) -> str:
    """Details as a text that is the same for the same ones, whatever their letters' case and spaces."""
    return "\n".join(f"{name}={_plain(str(value))}" for name, value in sorted(details.items()))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
