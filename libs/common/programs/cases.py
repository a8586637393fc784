"""How a program has its support cases worked on: within how many days, and by how many people."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import Field

from libs.common.programs.written import Shape

CaseKind = Literal["name", "mapping", "duplicate", "missing_result", "kit", "other"]
CASE_KINDS: tuple[CaseKind, ...] = get_args(CaseKind)


@dataclass(frozen=True, slots=True)
class CaseRule:
    """What holds for the cases of one kind."""

    due_business_days: int
    """Within so many business days a case is decided; they count anew once the candidate has answered a question."""
    four_eyes: bool
    """Whether two people must decide the same."""


DEFAULT_DAYS = 5
FOUR_EYES: frozenset[CaseKind] = frozenset({"name", "duplicate"})
"""Kinds that two people decide unless the program says otherwise: awards bear the name, or become another's."""

DEFAULT_RULES: Mapping[CaseKind, CaseRule] = MappingProxyType(
    {kind: CaseRule(DEFAULT_DAYS, kind in FOUR_EYES) for kind in CASE_KINDS}
)


class CaseRuleShape(Shape):
    """Keys left out fall back to five business days, and to four eyes for names and duplicates alone."""

    due_business_days: Annotated[int, Field(ge=1, le=60)] | None = None
    four_eyes: bool | None = None


def read_cases(written: Mapping[CaseKind, CaseRuleShape]) -> Mapping[CaseKind, CaseRule]:
    """The rule of every kind."""
    return MappingProxyType({kind: _rule(written.get(kind), DEFAULT_RULES[kind]) for kind in CASE_KINDS})


def _rule(shape: CaseRuleShape | None, default: CaseRule) -> CaseRule:
    if shape is None:
        return default
    return CaseRule(
        default.due_business_days if shape.due_business_days is None else shape.due_business_days,
        default.four_eyes if shape.four_eyes is None else shape.four_eyes,
    )
