"""From one line of a vendor's result file to what it says, or to every column at fault. Pure: no clock, no database."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Literal, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from libs.common.events import vendors
from libs.common.events.types import Code, Language, PartnerId
from libs.common.events.types import Line as TextLine
from libs.common.events.vendors import Score
from services.exams.feeds.lines import UTF8_MARK, encoding_of

COLUMNS = (
    "RegistrationID",
    "ClientCandidateID",
    "TCID",
    "ExamSeriesCode",
    "ExamName",
    "ExamRevision",
    "Form",
    "ExamLanguage",
    "Attempt",
    "ExamDate",
    "TimeUsed",
    "PassingScore",
    "Score",
    "Grade",
    "NoShow",
    "NDARefused",
    "Correct",
    "Incorrect",
    "Skipped",
    "Unscored",
    "ClientAuthorizationID",
    "Voucher",
)
"""All columns of the form, in the order in which vendors write them."""

REQUIRED = ("RegistrationID", "ClientCandidateID", "ExamSeriesCode", "ExamDate")
OUTCOMES = ("Grade", "NoShow")
"""A member has at least one of these."""

CLOCK_SKEW = timedelta(days=1)
"""An exam may lie this far in our future: the vendor's zone and clock differ from ours. As at the border."""

_GRADES = {"pass": "pass", "p": "pass", "fail": "fail", "f": "fail", "pending": "pending", "invalidated": "invalidated"}
_YES = frozenset({"1", "y", "yes", "t", "true"})
_NO = frozenset({"0", "n", "no", "f", "false"})
_DATE = re.compile(r"(?:(\d{4})/(\d\d)/(\d\d)|(\d\d)/(\d\d)/(\d{4})) (\d\d):(\d\d):(\d\d)", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,7}(?:\.\d{1,6})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,4}", re.ASCII)


class Fault(NamedTuple):
    """What is wrong with a row: where, a stable word, a sentence. No column: the row as a whole."""

    column: str
    code: str
    message: str


class HeaderError(Exception):
    """A member cannot be read at all."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not taken.

    Attributes:
        registration_id: what it says it is about, where that can be read.
        program: whose it is, where its exam says so.
    """

    line: int
    faults: tuple[Fault, ...]
    registration_id: str | None = None
    program: str | None = None


@dataclass(frozen=True, slots=True)
class GoodRow:
    """A row that is taken: a result, or that somebody was not there.

    Attributes:
        candidate_id: as the vendor names the person: by the program's own ID as a rule.
        raw: the line as it came.
    """

    line: int
    program: str
    data: vendors.ExamResultReported | vendors.ExamAppointmentChanged
    candidate_id: str
    raw: bytes


class Catalogues(Protocol):
    """Whose an exam is."""

    def programs_of(self, exam_code: str) -> Sequence[str]:
        """The vendor's programs that have the exam, or the one that the definition says."""


def _moment(text: str) -> datetime:
    match = _DATE.fullmatch(text)
    if match is not None:
        year, month, day, month_us, day_us, year_us, hour, minute, second = match.groups()
        try:
            return datetime(  # noqa: DTZ001 the zone is the vendor's, and comes with the sheet
                int(year or year_us), int(month or month_us), int(day or day_us), int(hour), int(minute), int(second)
            )
        except ValueError:
            pass
    raise PydanticCustomError("date", "must be a date like 2026/11/20 09:31:00 or 11/20/2026 09:31:00")


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise PydanticCustomError("number", "must be a number like 850 or 66.5")
    return float(text)


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise PydanticCustomError("number", "must be a whole number")
    return int(text)


def _flag(text: str) -> bool:
    word = text.lower()
    if word not in _YES and word not in _NO:
        raise PydanticCustomError("flag", "must be 1 or 0, Y or N, true or false, or empty")
    return word in _YES


def _grade(text: str) -> str:
    grade = _GRADES.get(text.lower())
    if grade is None:
        raise PydanticCustomError("grade", "must be pass, fail, pending or invalidated, P or F")
    return grade


