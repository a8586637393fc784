"""What goes out on the bus and what came in, free of any client library's types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, Self, TypeVar

from libs.common.errors import Unprocessable
from libs.common.events import SINGLE, CloudEvent, EventData
from libs.common.events.envelope import dump_single

D = TypeVar("D", bound=EventData)
HeaderValue = str | int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One AMQP message to publish.

    `id` stays the same on every attempt, so that a receiver can tell a repetition.
    """

    id: str
    exchange: str
    routing_key: str
    type: str
    content_type: str
    body: bytes
    headers: Mapping[str, HeaderValue] = field(default_factory=dict)
    count: int = 1
    """How many events the body holds."""
    user_id: str | None = None
    """The broker's account that publishes it; the broker refuses another's."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One AMQP message as it arrived."""

    body: bytes
    exchange: str
    routing_key: str
    content_type: str | None
    type: str | None
    message_id: str | None
    user_id: str | None
    headers: Mapping[str, Any]


class Item(Protocol):
    """One thing to handle out of a delivery."""

    @property
    def delivery(self) -> Delivery: ...

    @property
    def correlation_id(self) -> str | None:
        """The id of the first event of its chain; None where it does not say."""

    @property
    def parent(self) -> str | None:
        """The trace context it arrived with."""

    def traced(self, traceparent: str) -> Self:
        """The same with the trace context that its effects carry on."""

    def alone(self) -> tuple[bytes, str]:
        """It and nothing else as a message body, with the content type."""


class Cause(Protocol):
    """What led to an event, as far as the event carries it on."""

    @property
    def event_id(self) -> str: ...

    @property
    def correlation_id(self) -> str:
        """The id of the first event of the chain."""

    @property
    def traceparent(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Received(Generic[D]):
    """One event out of a delivery."""

    event: CloudEvent[D]
    delivery: Delivery
    traceparent: str | None = None

    @property
    def event_id(self) -> str:
        return self.event.id

    @property
    def correlation_id(self) -> str:
        return self.event.correlationid or self.event.id

    @property
    def data(self) -> D:
        return self.event.data

    @property
    def parent(self) -> str | None:
        return self.event.traceparent

    def traced(self, traceparent: str) -> Self:
        return type(self)(self.event, self.delivery, traceparent)

    def alone(self) -> tuple[bytes, str]:
        single = self.delivery.content_type == SINGLE
        return (self.delivery.body if single else dump_single(self.event)), SINGLE


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A part of a delivery that can never be read; it is parked."""

    body: bytes
    content_type: str
    delivery: Delivery
    error: Unprocessable
