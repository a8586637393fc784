"""Base classes of what routes take and give."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _read_day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not _DAY.fullmatch(value):
        raise ValueError("Input should be a day, written YYYY-MM-DD")
    return date.fromisoformat(value)


Day = Annotated[date, BeforeValidator(_read_day)]
"""A calendar day, as text. Left to itself pydantic takes a number for one too, as seconds since 1970."""


class Parameters(BaseModel):
    """Path or query parameters. One that no field names is refused, so that typing errors are seen."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Nothing(Parameters):
    """A route without parameters of this kind."""


class Body(BaseModel):
    """A request's JSON body: exact types, no unknown fields, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class View(BaseModel):
    """A response's JSON body. Every field is in it, also one that has its default."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)
