"""Collects the events of one transaction and packs them into as few messages as the bus allows."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from libs.common.bus.messages import Cause, Outgoing
from libs.common.bus.topology import EVENTS
from libs.common.events import BATCH, SINGLE, EventData
from libs.common.events.envelope import dump_event, join_batch, schema_urn
from libs.common.ids import new_id
from libs.common.tracing import ORIGIN

MAX_EVENTS = 100
MAX_BYTES = 262_144


class OutgoingEvents:
    """What one transaction has to say."""

    def __init__(self, service: str) -> None:
        self._source = f"certrail/{service}"
        self._by_type: dict[type[EventData], list[tuple[dict[str, Any], EventData]]] = {}
        self._messages: list[Outgoing] = []

    def add(
        self,
        data: EventData,
        *,
        program: str,
        subject: str,
        version: int,
        cause: Cause | None,
        now: datetime,
    ) -> None:
        model = type(data)
        origin = ORIGIN.get()
        follows = cause or origin
        attributes = {
            "specversion": "1.0",
            "id": new_id(),
            "source": self._source,
            "type": model.event_type,
            "subject": subject,
            "time": now,
            "datacontenttype": "application/json",
            "dataschema": schema_urn(model),
            "program": program,
            "correlationid": follows.correlation_id if follows else None,
            "causationid": cause.event_id if cause else None,
            "traceparent": (cause.traceparent if cause else None) or (origin.traceparent if origin else None),
            "subjectversion": version,
        }
        self._by_type.setdefault(model, []).append((attributes, data))

    def add_message(self, message: Outgoing) -> None:
        self._messages.append(message)

    def said(self) -> Iterator[tuple[dict[str, Any], EventData]]:
        """Every event added: its context attributes, whose `id` may still be changed, and its data."""
        for events in self._by_type.values():
            yield from events

    def messages(self) -> list[Outgoing]:
        """Everything added, as messages of at most `MAX_EVENTS` events and about `MAX_BYTES` bytes."""
        packed = list(self._messages)
        for model, said in self._by_type.items():
            events = [(attributes["id"], dump_event(attributes, data)) for attributes, data in said]
            packed.extend(_message(model, chunk) for chunk in _chunks(events))
        return packed


def _chunks(events: list[tuple[str, bytes]]) -> list[list[tuple[str, bytes]]]:
    chunks: list[list[tuple[str, bytes]]] = []
    size = MAX_BYTES + 1
    for event in events:
        if size + len(event[1]) > MAX_BYTES or len(chunks[-1]) >= MAX_EVENTS:
            chunks.append([])
            size = 0
        chunks[-1].append(event)
        size += len(event[1])
    return chunks


def _message(model: type[EventData], events: list[tuple[str, bytes]]) -> Outgoing:
    single = len(events) == 1
    return Outgoing(
        id=events[0][0] if single else new_id(),
        exchange=EVENTS,
        routing_key=model.event_key,
        type=model.event_type,
        content_type=SINGLE if single else BATCH,
        body=events[0][1] if single else join_batch([body for _, body in events]),
        count=len(events),
    )
