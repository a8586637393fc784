"""Reads what other services publish: single events and batches, each event checked against its model."""

from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import ValidationError

from libs.common.bus.messages import Delivery, Item, Received, Undecodable
from libs.common.errors import Unprocessable
from libs.common.events import BATCH, SINGLE, CloudEvent, EventData, service_event
from libs.common.events.envelope import parse_batch, parse_single


def decode_events(delivery: Delivery) -> Sequence[Item | Undecodable]:
    """The events of one message of `certrail.events`. One that breaks its model does not take its neighbours along."""
    model = service_event(delivery.type or "")
    if model is None:
        return [_undecodable(delivery, delivery.body, "unknown_type", f"no event type {delivery.type!r}")]
    try:
        if delivery.content_type == SINGLE:
            return [Received(parse_single(model, delivery.body), delivery)]
        if delivery.content_type == BATCH:
            events: list[CloudEvent[Any]] = parse_batch(model, delivery.body)
            return [Received(event, delivery) for event in events]
    except ValidationError as error:
        return _one_by_one(model, delivery, error)
    return [_undecodable(delivery, delivery.body, "content_type", f"no CloudEvents: {delivery.content_type!r}")]


def _one_by_one(model: type[EventData], delivery: Delivery, error: ValidationError) -> list[Item | Undecodable]:
    try:
        parts = orjson.loads(delivery.body) if delivery.content_type == BATCH else None
    except orjson.JSONDecodeError:
        parts = None
    if not isinstance(parts, list):
        return [_undecodable(delivery, delivery.body, "schema", _summary(error))]
    return [_parse_part(model, delivery, orjson.dumps(part)) for part in parts]


def _parse_part(model: type[EventData], delivery: Delivery, body: bytes) -> Item | Undecodable:
    try:
        return Received(parse_single(model, body), delivery)
    except ValidationError as error:
        return _undecodable(delivery, body, "schema", _summary(error))


def _undecodable(delivery: Delivery, body: bytes, code: str, message: str) -> Undecodable:
    content_type = SINGLE if body is not delivery.body else (delivery.content_type or "application/octet-stream")
    return Undecodable(body, content_type, delivery, Unprocessable(code, message))


def _summary(error: ValidationError) -> str:
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:5])
