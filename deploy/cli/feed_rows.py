"""Rows of a vendor's file, each made into the message that carries it.

Two forms, told apart by the file's ending:

- **JSON Lines** (`.jsonl`, `.ndjson`, `.json`): one object a line, `{"id", "type", "program", "time", "data"}`, or the
  bare event data where `--type` says what it is.
- **CSV** (`.csv`): see `feed_csv`.

What a row leaves out is filled in: `program` and `type` from the options; `time` with the moment the file was last
written, counted on by a microsecond a row, so that rows keep their order; `id` with one derived from the row's
content, so that the same row has the same id in whatever file, and however often, it is fed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from libs.common.bus.ingress import Reason
from libs.common.bus.messages import Outgoing
from libs.common.bus.topology import MAX_MESSAGE_BYTES, VENDORS
from libs.common.events import SINGLE
from libs.common.ids import derived_id

_ROW_KEYS = frozenset({"id", "type", "program", "time", "data"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the message it makes, or why it makes none."""

    line: int
    message: Outgoing | None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Defaults:
    """What stands for the things a row does not say."""

    vendor: str
    program: str | None
    event_type: str | None
    time: datetime


def defaults_for(path: Path, vendor: str, program: str | None, event_type: str | None) -> Defaults:
    """The defaults for a file's rows. Raises `OSError` where there is no such file."""
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Defaults(vendor, program, event_type, written)


def read_json_lines(path: Path, defaults: Defaults) -> Iterator[Row]:
    """The rows of a JSON Lines file; empty lines are none."""
    with path.open("rb") as file:
        for line, text in enumerate(file, 1):
            content = text.strip() if line > 1 else text.removeprefix(b"\xef\xbb\xbf").strip()
            if content:
                yield _json_row(line, content, defaults)


def _json_row(line: int, content: bytes, defaults: Defaults) -> Row:
    try:
        row = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return fault(line, "", "not_json", f"is not JSON: {error.msg}, column {error.colno}")
    if not isinstance(row, dict):
        return fault(line, "", "not_a_row", "is not a JSON object")
    if "data" not in row and defaults.event_type is not None:
        row = {"data": row}
    unknown = sorted(row.keys() - _ROW_KEYS)
    if unknown:
        return fault(line, unknown[0], "unknown_key", f"a row has {', '.join(sorted(_ROW_KEYS))} and nothing else")
    return make_row(line, row, defaults)


def make_row(line: int, row: dict[str, Any], defaults: Defaults) -> Row:
    """The message of a row; only what the envelope cannot do without is checked here."""
    filled = {"program": defaults.program, "type": defaults.event_type, **row}
    for key in ("type", "program", "data"):
        if filled.get(key) is None:
            option = f", and --{key} was not given" if key != "data" else ""
            return fault(line, key, "missing", f"is missing{option}")
    if not isinstance(filled["type"], str) or not filled["type"].isascii():
        return fault(line, "type", "envelope", "is not the name of an event type")
    event = _event(line, filled, defaults)
    body = orjson.dumps(event)
    if len(body) > MAX_MESSAGE_BYTES:
        return fault(line, "", "too_large", f"makes a message of more than {MAX_MESSAGE_BYTES} bytes")
    return Row(line, _message(event, body, defaults.vendor))


def _event(line: int, row: dict[str, Any], defaults: Defaults) -> dict[str, Any]:
    vendor = defaults.vendor
    kind = row["type"].removeprefix(f"{vendor}.")
    time = row.get("time") or (defaults.time + timedelta(microseconds=line)).isoformat()
    return {
        "specversion": "1.0",
        "id": row.get("id") or _content_id(vendor, kind, row),
        "source": vendor,
        "type": f"{vendor}.{kind}",
        "time": time,
        "datacontenttype": "application/json",
        "program": row["program"],
        "data": row["data"],
    }


def _content_id(vendor: str, kind: str, row: dict[str, Any]) -> str:
    content = orjson.dumps([row["program"], row["data"]], option=orjson.OPT_SORT_KEYS)
    return derived_id("feed", vendor, kind, content.decode())


def _message(event: dict[str, Any], body: bytes, vendor: str) -> Outgoing:
    return Outgoing(
        id=str(event["id"]),
        exchange=VENDORS,
        routing_key=event["type"],
        type=event["type"],
        content_type=SINGLE,
        body=body,
        user_id=vendor,
    )


def fault(line: int, path: str, code: str, message: str) -> Row:
    """A row that makes no message."""
    return Row(line, None, (Reason(path, code, message),))
