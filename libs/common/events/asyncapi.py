"""The bus as an AsyncAPI 3.0 document, made from the event registry and the topology."""

from typing import Any

from pydantic import BaseModel

from libs.common.bus import topology
from libs.common.events import answers, orders
from libs.common.events.answers import ANSWERS
from libs.common.events.envelope import BATCH, SINGLE, CloudEvent, VendorCloudEvent
from libs.common.events.orders import ORDERS, OrderRequested, OrderWithdrawn, order_type
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
        "channels": {
            **{_name(key): _channel(key, model) for key, model in all_events().items()},
            **{_answer_name(model): _answer_channel(model) for model in ANSWERS},
            **{_order_name(model): _order_channel(model) for model in ORDERS},
        },
        "operations": {
            **{f"publish-{_name(key)}": _operation(_name(key)) for key in messages},
            **{f"publish-{_answer_name(model)}": _operation(_answer_name(model)) for model in ANSWERS},
            **{f"publish-{_order_name(model)}": _operation(_order_name(model)) for model in ORDERS},
        },
        "components": {
            "messages": {
                **{_name(key): message for key, message in messages.items()},
                **{_answer_name(model): _answer_message(model) for model in ANSWERS},
                **{_order_name(model): _order_message(model) for model in ORDERS},
            },
            "schemas": {
                **{_name(key): _embedded(_name(key), event_schema(model)) for key, model in all_events().items()},
                **{_answer_name(model): _embedded(_answer_name(model), _answer_schema(model)) for model in ANSWERS},
                **{_order_name(model): _embedded(_order_name(model), _order_schema(model)) for model in ORDERS},
            },
        },
    }


def event_schema(model: type[EventData]) -> Document:
    """The JSON Schema (2020-12) of a whole event: envelope and data, self-contained."""
    envelope = VendorCloudEvent if model.publisher == VENDOR else CloudEvent
    schema: Document = envelope[model].model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = model.event_key
    return schema


def _embedded(name: str, schema: Document) -> Document:
    """The schema as a part of the document, where a reference begins at the document's root and not at its own."""
    place = f"#/components/schemas/{name}"

    def moved(node: Any) -> Any:
        if isinstance(node, list):
            return [moved(part) for part in node]
        if not isinstance(node, dict):
            return node
        return {
            name: place + value.removeprefix("#") if name == "$ref" and isinstance(value, str) else moved(value)
            for name, value in node.items()
        }

    document: Document = moved(schema)
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
                "exchange": _exchange(topology.VENDORS if vendor else topology.EVENTS),
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


def _operation(name: str) -> Document:
    return {
        "action": "receive" if name.startswith(VENDOR) else "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }


def _answer_name(model: type[BaseModel]) -> str:
    return f"{answers.PREFIX}-{model.__name__}-v1"


def _answer_schema(model: type[BaseModel]) -> Document:
    return {**model.model_json_schema(mode="serialization"), "$schema": "https://json-schema.org/draft/2020-12/schema"}


def _answer_message(model: type[BaseModel]) -> Document:
    kind = f"certrail.{model.__name__}.v1"
    return {
        "name": f"{answers.PREFIX}.{model.__name__}.v1",
        "title": model.__name__,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{_answer_name(model)}"},
        "bindings": {"amqp": {"contentEncoding": "utf-8", "messageType": kind}},
    }


def _answer_channel(model: type[BaseModel]) -> Document:
    name = _answer_name(model)
    return {
        "address": "{vendor}",
        "description": "Read by: the vendor, from its own queue of rejections.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": _exchange(topology.REJECTIONS)}},
        "parameters": {"vendor": {"description": "The vendor's broker user."}},
    }


def _order_name(model: type[BaseModel]) -> str:
    return f"{orders.PREFIX}-{model.__name__}-v1"


def _order_schema(model: type[OrderRequested] | type[OrderWithdrawn]) -> Document:
    """The whole message: an envelope, and the order in it."""
    text = {"type": "string"}
    data = model.model_json_schema(mode="serialization")
    definitions = data.pop("$defs", {})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": definitions,
        "title": order_type(model),
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text | {"description": "The same for the same sending of an order"},
            "source": {"const": "certrail/fulfillment"},
            "type": {"const": order_type(model)},
            "time": text | {"format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "program": text,
            "data": data,
        },
        "required": ["specversion", "id", "source", "type", "time", "program", "data"],
    }


def _order_message(model: type[OrderRequested] | type[OrderWithdrawn]) -> Document:
    return {
        "name": f"{orders.PREFIX}.{model.__name__}.v1",
        "title": model.__name__,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "contentType": SINGLE,
        "payload": {"$ref": f"#/components/schemas/{_order_name(model)}"},
        "bindings": {"amqp": {"contentEncoding": "utf-8", "messageType": order_type(model)}},
    }


def _order_channel(model: type[OrderRequested] | type[OrderWithdrawn]) -> Document:
    name = _order_name(model)
    return {
        "address": "{house}",
        "description": "Read by: the fulfilment house, from its own queue of orders.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": _exchange(topology.ORDERS)}},
        "parameters": {"house": {"description": "The fulfilment house's broker user."}},
    }


def _exchange(name: str) -> Document:
    return {"name": name, "type": "topic", "durable": True, "autoDelete": False}
