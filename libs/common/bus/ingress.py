"""The border: checks a vendor's message in a fixed order and says precisely what is wrong with it.

Every service that reads vendors' messages checks them here, so all agree on what is valid, and on what is only to be
judged; only `topology.INGRESS` answers the vendor, so one fault makes one rejection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple, Protocol, Self

import orjson
from pydantic import ConfigDict, ValidationError

from libs.common.bus.failures import original_key, vendor_of
from libs.common.bus.messages import Delivery, Item, Received, Undecodable
from libs.common.bus.topology import VENDOR_BINDINGS, VENDOR_NAME
from libs.common.clock import Clock
from libs.common.events import SINGLE, EventData, vendor_event, vendors
from libs.common.events.envelope import VendorCloudEvent, parse_vendors

TAKEN = frozenset(model for models in VENDOR_BINDINGS.values() for model in models)
"""The vendors' events that a service handles. Another of the published language is answered, not parked."""

MAX_VENDOR_BYTES = 524_288
"""Far above any honest message; the broker itself takes twice as much."""
CLOCK_SKEW = timedelta(days=1)
"""A result may lie this far in our future: vendors' clocks and zones differ."""


class Reason(NamedTuple):
    """Why a message was refused: where, a stable word, a sentence."""

    path: str
    code: str
    message: str


class Catalogue(Protocol):
    """What the border must know of a program."""

    def find_exam(self, code: str) -> object | None:
        """The exam of that code, or None."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A vendor's message that cannot be accepted as it is."""

    vendor: str
    reasons: tuple[Reason, ...]
    delivery: Delivery
    traceparent: str | None = None
    dryrun: bool = False
    """Whether it was sent to be judged only."""

    @property
    def correlation_id(self) -> str | None:
        """What the vendor calls the message beside its body, which nobody could read."""
        return self.delivery.message_id

    @property
    def parent(self) -> str | None:
        return None

    def traced(self, traceparent: str) -> Self:
        return replace(self, traceparent=traceparent)

    def alone(self) -> tuple[bytes, str]:
        return self.delivery.body, self.delivery.content_type or "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Trial:
    """A vendor's message that would be taken, but was sent to be judged only.

    It is no `Received`, so that no handler takes it for something that has happened.
    """

    received: Received[Any]

    @property
    def delivery(self) -> Delivery:
        return self.received.delivery

    @property
    def correlation_id(self) -> str:
        return self.received.correlation_id

    @property
    def parent(self) -> str | None:
        return self.received.parent

    def traced(self, traceparent: str) -> Self:
        return replace(self, received=self.received.traced(traceparent))

    def alone(self) -> tuple[bytes, str]:
        return self.received.alone()


class _AnyData(EventData):
    model_config = ConfigDict(extra="allow")


class _RefusedError(Exception):
    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__()
        self.reasons = tuple(reasons)


