"""What happens to an event that cannot be handled: a growing wait on the retry ladder, then parking with its cause.

The broker's own redelivery is never used for this: its counting differs between versions, and a requeued message
holds up those behind it. We publish the next attempt ourselves, confirmed, and acknowledge the failed one.
"""

import traceback
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from prometheus_client import Counter

from libs.common.bus.messages import Delivery, HeaderValue, Outgoing
from libs.common.bus.publisher import Publisher
from libs.common.bus.topology import RETRY_DELAYS, VENDORS, parked_queue, retry_exchange, retry_queue
from libs.common.clock import Clock
from libs.common.errors import Unprocessable
from libs.common.ids import new_id

TRIES = "x-certrail-tries"
VENDOR = "x-certrail-vendor"
QUEUE = "x-certrail-queue"
KEY = "x-certrail-routing-key"
FIRST_FAILURE = "x-certrail-first-failure"
LAST_FAILURE = "x-certrail-last-failure"
ERROR = "x-certrail-error"
CODE = "x-certrail-code"
STACK = "x-certrail-stack"
STACK_CHARACTERS = 4_000

RETRIED = Counter("certrail_events_retried_total", "Events sent to the retry ladder", ["queue", "step"])
PARKED = Counter("certrail_events_parked_total", "Events parked for an operator", ["queue", "code"])

log = structlog.get_logger(__name__)


class RetryLadder:
    """Sets failed messages of one queue aside."""

    def __init__(self, service: str, queue: str, publisher: Publisher, clock: Clock) -> None:
        self._service = service
        self._queue = queue
        self._publisher = publisher
        self._clock = clock

    async def set_aside(self, body: bytes, content_type: str, delivery: Delivery, error: BaseException) -> None:
        """Publish the next attempt, or the parked message where there is none.

        Raises:
            Unavailable: the broker did not confirm; the original must stay unacknowledged.
            Refused: the retry or parked queue is missing; consuming on would lose messages.
        """
        tries = tries_of(delivery) + 1
        permanent = isinstance(error, Unprocessable)
        if permanent or tries > len(RETRY_DELAYS):
            await self._park(body, content_type, delivery, error, tries)
        else:
            target = retry_queue(self._queue, tries)
            await self._publish(target, body, content_type, delivery, self._headers(delivery, error, tries))
            RETRIED.labels(self._queue, tries).inc()
            log.warning(
                "event_retried", queue=self._queue, step=tries, cause=type(error).__name__,
                message_id=delivery.message_id, correlation_id=correlation_of(body),
            )  # fmt: skip

    async def _park(self, body: bytes, content_type: str, delivery: Delivery, error: BaseException, tries: int) -> None:
        code = error.code if isinstance(error, Unprocessable) else "failed"
        stack = "".join(traceback.format_exception(error))[-STACK_CHARACTERS:]
        headers = {**self._headers(delivery, error, tries), CODE: code, STACK: stack}
        await self._publish(parked_queue(self._service), body, content_type, delivery, headers)
        PARKED.labels(self._queue, code).inc()
        log.error(
            "event_parked", queue=self._queue, tries=tries, code=code,
            cause=type(error).__name__, message_id=delivery.message_id, correlation_id=correlation_of(body),
        )  # fmt: skip

    def _headers(self, delivery: Delivery, error: BaseException, tries: int) -> dict[str, HeaderValue]:
        now = self._clock.now().isoformat()
        headers: dict[str, HeaderValue] = {
            TRIES: tries,
            QUEUE: self._queue,
            KEY: original_key(delivery),
            FIRST_FAILURE: str(delivery.headers.get(FIRST_FAILURE, now)),
            LAST_FAILURE: now,
            ERROR: f"{type(error).__name__}: {error}"[:500],
        }
        vendor = vendor_of(delivery)
        if vendor is not None:
            headers[VENDOR] = vendor
        return headers

    async def _publish(
        self,
        queue: str,
        body: bytes,
        content_type: str,
        delivery: Delivery,
        headers: Mapping[str, HeaderValue],
    ) -> None:
        message = Outgoing(
            id=delivery.message_id or new_id(),
            exchange=retry_exchange(self._service),
            routing_key=queue,
            type=delivery.type or "",
            content_type=content_type,
            body=body,
            headers=headers,
        )
        await self._publisher.publish(message)


def correlation_of(body: bytes) -> str | None:
    """The id of the first event of the chain that a single event belongs to, from its bytes; None of anything else."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    found = event.get("correlationid") or event.get("id") if isinstance(event, dict) else None
    return found if isinstance(found, str) else None


def tries_of(delivery: Delivery) -> int:
    """How often this message has failed before; only our own retry queues may say so."""
    return int(delivery.headers.get(TRIES, 0)) if _ours(delivery) else 0


def vendor_of(delivery: Delivery) -> str | None:
    """The vendor that published this message, as the broker has checked it.

    On its first way in it is the validated `user_id`. On its way round the retry ladder the property cannot be
    kept (the broker would take it for a forgery of ours), so a header carries it; that header counts only on
    messages that did not come through the vendors' exchange, the only one a vendor can publish to.
    """
    if not _ours(delivery):
        return delivery.user_id
    vendor: Any = delivery.headers.get(VENDOR)
    return vendor if isinstance(vendor, str) else None


def original_key(delivery: Delivery) -> str:
    """The routing key under which the message was first published."""
    return str(delivery.headers.get(KEY, delivery.routing_key)) if _ours(delivery) else delivery.routing_key


def _ours(delivery: Delivery) -> bool:
    return delivery.exchange != VENDORS
