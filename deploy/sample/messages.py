"""How a hand-made message is written down: everything a publisher can set, and what should come of it."""

import copy
import json
from dataclasses import dataclass
from typing import Any

CONTENT_TYPE = "application/cloudevents+json"
REMOVED = object()
"""In place of a value: the field is left out."""

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What should become of a message.

    `code` is the reason the rejection gives or, where the broker itself refuses, the broker's reply in lower
    case; None where the message is accepted.
    """

    expect: str
    code: str | None


ACCEPTED = Expectation("accepted", None)
FORGED = Expectation("refused_by_broker", "precondition_failed")
FORBIDDEN = Expectation("refused_by_broker", "access_refused")
TOO_LARGE_FOR_BROKER = Expectation("refused_by_broker", "precondition_failed")


def rejected(code: str) -> Expectation:
    return Expectation("rejected", code)


class Composer:
    """Numbers messages of its own and knows what a correct one looks like."""

    def __init__(self) -> None:
        self._number = 0

    def _next_id(self) -> str:
        self._number += 1
        return f"hand-{self._number:04}"

    def envelope(self, vendor: str, program: str, kind: str, data: Any) -> dict[str, Any]:
        """A correct CloudEvents envelope around `data`."""
        return {
            "specversion": "1.0",
            "id": self._next_id(),
            "source": vendor,
            "type": f"{vendor}.{kind}",
            "time": "2026-11-20T12:00:00Z",
            "datacontenttype": "application/json",
            "program": program,
            "data": data,
        }

    def message(
        self,
        why: str,
        expectation: Expectation,
        event: dict[str, Any],
        **properties: Any,
    ) -> Message:
        """A message that carries `event`; `properties` replace what its publisher would set, or the body."""
        vendor = str(event["type"]).partition(".")[0]
        message: Message = {
            "vendor": vendor,
            "why": why,
            "expect": expectation.expect,
            "code": expectation.code,
            "routing_key": event["type"],
            "content_type": CONTENT_TYPE,
            "message_id": event["id"],
            "user_id": vendor,
        }
        if not properties.keys() & {"body", "body_base64", "body_repeat"}:
            properties["body"] = json.dumps(event, ensure_ascii=False)
        return message | properties


def altered(original: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy in which the field at the dotted `path` has another value, or is gone."""
    copied = copy.deepcopy(original)
    *parents, last = path.split(".")
    place = copied
    for name in parents:
        place = place[name]
    if value is REMOVED:
        del place[last]
    else:
        place[last] = value
    return copied
