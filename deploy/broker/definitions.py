"""Everything on the broker as one document: exchanges, queues, bindings, policies, users and their rights.

Retry queues and the log carry their settings as arguments, which a queue keeps for life. The delivery limit
and where the broker parks a message are a policy: what they mean has changed between RabbitMQ's versions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from deploy.broker.passwords import ALGORITHM, password_hash
from libs.common.bus import topology
from libs.common.bus.topology import Permissions
from libs.common.events import SERVICES

Definition: TypeAlias = dict[str, Any]

VHOST = "/"
OPERATOR = "operator"

LOG_SEGMENT_BYTES = 50_000_000
"""The log forgets whole segments; with the default of 500 MB a small platform would never forget."""

PARKED_DELIVERIES = 1_000_000
"""How often operators may look at a parked message; "unlimited" is written differently by each version."""

_NO_TOPIC = "^$"
_TOPIC_EXCHANGES = (topology.EVENTS, topology.VENDORS, topology.REJECTIONS, topology.ORDERS)
_DEFAULT_EXCHANGE = ""


def broker_users(vendors: Iterable[str]) -> tuple[str, ...]:
    """Every account on the broker but the administrator's."""
    return (*SERVICES, *vendors, OPERATOR)


def definitions(vendors: Sequence[str], passwords: Mapping[str, str]) -> Definition:
    """The whole broker, as the management API imports it.

    Args:
        vendors: names of those who publish to `certrail.vendors`.
        passwords: by user, for all `broker_users`.

    Raises:
        KeyError: a user has no password.
        ValueError: a vendor's name is malformed, or is a service's.
    """
    parts = [_shared(), *map(_service, SERVICES), *map(_vendor, vendors)]
    document = _merge(parts)
    document["users"] = [_user(name, passwords[name]) for name in broker_users(vendors)]
    return document


def vendor_definitions(vendor: str, password: str) -> Definition:
    """What one more vendor adds to a broker that has the rest. Raises `ValueError` for a bad name."""
    return {**_vendor(vendor), "users": [_user(vendor, password)]}


def operator_permissions() -> Permissions:
    """The command line's account: reads parked and refused messages and the log, and puts parked ones back."""
    return Permissions(
        configure="^$",
        write=rf"^({'|'.join(SERVICES)})\.retry$",
        read=rf"^(({'|'.join(SERVICES)})\.parked|{topology.VENDOR_NAME.pattern}\.rejections|certrail\.log)$",
        topics=dict.fromkeys(_TOPIC_EXCHANGES, _NO_TOPIC),
    )


def all_queues(vendors: Iterable[str]) -> tuple[str, ...]:
    """Every queue but the log."""
    of_services = [queue for service in SERVICES for queue in _service_queues(service)]
    return (*of_services, *(queue for vendor in vendors for queue in _vendor_queues(vendor)))


def _shared() -> Definition:
    return {
        "vhosts": [{"name": VHOST}],
        "exchanges": [
            _exchange(topology.EVENTS, "topic"),
            _exchange(topology.VENDORS, "topic", {"alternate-exchange": topology.UNROUTED}),
            _exchange(topology.REJECTIONS, "topic"),
            _exchange(topology.ORDERS, "topic"),
            _exchange(topology.UNROUTED, "fanout"),
        ],
        "queues": [_queue(topology.LOG, log_arguments())],
        "bindings": [
            _binding(topology.EVENTS, topology.LOG, "#"),
            _binding(topology.UNROUTED, topology.vendors_queue(topology.INGRESS), ""),
        ],
        **_rights(OPERATOR, operator_permissions()),
    }


def _service(service: str) -> Definition:
    consumed = topology.consumed_queues(service)
    return {
        "exchanges": [_exchange(topology.retry_exchange(service), "direct")],
        "queues": [
            *(_quorum_queue(queue) for queue in (*consumed, topology.parked_queue(service))),
            *(_retry_queue(queue, step) for queue in consumed for step in _retry_steps()),
        ],
        "bindings": list(_service_bindings(service)),
        "policies": [*([_consumed_policy(service)] if consumed else []), _parked_policy(service)],
        **_rights(service, topology.service_permissions(service)),
    }


def _vendor(vendor: str) -> Definition:
    if vendor in (*SERVICES, OPERATOR):
        raise ValueError(f"a vendor cannot be called {vendor!r}: that name is taken")
    rights = _rights(vendor, topology.vendor_permissions(vendor))
    return {
        "queues": [_quorum_queue(queue) for queue in _vendor_queues(vendor)],
        "bindings": [
            _binding(topology.REJECTIONS, topology.rejections_queue(vendor), f"{vendor}.#"),
            _binding(topology.ORDERS, topology.orders_queue(vendor), vendor),
        ],
        **rights,
    }


def _vendor_queues(vendor: str) -> tuple[str, str]:
    """Whoever it is: what becomes a fulfilment house later needs no new broker account."""
    return topology.rejections_queue(vendor), topology.orders_queue(vendor)


