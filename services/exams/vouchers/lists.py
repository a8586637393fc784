"""Lists of codes as vendors sell them: CSV with a header line, or JSON lines. Read line by line, each judged alone."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from libs.common.events.types import Code, Line
from libs.common.http.models import Day

CSV: Final = "text/csv"
JSON_LINES: Final = "application/x-ndjson"

Kind = Literal["voucher", "access_code"]
VendorName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,30}$")]
SecretCode = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[\x21-\x7e]{4,64}$")]


class CodeRow(BaseModel):
    """One code of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: SecretCode
    vendor: VendorName
    batch: Code
    kind: Kind = "voucher"
    exams: Annotated[list[Code], Field(max_length=100)] = []
    """Empty for any exam."""
    value: Line | None = None
    """What it is worth, in the vendor's words."""
    valid_from: Day | None = None
    valid_until: Day | None = None
    """The last day."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "CodeRow":
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("valid_until is before valid_from")
        return self


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is not taken. The message repeats nothing of it."""

    line: int
    code: str
    message: str


class ListRefused(Exception):
    """The file as a whole is no list of codes; the text says why."""


Read = tuple[int, CodeRow] | BadLine
_COLUMNS = frozenset(CodeRow.model_fields)
_NEEDED = frozenset({"code", "vendor", "batch"})


def read_list(media_type: str, content: bytes) -> Iterator[Read]:
    """The codes of a file, each with its line, and the lines that are none.

    Raises `ListRefused` at the first step where nothing of it can be read.
    """
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", errors="surrogateescape", newline="")
    return _csv(text) if media_type == CSV else _json_lines(text)


def _csv(text: io.TextIOWrapper) -> Iterator[Read]:
    reader = csv.reader(text)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise ListRefused("the header line cannot be read") from error
    if not set(header) >= _NEEDED or not set(header) <= _COLUMNS or len(set(header)) < len(header):
        raise ListRefused(
            f"the header line must name {', '.join(sorted(_NEEDED))}, and may name "
            f"{', '.join(sorted(_COLUMNS - _NEEDED))}, each once"
        )
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            yield BadLine(line, "csv", "cannot be read as CSV")
            continue
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            yield BadLine(line, "columns", f"has {len(cells)} columns, the header line has {len(header)}")
            continue
        yield _checked(line, _cells(header, cells))


def _cells(header: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    given: dict[str, Any] = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}
    if "exams" in given:
        given["exams"] = given["exams"].split()
    return given


def _json_lines(text: io.TextIOWrapper) -> Iterator[Read]:
    for line, content in enumerate(text, start=1):
        if not content.strip():
            continue
        try:
            given = orjson.loads(content)
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            yield BadLine(line, "json", "is not JSON")
            continue
        yield _checked(line, given)


def _checked(line: int, given: Any) -> Read:
    if not isinstance(given, Mapping):
        return BadLine(line, "json", "is not an object")
    if not _is_text(given):
        return BadLine(line, "encoding", "is not UTF-8 text")
    try:
        return line, CodeRow.model_validate(given)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in fault["loc"] if part in _COLUMNS)
        message = fault["msg"].removeprefix("Value error, ")
        return BadLine(line, fault["type"], f"{place}: {message}" if place else message)


def _is_text(given: Mapping[Any, Any]) -> bool:
    return not any("\ud800" <= mark <= "\udfff" for value in given.values() if isinstance(value, str) for mark in value)
