"""Values as the language writes them: words, lengths of time, validities; and the base of every mapping."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetJsonSchemaHandler, StringConstraints

from libs.common.programs.calendar import Period

LENGTH = re.compile(r"([1-9][0-9]{0,2}) (year|years|month|months|day|days)")
_MONTHS = {"year": 12, "years": 12, "month": 1, "months": 1}


@dataclass(frozen=True, slots=True)
class Written:
    """Tells editors how a value is written that the loader turns into something else."""

    pattern: str

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The written form, which is always text."""
        return {"type": "string", "pattern": f"^({self.pattern})$"}


def _period(value: object) -> Period | None:
    match = LENGTH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    count, unit = int(match[1]), match[2]
    return Period(0, count) if unit.startswith("day") else Period(count * _MONTHS[unit])


def _validity(value: object) -> int | None:
    if value == "never expires":
        return None
    match = LENGTH.fullmatch(value) if isinstance(value, str) else None
    if match is None or not match[2].startswith("year"):
        raise ValueError("must read like '3 years' or 'never expires'")
    return int(match[1])


def _pass_period(value: object) -> Period | None:
    if value == "no limit":
        return None
    if value == "same day":
        return Period(0)
    period = _period(value)
    if period is None or period.days:
        raise ValueError("must read like '3 years', '36 months', 'same day' or 'no limit'")
    return period


def length(value: object) -> Period:
    """The period that a text states. Raises `ValueError`."""
    period = _period(value)
    if period is None:
        raise ValueError("must read like '180 days', '18 months' or '3 years'")
    return period


Validity = Annotated[int | None, BeforeValidator(_validity), Written("never expires|[1-9][0-9]{0,2} years?")]
PassPeriod = Annotated[
    Period | None, BeforeValidator(_pass_period), Written("no limit|same day|[1-9][0-9]{0,2} (months?|years?)")
]
Length = Annotated[Period, BeforeValidator(length), Written(LENGTH.pattern)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Shape(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
