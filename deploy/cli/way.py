"""The way of a vendor's message through the services, put together from what the log and the services say of it."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Event = Mapping[str, Any]
Said = Mapping[str, Any]
"""An item of a service's answer."""

SHOWN = (
    *("exam_code", "grade", "previous_grade", "result_id", "registration_id", "change", "certification", "benefit"),
    *("level", "template", "state", "status", "decision", "order_id", "item", "message_id", "kind", "system"),
)
"""Fields of events that are shown without being asked for: ids and words of a program, nothing of a person."""

_NAMED = ("registration_id", "result_id", "message_id", "order_id")
"""Fields by which somebody outside may know of an event."""
_SMTP_CODE = re.compile(r"\d{3}(?: \d\.\d{1,3}\.\d{1,3})?\b|[a-z_]+$")
"""What of a mail's fault says nothing of a person: the mail server's codes (RFC 5321, RFC 3463), or a word of ours."""


def own_id(name: str) -> str:
    """An id as it stands in what services say: a Message-ID without its brackets and its domain."""
    mail = re.fullmatch(r"<?([0-9a-f]{32})@[^@\s>]+>?", name)
    return mail[1] if mail else name


def chain_of(event: Event) -> str:
    """The correlation id of an event; the first one of a chain is its own."""
    return str(event.get("correlationid") or event["id"])


def is_meant(event: Event, name: str) -> bool:
    """Whether an id names this event, what it tells of, its cause, or its chain."""
    if name in (event["id"], event.get("correlationid"), event.get("causationid")):
        return True
    data = event.get("data", {})
    # Our own id of a result ends in the vendor's, behind program and vendor.
    known = [own_id(str(data[key])) for key in _NAMED if data.get(key)]
    return any(one == name or one.endswith((f":{name}", f"/{name}")) for one in known)


def belonging(events: Sequence[Event], name: str) -> list[Event]:
    """Those of the events that are on the way which `name` is an id of, in the order they happened.

    A correlation id stands for all of its chain. Any other id stands for one message, also where a vendor puts the same
    correlation id into all that it sends: what follows from the message that led to the event of that id.
    """
    by_id = {event["id"]: event for event in events}
    if any(event.get("correlationid") == name for event in events):
        chosen = [event for event in by_id.values() if chain_of(event) == name]
    else:
        roots = {_root(event, by_id) for event in by_id.values() if is_meant(event, name)}
        chosen = [event for event in by_id.values() if _root(event, by_id) in roots]
    return sorted(chosen, key=moment_of)


def _root(event: Event, by_id: Mapping[str, Event]) -> str:
    """The id of what began it all: a vendor's message, which no log of ours holds, or the first event."""
    seen = {event["id"]}
    while (cause := event.get("causationid")) in by_id and cause not in seen:
        seen.add(cause)
        led_here = by_id[str(cause)]
        if chain_of(led_here) != chain_of(event):
            return chain_of(event)  # something of another chain has only set this one going again
        event = led_here
    return str(event.get("causationid") or event["id"])


def origins(events: Sequence[Event]) -> list[str]:
    """The ids of the messages from outside that events were caused by, and of the results that they tell."""
    known = {event["id"] for event in events}
    causes = {str(cause) for event in events if (cause := event.get("causationid")) and cause not in known}
    results = {str(event["data"]["result_id"]) for event in events if "result_id" in event.get("data", {})}
    return [*sorted(causes), *sorted(results)]


def moment_of(event: Event) -> datetime:
    """When it happened: of a mail, when the mail server took it, which is told a little later."""
    return datetime.fromisoformat(str(event.get("data", {}).get("accepted_at") or event["time"]))


@dataclass(frozen=True)
class Step:
    """One thing that happened on the way."""

    at: datetime
    where: str
    """The vendor, or the service."""
    what: str
    id: str
    about: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class End:
    """Where the way ends, or for the time being."""

    state: str
    """`mailed`, `waiting`, `refused`, `parked`, `held` of a mail that did not go, `under_way`, `quiet`."""
    text: str


def steps_of(events: Iterable[Event], received: Iterable[Said], *, data: bool = False) -> list[Step]:
    """Everything that happened, in its order: what vendors said, then what services did about it."""
    steps = [_received(item) for item in received]
    steps += [_happened(event, data=data) for event in events]
    return sorted(steps, key=lambda step: step.at)


def _received(item: Said) -> Step:
    about = {name: str(item[name]) for name in ("key", "registration_id", "channel") if item.get(name)}
    what = {"result": "result reported", "registration": "registration reported", "rejection": "message refused"}
    moment = datetime.fromisoformat(str(item["received_at"]))
    return Step(moment, str(item["vendor"]), what[str(item["kind"])], str(item["message_id"] or "-"), about)


def _happened(event: Event, *, data: bool) -> Step:
    content = event.get("data", {})
    about = {name: str(content[name]) for name in SHOWN if content.get(name) is not None}
    kind = str(event["type"]).split(".")
    return Step(
        moment_of(event),
        str(event["source"]).rpartition("/")[2],
        kind[2] if len(kind) > 2 else str(event["type"]),  # noqa: PLR2004 certrail.<service>.<Event>.v1
        str(event["id"]),
        about,
        content if data else None,
    )


def ends_of(
    events: Sequence[Event],
    received: Iterable[Said],
    mails: Iterable[Said],
    parked: Iterable[Said],
    *,
    data: bool = False,
) -> list[End]:
    """Where the way ends. Every branch of it has an end of its own, and what holds it up comes first."""
    ends = [end for item in received if (end := _held_at_the_door(item))]
    ends += [
        End(
            "parked",
            f"{item['service']} could not handle {item['routing_key']} ({item['code']}): "
            f"see `certrail parked show {item['id']}`",
        )
        for item in parked
    ]
    ends += sorted((_mailed(mail, data=data) for mail in mails), key=lambda end: end.state == "mailed")
    if not ends and events:
        last = events[-1]
        ends.append(End("quiet", f"nothing has followed {last['type']} of {moment_of(last):%H:%M:%S} so far"))
    return ends


def _held_at_the_door(item: Said) -> End | None:
    if item["state"] == "refused":
        reasons = ", ".join(f"{one['code']} at {one['path'] or 'the message'}" for one in item["reasons"])
        return End("refused", f"{item['vendor']} was told why its message was refused: {reasons}")
    if item["state"] == "waiting":
        what = item["key"] or item["registration_id"]
        return End("waiting", f"{what} waits for its candidate since {item['received_at']}")
    return None


_GONE = frozenset({"sent", "delivered"})
_UNDER_WAY = frozenset({"waiting", "queued", "sending"})


def _mailed(mail: Said, *, data: bool) -> End:
    state, template, number = str(mail["state"]), mail["template"], mail["message_id_header"]
    if state in _GONE:
        return End("mailed", f"mail {template} {number}: {'delivered' if state == 'delivered' else 'accepted'}")
    why = str(mail["error"] or "")
    shown = why if data else " ".join(_SMTP_CODE.findall(why)[:1])
    text = f"mail {template} {number}: {state}" + (f" ({shown})" if shown else "")
    return End("under_way" if state in _UNDER_WAY else "held", text)


def is_on_the_way(event: Event, names: Collection[str]) -> bool:
    """Whether an event that was set aside is one of these, follows from one, or is of a chain of theirs."""
    return bool({str(event.get(key)) for key in ("id", "correlationid", "causationid")} & set(names))