def _service_queues(service: str) -> Iterator[str]:
    yield topology.parked_queue(service)
    for queue in topology.consumed_queues(service):
        yield queue
        yield from (topology.retry_queue(queue, step) for step in _retry_steps())


def _service_bindings(service: str) -> Iterator[Definition]:
    for event in topology.EVENT_BINDINGS[service]:
        yield _binding(topology.EVENTS, topology.events_queue(service), event.event_key)
    for event in topology.VENDOR_BINDINGS.get(service, ()):
        yield _binding(topology.VENDORS, topology.vendors_queue(service), f"*.{event.name}.v{event.version}")
    for event in topology.HOOK_BINDINGS.get(service, ()):
        yield _binding(topology.EVENTS, topology.HOOKS, event.event_key)
    for queue in _service_queues(service):
        yield _binding(topology.retry_exchange(service), queue, queue)


def _retry_steps() -> range:
    return range(1, len(topology.RETRY_DELAYS) + 1)


def _exchange(name: str, kind: str, arguments: Definition | None = None) -> Definition:
    return {
        "name": name,
        "vhost": VHOST,
        "type": kind,
        "durable": True,
        "auto_delete": False,
        "internal": False,
        "arguments": arguments or {},
    }


def _queue(name: str, arguments: Definition) -> Definition:
    return {"name": name, "vhost": VHOST, "durable": True, "auto_delete": False, "arguments": arguments}


def _quorum_queue(name: str) -> Definition:
    return _queue(name, {"x-queue-type": "quorum"})


def _retry_queue(queue: str, step: int) -> Definition:
    """Holds a message for the step's delay, then gives it back to `queue`; never drops it on the way."""
    return _queue(
        topology.retry_queue(queue, step),
        {
            "x-queue-type": "quorum",
            "x-message-ttl": int(topology.RETRY_DELAYS[step - 1].total_seconds() * 1000),
            "x-dead-letter-exchange": _DEFAULT_EXCHANGE,
            "x-dead-letter-routing-key": queue,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",  # the strategy above needs it
        },
    )


def log_arguments() -> dict[str, str | int]:
    """The arguments of the stream that keeps every event for a while."""
    days = int(topology.LOG_RETENTION.total_seconds() // 86_400)
    return {
        "x-queue-type": "stream",
        "x-max-age": f"{days}D",
        "x-stream-max-segment-size-bytes": LOG_SEGMENT_BYTES,
    }


def _binding(exchange: str, queue: str, key: str) -> Definition:
    return {
        "source": exchange,
        "vhost": VHOST,
        "destination": queue,
        "destination_type": "queue",
        "routing_key": key,
        "arguments": {},
    }


def _consumed_policy(service: str) -> Definition:
    """A message that keeps killing its consumer is parked by the broker itself."""
    return {
        "name": f"consumed-by-{service}",
        "vhost": VHOST,
        "pattern": rf"^{service}\.(events|vendors|hooks)$",
        "apply-to": "queues",
        "priority": 10,
        "definition": {
            "delivery-limit": topology.MAX_DELIVERIES,
            "dead-letter-exchange": topology.retry_exchange(service),
            "dead-letter-routing-key": topology.parked_queue(service),
            "dead-letter-strategy": "at-least-once",
            "overflow": "reject-publish",
        },
    }


def _parked_policy(service: str) -> Definition:
    """Looking at a parked message counts as a delivery; where no limit is set, newer brokers drop it after twenty."""
    return {
        "name": f"parked-by-{service}",
        "vhost": VHOST,
        "pattern": rf"^{service}\.parked$",
        "apply-to": "queues",
        "priority": 10,
        "definition": {"delivery-limit": PARKED_DELIVERIES},
    }


def _rights(user: str, granted: Permissions) -> Definition:
    """Permissions of one user. A topic exchange without a rule lets everything through, so each gets one."""
    topics = {**dict.fromkeys(_TOPIC_EXCHANGES, _NO_TOPIC), **granted.topics}
    return {
        "permissions": [
            {
                "user": user,
                "vhost": VHOST,
                "configure": granted.configure,
                "write": granted.write,
                "read": granted.read,
            }
        ],
        "topic_permissions": [
            {"user": user, "vhost": VHOST, "exchange": exchange, "write": pattern, "read": "^$"}
            for exchange, pattern in topics.items()
        ],
    }


def _user(name: str, password: str) -> Definition:
    # The operator sees queues and their lengths; the others have no business on the management API.
    tags = ["monitoring"] if name == OPERATOR else []
    return {
        "name": name,
        "password_hash": password_hash(password),
        "hashing_algorithm": ALGORITHM,
        "tags": tags,
    }


def _merge(parts: Iterable[Definition]) -> Definition:
    merged: Definition = {}
    for part in parts:
        for section, entries in part.items():
            merged.setdefault(section, []).extend(entries)
    return merged