class Border:
    """Checks vendors' messages against the published language and the programs' catalogues."""

    def __init__(self, programs: Mapping[str, Catalogue], clock: Clock) -> None:
        self._programs = programs
        self._clock = clock

    def decode(self, delivery: Delivery) -> Sequence[Item | Undecodable]:
        """The event of a vendor's message, or the refusal that answers it."""
        try:
            event = self._examine(delivery)
        except _RefusedError as refused:
            return [Refusal(_answer_to(delivery), refused.reasons, delivery, dryrun=_is_dry_run(delivery))]
        received = Received(event, delivery)
        return [Trial(received) if event.dryrun else received]

    def _examine(self, delivery: Delivery) -> VendorCloudEvent[Any]:
        if len(delivery.body) > MAX_VENDOR_BYTES:
            raise _refused("", "too_large", f"the body has more than {MAX_VENDOR_BYTES} bytes")
        if (delivery.content_type or "").partition(";")[0].strip().lower() != SINGLE:
            raise _refused("", "content_type", f"the content type must be {SINGLE}")
        key = original_key(delivery)
        _check_vendor(key, vendor_of(delivery))
        model = vendor_event(key)
        try:
            event = parse_vendors(model or _AnyData, delivery.body)
        except ValidationError as error:
            raise self._classified(key, model, delivery.body, error) from None
        self._check_envelope(key, model, event)
        self._check_data(event)
        return event

    def _classified(
        self, key: str, model: type[EventData] | None, body: bytes, error: ValidationError
    ) -> _RefusedError:
        """Tell faults of the envelope from faults of the data, in the order in which they are checked."""
        try:
            envelope = parse_vendors(_AnyData, body)
        except ValidationError as broken:
            return _RefusedError(_envelope_reasons(body, broken))
        try:
            self._check_envelope(key, model, envelope)
        except _RefusedError as refused:
            return refused
        return _RefusedError(_reasons(error, "schema"))

    def _check_envelope(self, key: str, model: type[EventData] | None, event: VendorCloudEvent[Any]) -> None:
        vendor = key.partition(".")[0]
        if "specversion" not in event.model_fields_set:
            raise _refused("specversion", "envelope", "Field required")
        if VENDOR_NAME.fullmatch(event.source) and event.source != vendor:
            # A URI says what it likes; a vendor's bare name is a claim to be that vendor.
            raise _refused("source", "envelope", f"source names {event.source!r}, the publisher is {vendor!r}")
        if event.type != key:
            raise _refused("type", "type_mismatch", f"type must equal the routing key {key!r}")
        if model is None or model not in TAKEN:
            raise _refused("type", "unknown_type", f"no event type {event.type!r} is taken here")
        if event.program not in self._programs:
            raise _refused("program", "unknown_program", f"there is no program {event.program!r}")

    def _check_data(self, event: VendorCloudEvent[Any]) -> None:
        data = event.data
        code = getattr(data, "exam_code", None)
        if code is not None and self._programs[event.program].find_exam(code) is None:
            raise _refused("data.exam_code", "unknown_exam", f"program {event.program} has no exam {code!r}")
        if isinstance(data, vendors.ExamResultReported) and data.taken_at > self._clock.now() + CLOCK_SKEW:
            raise _refused("data.taken_at", "schema", "lies in the future")
        if (
            isinstance(data, vendors.ShipmentReported | vendors.OrderRefused)
            and data.at > self._clock.now() + CLOCK_SKEW
        ):
            raise _refused("data.at", "schema", "lies in the future")
        if isinstance(data, vendors.CourseCompleted) and data.completed_on > (self._clock.now() + CLOCK_SKEW).date():
            raise _refused("data.completed_on", "schema", "lies in the future")
        if isinstance(data, vendors.AchievementReported) and data.achieved_on > (self._clock.now() + CLOCK_SKEW).date():
            raise _refused("data.achieved_on", "schema", "lies in the future")


def _check_vendor(key: str, vendor: str | None) -> None:
    if not vendor:
        raise _refused("", "user_id_missing", "set the message property user_id to your broker user")
    if key.partition(".")[0] != vendor:
        raise _refused("", "user_id_mismatch", f"the routing key must begin with {vendor!r}")


def _is_dry_run(delivery: Delivery) -> bool:
    """Whether a message that is refused says that it is one."""
    if len(delivery.body) > MAX_VENDOR_BYTES:
        return False
    try:
        event = orjson.loads(delivery.body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(event, dict) and event.get("dryrun") is True


def _answer_to(delivery: Delivery) -> str:
    # The broker lets a vendor publish under its own name only, so the key's first word is as good as its user.
    named = vendor_of(delivery) or original_key(delivery).partition(".")[0]
    return named if VENDOR_NAME.fullmatch(named) else "unknown"


def _refused(path: str, code: str, message: str) -> _RefusedError:
    return _RefusedError([Reason(path, code, message)])


def _envelope_reasons(body: bytes, error: ValidationError) -> list[Reason]:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        return [Reason("", "not_json", f"the body is not JSON: {broken.msg}, character {broken.pos}")]
    in_data = all(fault["loc"][:1] == ("data",) for fault in error.errors(include_url=False, include_context=False))
    return _reasons(error, "schema" if in_data else "envelope")


def _reasons(error: ValidationError, code: str) -> list[Reason]:
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return [Reason(".".join(map(str, fault["loc"])), code, fault["msg"]) for fault in faults[:20]]
