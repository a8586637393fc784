"""Base classes of what routes take and give."""

from pydantic import BaseModel, ConfigDict


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
