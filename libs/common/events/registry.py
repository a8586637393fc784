"""Which event types exist: every class derived from `EventData` with a publisher is one, and registers itself.

The registry is what the JSON Schemas, the AsyncAPI document, the routing keys and the consumers' parsers are
made from, so an event is declared in one place.
"""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

SERVICES = ("identity", "exams", "certs", "fulfillment", "notify")
VENDOR = "vendor"

_registry: dict[str, type["EventData"]] = {}


class EventData(BaseModel):
    """The `data` of one event type.

    Subclasses name who publishes them: `class ExamPassed(EventData, publisher="exams")`. Fields are only ever
    added, with a default; a breaking change is a new class with the next `version` beside the old one. Consumers
    ignore fields they do not know.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    publisher: ClassVar[str]
    name: ClassVar[str]
    version: ClassVar[int]
    event_key: ClassVar[str]
    """`exams.ExamPassed.v1`: the routing key; a vendor's begins with the vendor's own name instead."""
    event_type: ClassVar[str]
    """`certrail.exams.ExamPassed.v1`: the CloudEvents type of a service's event."""

    def __init_subclass__(cls, **_declaration: Any) -> None:
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, *, publisher: str | None = None, version: int = 1, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if publisher is None:
            return
        cls.publisher, cls.name, cls.version = publisher, cls.__name__, version
        cls.event_key = f"{publisher}.{cls.__name__}.v{version}"
        cls.event_type = f"certrail.{cls.event_key}"
        if cls.event_key in _registry:
            raise TypeError(f"event {cls.event_key} is declared twice")
        _registry[cls.event_key] = cls


def all_events() -> dict[str, type[EventData]]:
    """Every event of the published language by its key, in the order of declaration."""
    return dict(_registry)


def service_event(event_type: str) -> type[EventData] | None:
    """The model of a service's CloudEvents type, or None where there is none."""
    prefix, _, key = event_type.partition(".")
    return _registry.get(key) if prefix == "certrail" and not key.startswith(VENDOR) else None


def vendor_event(event_type: str) -> type[EventData] | None:
    """The model of a vendor's CloudEvents type (`vue.ExamResultReported.v1`), or None where there is none."""
    _vendor, _, name = event_type.partition(".")
    return _registry.get(f"{VENDOR}.{name}")
