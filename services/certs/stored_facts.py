"""Facts as they are stored: one small document each, told apart by `kind`; what is not known is left out."""

from dataclasses import fields
from datetime import date, datetime
from typing import Any, get_args, get_type_hints

from libs.common.mongo.client import Document
from services.certs.domain import facts
from services.certs.domain.facts import Fact

KINDS: dict[str, type[Fact]] = {
    "exam": facts.ExamFact,
    "result_change": facts.ResultChangeFact,
    "credit": facts.CreditFact,
    "course": facts.CourseFact,
    "import": facts.ImportFact,
    "retirement": facts.RetirementFact,
    "rename": facts.RenameFact,
    "extension": facts.ExtensionFact,
    "emeritus": facts.EmeritusFact,
    "decision": facts.DecisionFact,
    "merge": facts.MergeFact,
    "separation": facts.SeparationFact,
    "agreement": facts.AgreementFact,
}
_NAMES = {made: kind for kind, made in KINDS.items()}


def stored(fact: Fact) -> Document:
    """A fact as a document; days are ISO text, moments stay moments."""
    if (
        type(fact) is facts.ExamFact
        and fact.held_on is fact.released_on is None
        and fact.account is None
        and not fact.name_differs
    ):
        # The usual one, written out because it is stored with every event.
        return {
            "kind": "exam",
            "result_id": fact.result_id,
            "revision": fact.revision,
            "code": fact.code,
            "taken_on": fact.taken_on.isoformat(),
            "outcome": fact.outcome,
            "known_at": fact.known_at,
        }
    row: Document = {"kind": _NAMES[type(fact)]}
    for name in _SHAPES[type(fact)]:
        value = getattr(fact, name)
        if value is None or value is False:
            continue
        if type(value) is date:
            value = value.isoformat()
        elif type(value) is tuple:
            value = [day.isoformat() for day in value]
        row[name] = value
    return row


def loaded(row: Document) -> Fact:
    """The fact of a document.

    Raises:
        ValueError: for a kind that is not known: a fact is never passed over.
    """
    kind = KINDS.get(row["kind"])
    if kind is None:
        raise ValueError(f"unknown kind of fact: {row['kind']!r}")
    values: dict[str, Any] = {}
    for name, is_date in _SHAPES[kind].items():
        if name in row:
            value = row[name]
            if is_date:
                value = tuple(map(date.fromisoformat, value)) if type(value) is list else date.fromisoformat(value)
            values[name] = value
    return kind(**values)


def _fields(kind: type[Fact]) -> dict[str, bool]:
    """The fields of a kind, and whether each holds days."""
    hints = get_type_hints(kind)
    return {field.name: _holds_days(hints[field.name]) for field in fields(kind)}


def _holds_days(hint: Any) -> bool:
    return hint is date or (hint is not datetime and any(_holds_days(part) for part in get_args(hint)))


_SHAPES = {kind: _fields(kind) for kind in KINDS.values()}
