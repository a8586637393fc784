"""The CloudEvents 1.0 envelope, structured JSON, single and batched (CloudEvents JSON format, sections 3 and 4)."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Generic, Literal, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, TypeAdapter

from libs.common.events.registry import EventData
from libs.common.events.types import Moment, ProgramId

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
SCHEMA_ROOT = "urn:certrail:schema:"

D = TypeVar("D", bound=EventData)

_Attribute = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_TraceParent = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")]


class CloudEvent(BaseModel, Generic[D]):
    """One event with its context attributes; extensions `program` to `subjectversion` are Certrail's."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: Literal["1.0"] = "1.0"
    id: _Attribute
    source: _Attribute
    type: _Attribute
    subject: _Attribute | None = None
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: _Attribute | None = None
    program: ProgramId
    correlationid: _Attribute | None = None
    """The id of the event that began the chain."""
    causationid: _Attribute | None = None
    """The id of the event that led to this one."""
    traceparent: _TraceParent | None = None
    """W3C Trace Context, level 1."""
    subjectversion: Annotated[int, Field(ge=1)] | None = None
    """Grows with every event of this source about this subject; the higher one is the later one."""
    data: D


class VendorCloudEvent(CloudEvent[D]):
    """A vendor's event. What services say has always happened: they have no `dryrun`."""

    dryrun: StrictBool | None = None
    """Judge it and say what it would do, on the vendor's queue of rejections; nothing happens."""


@lru_cache(maxsize=256)
def _of_vendor(model: type[EventData]) -> TypeAdapter[VendorCloudEvent[Any]]:
    return TypeAdapter(VendorCloudEvent[model])  # type: ignore[valid-type]


@lru_cache(maxsize=256)
def _single(model: type[EventData]) -> TypeAdapter[CloudEvent[Any]]:
    return TypeAdapter(CloudEvent[model])  # type: ignore[valid-type]


@lru_cache(maxsize=256)
def _batch(model: type[EventData]) -> TypeAdapter[list[CloudEvent[Any]]]:
    return TypeAdapter(list[CloudEvent[model]])  # type: ignore[valid-type]


def parse_single(model: type[D], body: bytes | str) -> CloudEvent[D]:
    """Read one event. Raises `pydantic.ValidationError`."""
    return _single(model).validate_json(body)


def parse_vendors(model: type[D], body: bytes | str) -> VendorCloudEvent[D]:
    """Read one event of a vendor's. Raises `pydantic.ValidationError`."""
    return _of_vendor(model).validate_json(body)


def parse_batch(model: type[D], body: bytes | str) -> list[CloudEvent[D]]:
    """Read a batch of events of one type. Raises `pydantic.ValidationError`."""
    return _batch(model).validate_json(body)


def dump_single(event: CloudEvent[D]) -> bytes:
    """One event as `application/cloudevents+json`."""
    return _single(type(event.data)).dump_json(event, exclude_none=True)


def join_batch(events: Sequence[bytes]) -> bytes:
    """Serialised events as one `application/cloudevents-batch+json` body."""
    return b"[" + b",".join(events) + b"]"


def dump_event(attributes: Mapping[str, object], data: EventData) -> bytes:
    """One event as `application/cloudevents+json`, from its context attributes and its data.

    For events of our own making: the data is a model already and the attributes are ours, so building a
    `CloudEvent` first would only check again what is right. Attributes that are None are left out.
    """
    context = orjson.dumps({name: value for name, value in attributes.items() if value is not None})
    content = type(data).__pydantic_serializer__.to_json(data, exclude_none=True)
    return context[:-1] + b',"data":' + content + b"}"


def schema_urn(model: type[EventData]) -> str:
    """The `dataschema` of an event type: a name, not a place."""
    return f"{SCHEMA_ROOT}{model.event_key}"
