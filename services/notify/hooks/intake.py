"""Takes in what services say, and keeps a message for each hook that is to be told.

Events are read as JSON and not checked again, and only where a hook wants events of their kind.
What is kept is what will be sent; personal data that a hook has not asked for never comes into its messages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from libs.common.bus.messages import Delivery, Undecodable
from libs.common.errors import Unprocessable
from libs.common.events import BATCH, SINGLE, identity, service_event
from libs.common.events.subscribers import subscribable, told
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.privacy.pseudonyms import is_pseudonym
from libs.common.privacy.tombstones import Tombstones
from services.notify.hooks.known import KnownHooks
from services.notify.hooks.store import Hook, HookStore, new_delivery

_ENVELOPE = (
    *("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"),
    *("program", "subjectversion", "correlationid", "causationid"),
)
"""What is passed on of an event's attributes: all but our traces."""

_ERASED = identity.CandidateErased.event_key

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Happened:
    """One event out of a delivery, as JSON."""

    key: str
    event: Json
    delivery: Delivery
    traceparent: str | None = None

    @property
    def correlation_id(self) -> str:
        found: str = self.event.get("correlationid") or self.event["id"]
        return found

    @property
    def parent(self) -> str | None:
        found: str | None = self.event.get("traceparent")
        return found

    def traced(self, traceparent: str) -> Self:
        return type(self)(self.key, self.event, self.delivery, traceparent)

    def alone(self) -> tuple[bytes, str]:
        return orjson.dumps(self.event), SINGLE

    @property
    def candidates(self) -> list[str]:
        """Whom it is about."""
        data = self.event["data"]
        return [data[name] for name in ("candidate_id", "merged_id") if name in data]


def _is_event(event: Any) -> bool:
    whole = isinstance(event, dict) and isinstance(event.get("data"), dict)
    return whole and all(isinstance(event.get(name), str) for name in ("id", "program", "source"))


def _undecodable(delivery: Delivery, code: str, message: str) -> Undecodable:
    content_type = delivery.content_type or "application/octet-stream"
    return Undecodable(delivery.body, content_type, delivery, Unprocessable(code, message))


class Intake:
    """Keeps messages for hooks; `wake` is called when there are new ones."""

    def __init__(self, store: HookStore, known: KnownHooks, tombstones: Tombstones, wake: Callable[[], None]) -> None:
        self._store = store
        self._known = known
        self._tombstones = tombstones
        self._wake = wake

    def decode(self, delivery: Delivery) -> Sequence[Happened | Undecodable]:
        """The events of one message, or none where no hook wants such: all that happens comes by here."""
        model = service_event(delivery.type or "")
        if model is None or model.event_key not in subscribable():
            return [_undecodable(delivery, "unknown_type", f"nobody is told of {delivery.type!r}")]
        if not self._known.may_want(model.event_key):
            return []
        try:
            content = orjson.loads(delivery.body)
        except orjson.JSONDecodeError:
            return [_undecodable(delivery, "not_json", "the body is no JSON")]
        events = content if delivery.content_type == BATCH else [content]
        if not isinstance(events, list) or not all(map(_is_event, events)):
            return [_undecodable(delivery, "schema", "the body holds no events")]
        return [Happened(model.event_key, event, delivery) for event in events]

    async def handle(self, transaction: Transaction, items: Sequence[Happened]) -> None:
        """Everything written has a key that follows from its event and its hook: what comes again changes nothing."""
        hooks = (await self._known.all()).values()
        wanted = [
            (item, hook)
            for item in items
            for hook in hooks
            if hook.program == item.event["program"] and item.key in hook.events
        ]
        if not wanted:
            return
        erased = await self._tombstones.find(one for item, _ in wanted for one in item.candidates)
        rows = [_message(item, hook, transaction) for item, hook in wanted if _is_to_be_told(item, erased)]
        if rows:
            await self._store.put(transaction.session, rows)
            transaction.on_commit(self._wake)


def _is_to_be_told(item: Happened, erased: Any) -> bool:
    """Of somebody erased nothing is told but that they are, once."""
    if item.key == _ERASED:
        return not item.event["data"].get("again")
    return not any(one in erased or is_pseudonym(one) for one in item.candidates)


def _message(item: Happened, hook: Hook, transaction: Transaction) -> Document:
    event = item.event
    body = {name: event[name] for name in _ENVELOPE if event.get(name) is not None}
    body["data"] = told(item.key, event["data"], personal=hook.personal)
    return new_delivery(
        derived_id("hook", hook.id, event["source"], event["id"]),
        hook=hook,
        event_key=item.key,
        event_id=event["id"],
        # The news of an erasure outlives it, until whoever held something has heard.
        candidates=[] if item.key == _ERASED else item.candidates,
        body=orjson.dumps(body).decode(),
        now=transaction.now,
    )
