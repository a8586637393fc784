"""The AsyncAPI document of the bus as a page."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from deploy.gateway.reference.schemas import Field, Json, Schemas
from libs.common.bus import topology
from libs.common.events import SERVICES, VENDOR
from libs.common.events.answers import PREFIX
from libs.common.events.asyncapi import asyncapi_document

_NESTED = "data"


@dataclass(frozen=True, slots=True)
class EventSection:
    """One event type."""

    key: str
    name: str
    summary: str
    address: str
    exchange: str
    audience: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes, and what."""

    name: str
    events: tuple[EventSection, ...]


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue and what feeds it."""

    name: str
    reader: str
    feeds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BusPage:
    """The whole bus."""

    version: str
    publishers: tuple[Publisher, ...]
    envelope: tuple[Field, ...]
    queues: tuple[QueueRow, ...]


def bus_page() -> BusPage:
    """The page, from the same document that is published for programs."""
    document = asyncapi_document()
    sections = [_section(channel, name, document) for name, channel in document["channels"].items()]
    publishers = tuple(
        Publisher(who, tuple(section for section in sections if section.key.startswith(f"{who}.")))
        for who in (VENDOR, PREFIX, *SERVICES)
    )
    return BusPage(document["info"]["version"], publishers, _envelope(document), tuple(_queues()))


def _section(channel: Json, name: str, document: Json) -> EventSection:
    message = document["components"]["messages"][name]
    schema = document["components"]["schemas"][name]
    return EventSection(
        key=message["name"],
        name=message["title"],
        summary=message["summary"],
        address=channel["address"],
        exchange=channel["bindings"]["amqp"]["exchange"]["name"],
        audience=channel["description"],
        fields=tuple(Schemas(document).fields(schema["properties"].get(_NESTED, schema))),
    )


def _envelope(document: Json) -> tuple[Field, ...]:
    """The fields around `data`: the same for all events, so those of the first."""
    schema = next(iter(document["components"]["schemas"].values()))
    schemas = Schemas(document)
    required = schema["required"]
    return tuple(
        schemas.single(name, part, required=name in required or name == "specversion")
        for name, part in schema["properties"].items()
        if name != _NESTED
    )


def _queues() -> Iterator[QueueRow]:
    for service in SERVICES:
        events = tuple(event.event_key for event in topology.EVENT_BINDINGS[service])
        if events:
            yield QueueRow(topology.events_queue(service), service, events)
        if service in topology.VENDOR_BINDINGS:
            keys = [f"*.{event.name}.v{event.version}" for event in topology.VENDOR_BINDINGS[service]]
            unrouted = ["everything else from vendors, to be refused"] if service == topology.INGRESS else []
            yield QueueRow(topology.vendors_queue(service), service, tuple(chain(keys, unrouted)))
    for service, models in topology.HOOK_BINDINGS.items():
        yield QueueRow(topology.HOOKS, service, tuple(event.event_key for event in models))
    yield QueueRow(topology.LOG, "operator", ("#",))
