"""What support cases are called and when they are due; what can become of them is as for all that staff decide."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from libs.common.candidate_ids import candidate_id
from libs.common.casework.progress import Stage
from libs.common.ids import derived_id
from libs.common.programs import Program
from libs.common.programs.cases import CaseKind


class State(StrEnum):
    """Where a case stands: undecided in one of the stages, or as it was decided."""

    OPEN = Stage.OPEN.value
    WAITING = Stage.WAITING.value
    DECIDED_ONCE = Stage.DECIDED_ONCE.value
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = Stage.WITHDRAWN.value
    ARRIVED = "arrived"
    """The vendor has reported the missing result."""
    LAPSED = "lapsed"
    """There is no result to wait for."""


CLOSED = frozenset({State.ACCEPTED, State.REFUSED, State.WITHDRAWN, State.ARRIVED, State.LAPSED})

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


def same_order(details: Mapping[str, object], others: Mapping[str, object]) -> bool:
    """Whether two cases are about the same order."""
    return details.get("order_id") is not None and details.get("order_id") == others.get("order_id")


def _sitting(details: Mapping[str, object]) -> dict[str, object]:
    return {name: details[name] for name in ("exam_code", "taken_on")}


def words_of(details: Mapping[str, object]) -> str:
    """Details as a text that is the same for the same ones, whatever their letters' case and spaces."""
    return "\n".join(f"{name}={_plain(str(value))}" for name, value in sorted(details.items()))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