class _Cells(BaseModel):
    """The columns of which something is made; the others are kept with the row as it came."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    registration_id: Annotated[PartnerId, Field(alias="RegistrationID")]
    candidate_id: Annotated[PartnerId, Field(alias="ClientCandidateID")]
    exam_code: Annotated[Code, Field(alias="ExamSeriesCode")]
    taken_at: Annotated[datetime, BeforeValidator(_moment), Field(alias="ExamDate")]
    site: Annotated[TextLine | None, Field(alias="TCID")] = None
    form: Annotated[TextLine | None, Field(alias="Form")] = None
    language: Annotated[Language | None, Field(alias="ExamLanguage")] = None
    attempt: Annotated[int | None, BeforeValidator(_whole), Field(alias="Attempt", ge=1, le=1000)] = None
    score: Annotated[Score | None, BeforeValidator(_number), Field(alias="Score")] = None
    passing_score: Annotated[Score | None, BeforeValidator(_number), Field(alias="PassingScore")] = None
    grade: Annotated[
        Literal["pass", "fail", "pending", "invalidated"] | None, BeforeValidator(_grade), Field(alias="Grade")
    ] = None
    voucher: Annotated[TextLine | None, Field(alias="Voucher")] = None
    no_show: Annotated[bool, BeforeValidator(_flag), Field(alias="NoShow")] = False
    nda_refused: Annotated[bool, BeforeValidator(_flag), Field(alias="NDARefused")] = False


class Sheet:
    """One member of a file: its header is read, its rows can be.

    Args:
        header: its first line.
        catalogues: whose which exam is.
        time_zone: of `ExamDate`.
        now: the present moment.

    Raises:
        HeaderError: no row of it can be read.
    """

    def __init__(self, header: bytes | None, catalogues: Catalogues, time_zone: ZoneInfo, now: datetime) -> None:
        encoding = encoding_of(header or b"")
        if encoding is None:
            raise HeaderError("encoding", "is UTF-16; send CP-1252")
        if header is None:
            raise HeaderError("header", "the first line is no header: it is too long")
        self._encoding = encoding
        self._catalogues = catalogues
        self._zone = time_zone
        self._latest = now + CLOCK_SKEW
        self._offsets: dict[float, timezone] = {}
        names = header.removeprefix(UTF8_MARK).decode(encoding, "replace").split("\t")
        self._columns = [name.strip() for name in names]
        repeated = sorted({name for name in self._columns if name in COLUMNS and self._columns.count(name) > 1})
        if repeated:
            raise HeaderError("repeated_column", f"the header names {', '.join(repeated)} twice")
        missing = [name for name in REQUIRED if name not in self._columns]
        if missing:
            raise HeaderError("missing_column", f"the header lacks {', '.join(missing)}")
        if not any(name in self._columns for name in OUTCOMES):
            raise HeaderError("missing_column", f"the header has neither {' nor '.join(OUTCOMES)}")

    def read(self, number: int, content: bytes | None) -> GoodRow | BadRow | None:
        """What a line says; None of an empty one."""
        if content is None:
            return BadRow(number, (Fault("", "too_long", "the line is longer than a row can be"),))
        if not content.strip():
            return None
        try:
            text = content.decode(self._encoding)
        except UnicodeDecodeError as error:
            return BadRow(number, (self._misencoded(content, error),))
        cells = text.split("\t")
        if len(cells) != len(self._columns):
            what = f"has {len(cells)} cells, the header {len(self._columns)}: a tab in a name, or a cell left out"
            return BadRow(number, (Fault("", "cells", what),))
        given = {name: cell for name, raw in zip(self._columns, cells, strict=True) if (cell := raw.strip())}
        try:
            row = _Cells.model_validate(given)
        except ValidationError as error:
            return self._bad(number, given, _faults(error))
        return self._judged(number, row, content)

    def _judged(self, number: int, row: _Cells, raw: bytes) -> GoodRow | BadRow:
        taken_at = self._placed(row.taken_at)
        faults: list[Fault] = []
        programs = self._catalogues.programs_of(row.exam_code)
        if not programs:
            faults.append(Fault("ExamSeriesCode", "unknown_exam", f"no program of the vendor has {row.exam_code!r}"))
        elif len(programs) > 1:
            what = f"{row.exam_code!r} is an exam of {' and '.join(programs)}; the vendor's definition must say whose"
            faults.append(Fault("ExamSeriesCode", "ambiguous_exam", what))
        if taken_at > self._latest:
            faults.append(Fault("ExamDate", "future", "lies in the future"))
        absent = row.no_show or row.nda_refused
        if absent and row.grade is not None:
            which = "NoShow" if row.no_show else "NDARefused"
            faults += [Fault(column, "contradiction", f"{which} and a Grade in one row") for column in (which, "Grade")]
        elif not absent and row.grade is None:
            faults.append(Fault("Grade", "missing", "is empty, and the row is no no-show"))
        if not faults:
            try:
                data = _absence(row) if absent else _result(row, taken_at)
            except ValidationError as error:
                # The few limits that the event has and the cells have not: a date before 1980, say.
                faults = [Fault(_COLUMN_OF.get(fault.column, ""), *fault[1:]) for fault in _faults(error)]
            else:
                return GoodRow(number, programs[0], data, row.candidate_id, raw)
        return BadRow(number, tuple(faults), row.registration_id, programs[0] if len(programs) == 1 else None)

    def _placed(self, moment: datetime) -> datetime:
        """The moment at the vendor, with its offset.

        Of an hour that the clock went through twice the first is taken; an hour that it skipped is told as if it had
        not been set forward yet. Either keeps the date, which is what counts for every rule.
        """
        offset = moment.replace(tzinfo=self._zone, fold=0).utcoffset() or timedelta()
        zone = self._offsets.get(offset.total_seconds())
        if zone is None:
            zone = self._offsets[offset.total_seconds()] = timezone(offset)
        return moment.replace(tzinfo=zone)

    def _bad(self, number: int, given: Mapping[str, str], faults: Sequence[Fault]) -> BadRow:
        at_fault = {fault.column for fault in faults}
        registration_id = given["RegistrationID"] if "RegistrationID" not in at_fault else None
        programs = self._catalogues.programs_of(given["ExamSeriesCode"]) if "ExamSeriesCode" not in at_fault else ()
        return BadRow(number, tuple(faults), registration_id, programs[0] if len(programs) == 1 else None)

    def _misencoded(self, content: bytes, error: UnicodeDecodeError) -> Fault:
        cell = content[: error.start].count(b"\t")
        column = self._columns[cell] if cell < len(self._columns) else ""
        name = "UTF-8, as its first bytes say" if self._encoding == "utf-8" else "CP-1252"
        return Fault(column, "encoding", f"byte {content[error.start]:#04x} is no letter of {name}")


_COLUMN_OF = {name: field.alias for name, field in _Cells.model_fields.items() if field.alias is not None}


def _faults(error: ValidationError) -> list[Fault]:
    faults = []
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        kind = each["type"]
        code = kind if kind in _OWN_KINDS else "schema"
        message = "is empty" if kind == "missing" else each["msg"]
        faults.append(Fault(str(each["loc"][0]) if each["loc"] else "", code, message))
    return faults


_OWN_KINDS = frozenset({"missing", "date", "number", "flag", "grade"})


def _result(row: _Cells, taken_at: datetime) -> vendors.ExamResultReported:
    fields: dict[str, Any] = {
        "result_id": row.registration_id,
        "revision": 1,
        "vendor_candidate_id": row.candidate_id,
        "registration_id": row.registration_id,
        "exam_code": row.exam_code,
        "taken_at": taken_at,
        "grade": row.grade,
        "form": row.form,
        "score": row.score,
        "passing_score": row.passing_score,
        "attempt": row.attempt,
        "site": row.site,
        "language": row.language,
        "voucher": row.voucher,
    }
    return vendors.ExamResultReported.model_validate(fields)


def _absence(row: _Cells) -> vendors.ExamAppointmentChanged:
    fields: dict[str, Any] = {"registration_id": row.registration_id, "change": "no_show"}
    if row.nda_refused:
        fields["reason"] = "nda_refused"
    return vendors.ExamAppointmentChanged.model_validate(fields)
