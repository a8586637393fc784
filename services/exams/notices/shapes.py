"""What a notification looks like. Fields of `data` are named as in the events that vendors publish."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic import GetJsonSchemaHandler as Handler
from pydantic.json_schema import JsonSchemaValue, SkipJsonSchema
from pydantic_core import CoreSchema, ErrorDetails

from libs.common.bus.ingress import Reason
from libs.common.events import vendors
from libs.common.events.types import Line, Moment, PartnerId, ProgramId

MOST = 100
"""Notifications in one request."""
_MOST_REASONS = 20


class NotifiedResult(vendors.ExamResultReported):
    """A result as it now stands."""

    revision: SkipJsonSchema[Literal[1]] = 1
    """Its place among the words on the result follows from `occurred_at` instead."""


class NamedResult(BaseModel):
    """A result by its own id, by its registration's, or both; one of them must be there."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        strict=True,
        json_schema_extra={"anyOf": [{"required": ["result_id"]}, {"required": ["registration_id"]}]},
    )

    result_id: PartnerId | None = None
    registration_id: PartnerId | None = None
    reason: Line | None = None

    @model_validator(mode="after")
    def _names_one(self) -> "NamedResult":
        if self.result_id is None and self.registration_id is None:
            raise ValueError("result_id or registration_id is required")
        return self


class _Notification(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    id: Annotated[PartnerId, Field(description="Unique among the vendor's notifications; the same sent again keeps it")]
    program: ProgramId
    occurred_at: Annotated[Moment, Field(description="When it came to be so: it orders what is said of one thing")]


class ResultNotification(_Notification):
    """A result for the first time, or as it now stands."""

    kind: Literal["result", "modify"]
    data: NotifiedResult


class MeasureNotification(_Notification):
    """One thing about a result; all else stays as it is."""

    kind: Literal["hold", "release", "revoke", "un_revoke"]
    data: NamedResult


class AppointmentNotification(_Notification):
    """A booked exam was moved, cancelled, or the person did not come."""

    kind: Literal["appointment"]
    data: vendors.ExamAppointmentChanged


Notification = ResultNotification | MeasureNotification | AppointmentNotification
_One = Annotated[Notification, Field(discriminator="kind")]
_ONE: TypeAdapter[Notification] = TypeAdapter(_One)
_SCHEMA = TypeAdapter(_One | Annotated[list[_One], Field(min_length=1, max_length=MOST)])


class Read(NamedTuple):
    """One notification of a request: what it says, or why it cannot be read."""

    raw: bytes
    content: Any
    notification: Notification | None
    reasons: tuple[Reason, ...] = ()


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class Notifications(RootModel[Annotated[list[Any], BeforeValidator(_listed), Field(min_length=1, max_length=MOST)]]):
    """One notification, or a list of them. Each is read by itself, so that a wrong one does not take others along."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, handler: Handler) -> JsonSchemaValue:
        return handler(_SCHEMA.core_schema)

    def read(self) -> list[Read]:
        return [_read(item) for item in self.root]


def named(item: Any, field: str) -> str | None:
    """A text field of what could not be read, for whoever looks into it."""
    value = item.get(field) if isinstance(item, Mapping) else None
    return value if isinstance(value, str) and len(value) <= 100 else None  # noqa: PLR2004 as ids are


def _read(item: Any) -> Read:
    raw = json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        notification = _ONE.validate_json(raw)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)[:_MOST_REASONS]
        return Read(raw, item, None, tuple(_reason(fault) for fault in faults))
    return Read(raw, item, notification)


def _reason(fault: ErrorDetails) -> Reason:
    """Where in the notification; the first part of a location names which kind was tried."""
    path = "kind" if fault["type"].startswith("union_tag") else ".".join(map(str, fault["loc"][1:]))
    return Reason(path, "schema", fault["msg"].removeprefix("Value error, "))
