"""Vendors' result files for the tests: zips of tab-separated members, right and wrong in every way."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.exams.feeds.rows import COLUMNS

RIGHT: Mapping[str, str] = {
    "RegistrationID": "G1",
    "ClientCandidateID": "P1",
    "TCID": "70412",
    "ExamSeriesCode": "200-301",
    "ExamName": "Implementing and Administering Cisco Solutions",
    "ExamRevision": "3",
    "Form": "A",
    "ExamLanguage": "ENU",
    "Attempt": "1",
    "ExamDate": "2025/03/10 10:00:00",
    "TimeUsed": "95",
    "PassingScore": "825",
    "Score": "870",
    "Grade": "pass",
    "NoShow": "0",
    "NDARefused": "0",
    "Correct": "60",
    "Incorrect": "10",
    "Skipped": "0",
    "Unscored": "2",
    "ClientAuthorizationID": "A-77",
    "Voucher": "",
}
"""A row that is taken."""

WRITTEN = (2025, 3, 11, 6, 0, 0)
"""When members say they were written."""


def cells(**changes: str) -> dict[str, str]:
    return {**RIGHT, **changes}


def absent(**changes: str) -> dict[str, str]:
    """A row of somebody who did not come."""
    return cells(**{"Score": "", "Grade": "", "NoShow": "1", **changes})


def line(row: Mapping[str, str], columns: Sequence[str] = COLUMNS, encoding: str = "cp1252") -> bytes:
    return "\t".join(row[column] for column in columns).encode(encoding)


def member(
    *rows: Mapping[str, str] | bytes, columns: Sequence[str] = COLUMNS, end: bytes = b"\r\n", encoding: str = "cp1252"
) -> bytes:
    """The content of a member; a row may be given as the bytes of its line."""
    lines = [row if isinstance(row, bytes) else line(row, columns, encoding) for row in rows]
    return b"".join(each + end for each in ["\t".join(columns).encode(encoding), *lines])


def packed(
    members: Mapping[str, bytes | Iterable[bytes]], *, written: Any = WRITTEN, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """A zip; a member may be given in parts."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, parts in members.items():
            entry = zipfile.ZipInfo(name, written)
            entry.compress_type = method
            with archive.open(entry, "w") as stream:
                for part in [parts] if isinstance(parts, bytes) else parts:
                    stream.write(part)
    return content.getvalue()


def result_file(*rows: Mapping[str, str] | bytes, name: str = "results.txt", **form: Any) -> bytes:
    """A zip with one member of these rows."""
    return packed({name: member(*rows, **form)})
