"""The bus as an AsyncAPI 3.0 document, made from the event registry and the topology."""

from typing import Any

from libs.common.bus import topology
from libs.common.events.envelope import BATCH, SINGLE, CloudEvent, VendorCloudEvent
from libs.common.events.registry import VENDOR, EventData, all_events

Document = dict[str, Any]
VERSION = "1.0.0"


def asyncapi_document() -> Document:
    """Channels are routing keys on their exchange; each operation says who sends."""
    messages = {key: _message(key, model) for key, model in all_events().items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Certrail bus",
            "version": VERSION,
            "description": "Every event on RabbitMQ: what vendors publish and what the services publish.",
        },
        "defaultContentType": SINGLE,
        "channels": {_name(key): _channel(key, model) for key, model in all_events().items()},
        "operations": {f"publish-{_name(key)}": _operation(key) for key in messages},
        "components": {
            "messages": {_name(key): message for key, message in messages.items()},
            "schemas": {_name(key): _embedded(key, model) for key, model in all_events().items()},
        },
    }


def event_schema(model: type[EventData]) -> Document:
    """The JSON Schema (2020-12) of a whole event: envelope and data, self-contained."""
    envelope = VendorCloudEvent if model.publisher == VENDOR else CloudEvent
    schema: Document = envelope[model].model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = model.event_key
    return schema


def _embedded(key: str, model: type[EventData]) -> Document:
    """The schema as a part of the document, where a reference begins at the document's root and not at its own."""
    place = f"#/components/schemas/{_name(key)}"

    def moved(node: Any) -> Any:
        if isinstance(node, list):
            return [moved(part) for part in node]
        if not isinstance(node, dict):
            return node
        return {
            name: place + value.removeprefix("#") if name == "$ref" and isinstance(value, str) else moved(value)
            for name, value in node.items()
        }

    document: Document = moved(event_schema(model))
    return document


def _name(key: str) -> str:
    return key.replace(".", "-")


def _message(key: str, model: type[EventData]) -> Document:
    return {
        "name": key,
        "title": model.name,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "contentType": SINGLE,
        "payload": {"$ref": f"#/components/schemas/{_name(key)}"},
        "bindings": {"amqp": {"contentEncoding": "utf-8", "messageType": key}},
    }


def _channel(key: str, model: type[EventData]) -> Document:
    vendor = model.publisher == VENDOR
    channel: Document = {
        "address": f"{{vendor}}.{model.name}.v{model.version}" if vendor else key,
        "description": _audience(model),
        "messages": {_name(key): {"$ref": f"#/components/messages/{_name(key)}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": topology.VENDORS if vendor else topology.EVENTS,
                    "type": "topic",
                    "durable": True,
                    "autoDelete": False,
                },
            }
        },
    }
    if vendor:
        channel["parameters"] = {"vendor": {"description": "The vendor's broker user."}}
    return channel


def _audience(model: type[EventData]) -> str:
    bindings = topology.VENDOR_BINDINGS if model.publisher == VENDOR else topology.EVENT_BINDINGS
    readers = [service for service, models in bindings.items() if model in models]
    batches = "" if model.publisher == VENDOR else f" May come as a batch ({BATCH})."
    return f"Read by: {', '.join(readers) or 'subscribers only'}.{batches}"


def _operation(key: str) -> Document:
    return {
        "action": "receive" if key.startswith(VENDOR) else "send",
        "channel": {"$ref": f"#/channels/{_name(key)}"},
        "messages": [{"$ref": f"#/channels/{_name(key)}/messages/{_name(key)}"}],
    }
