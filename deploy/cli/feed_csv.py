"""The CSV form of a vendor's file: one event type a file, one column a field, one row an event.

- UTF-8, with or without a byte order mark; commas; a header line; quotes doubled within quotes (RFC 4180).
- A column is named like the field of the event data, nested ones with dots: `exam_code`, `candidate.email`.
- `type`, `program`, `id` and `time` are columns too, and optional: see `feed_rows` for what stands in their place.
- An empty cell leaves the field out. Texts, dates and times stand as they are; numbers are written `850` or `66.5`,
  yes and no `true` and `false`, lists as JSON: `[{"name": "Routing", "percent": 80}]`.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from deploy.cli.errors import CliError
from deploy.cli.feed_rows import Defaults, Row, fault, make_row
from libs.common.bus.ingress import Reason
from libs.common.events import EventData, vendor_event

ENVELOPE = ("type", "program", "id", "time")

_JSON_KINDS = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a JSON list"}
_LONGEST_CELL = 1_000_000


def read_csv(path: Path, defaults: Defaults) -> Iterator[Row]:
    """The rows of a CSV file.

    Raises:
        CliError: the file is no CSV, or its header names no event type or unknown fields.
    """
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, None)
            if not header:
                raise CliError(f"{path}: has no header line")
            yield from _rows(path, reader, header, defaults)
        except csv.Error as error:
            raise CliError(f"{path}, line {reader.line_num}: is not CSV: {error}") from error
        except UnicodeDecodeError as error:
            raise CliError(f"{path}, after line {reader.line_num}: is not UTF-8 text") from error


def _rows(path: Path, reader: Any, header: list[str], defaults: Defaults) -> Iterator[Row]:
    kinds: Mapping[str, str] = {}
    file_type: str | None = None
    for cells in reader:
        line = reader.line_num
        if not cells:
            continue
        if len(cells) != len(header):
            yield fault(line, "", "cells", f"has {len(cells)} cells, the header {len(header)}")
            continue
        row = {column: cell for column, cell in zip(header, cells, strict=True) if cell != ""}
        event_type = (row.get("type") or defaults.event_type or "").removeprefix(f"{defaults.vendor}.")
        if file_type is None:
            kinds, file_type = _header_kinds(path, header, event_type, defaults.vendor), event_type
        if event_type != file_type:
            yield fault(line, "type", "mixed_types", f"is {event_type!r} in a file of {file_type!r}")
            continue
        yield _row(line, row, kinds, defaults)


def _row(line: int, cells: Mapping[str, str], kinds: Mapping[str, str], defaults: Defaults) -> Row:
    row: dict[str, Any] = {column: cells[column] for column in ENVELOPE if column in cells}
    data: dict[str, Any] = {}
    reasons: list[Reason] = []
    for column, kind in kinds.items():
        if column not in cells:
            continue
        value: Any = cells[column]
        if kind in _JSON_KINDS:
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                reasons.append(Reason(column, "cell", f"is not {_JSON_KINDS[kind]}"))
        _place(data, column, value)
    if reasons:
        return Row(line, None, tuple(reasons))
    return make_row(line, {**row, "data": data}, defaults)


def _place(data: dict[str, Any], column: str, value: Any) -> None:
    *parents, last = column.split(".")
    place = data
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = value


def _header_kinds(path: Path, header: list[str], event_type: str, vendor: str) -> Mapping[str, str]:
    """The JSON type of each column's field."""
    model = vendor_event(f"{vendor}.{event_type}")
    if model is None:
        raise CliError(
            f"{path}: there is no event type {event_type!r}" if event_type else f"{path}: names no event type",
            hint="give a column `type`, or --type ExamResultReported.v1",
        )
    known = field_kinds(model)
    repeated = sorted({column for column in header if header.count(column) > 1})
    unknown = [column for column in header if column not in known and column not in ENVELOPE]
    if repeated or unknown:
        what = f"column {repeated[0]!r} stands there twice" if repeated else f"unknown column {unknown[0]!r}"
        raise CliError(f"{path}: {what}", hint=f"{event_type} has {', '.join((*ENVELOPE, *known))}")
    return {column: known[column] for column in header if column in known}


def field_kinds(model: type[EventData]) -> dict[str, str]:
    """Every field that holds a value, by its dotted name, with its JSON type."""
    schema = model.model_json_schema()
    return dict(_walk(schema, schema.get("$defs", {}), ""))


def _walk(schema: Mapping[str, Any], shared: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in schema.get("properties", {}).items():
        resolved = _resolved(field, shared)
        if resolved.get("type") == "object":
            yield from _walk(resolved, shared, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(resolved.get("type", "string"))


def _resolved(field: Mapping[str, Any], shared: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind references, and the one alternative that is not null."""
    while True:
        if "$ref" in field:
            field = shared[field["$ref"].rpartition("/")[2]]
        elif "anyOf" in field:
            field = next(part for part in field["anyOf"] if part.get("type") != "null")
        else:
            return field
