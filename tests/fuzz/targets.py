"""The parsers that read what comes from outside: each takes any bytes, and raises only what it says it raises."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import orjson
from pydantic import ValidationError

from libs.common import signatures
from libs.common.bus.decoding import decode_events
from libs.common.bus.messages import Delivery, Received, Undecodable
from libs.common.bus.topology import EVENTS
from libs.common.events import BATCH, SINGLE, identity, vendors
from libs.common.events.envelope import parse_vendors
from libs.common.vendor_files.definition import Confirmations
from libs.common.vendor_files.tables import read_confirmation
from services.certs.verifying.extracting import extract
from services.certs.verifying.found import UnreadableError
from services.exams.feeds.members import RefusedError, examine, member_lines
from services.exams.feeds.rows import HeaderError, Sheet
from services.exams.reconciliation.rows import Format, NoList, Theirs, Unreadable, header_of, read_line
from services.exams.vouchers.lists import CSV, JSON_LINES, ListRefused, read_list
from services.notify.feedback.reports import read as read_report
from tests.unit.exams.vendor_files import RIGHT, absent, cells, member
from tests.unit.exams.vendor_files import result_file as in_zip
from tests.unit.notify.report_samples import QMAIL, complaint, dsn, recipient

NOW: Final = datetime(2025, 3, 12, 12, tzinfo=UTC)
ZONE: Final = ZoneInfo("America/Chicago")
VECTORS: Final = Path(__file__).parents[1] / "standards" / "vectors" / "baked"

_EVENT: Final = orjson.dumps(
    {
        "specversion": "1.0",
        "id": "e1",
        "source": "certrail/identity",
        "type": identity.ExternalIdLinked.event_type,
        "time": "2026-11-22T12:00:00Z",
        "program": "cisco",
        "data": {
            "candidate_id": "C1",
            "system": "vue",
            "external_id": "P1",
            "verified_by": "registration",
            "linked_at": "2026-11-22T12:00:00Z",
        },
    }
)
_REGISTRATIONS: Final = (
    b"registration_id\tvendor_candidate_id\texam_code\tstate\tscheduled_at\n"
    b"G1\tP1\t200-301\tscheduled\t2026-11-22 10:00\nG2\tP2\t350-401\tcancelled\t2026-11-22T10:00:00+01:00\n"
)
_CODES: Final = b"code,vendor,batch,kind,exams,value,valid_from,valid_until\nAAAA1111,vue,b1,,,,,\nA,vue,,,,,,\n"
_ANSWERS: Final = b"ClientCandidateID\tStatus\tMessage\r\nC1\tAccepted\t\r\nC2\tError\tno such country\r\n"


@dataclass(frozen=True)
class Target:
    """A parser.

    Attributes:
        seeds: what it is given in earnest; changes of these reach deepest.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: Sequence[bytes]


class _Exams:
    def programs_of(self, exam_code: str) -> tuple[str, ...]:
        return {"200-301": ("cisco",), "BOTH-1": ("cisco", "juniper")}.get(exam_code, ())


def events(content: bytes) -> None:
    """Messages of services: whatever it is, each part is read or set aside."""
    kind = BATCH if content[:1] == b"[" else SINGLE
    named, key = identity.ExternalIdLinked.event_type, identity.ExternalIdLinked.event_key
    for part in decode_events(Delivery(content, EVENTS, key, kind, named, "m1", None, {})):
        assert isinstance(part, (Received, Undecodable))


def vendor_event(content: bytes) -> None:
    """A vendor's message."""
    try:
        parse_vendors(vendors.ExamResultReported, content)
    except ValidationError as error:
        error.errors(include_url=False, include_context=False)  # what the vendor would be told


def result_file(content: bytes) -> None:
    """A vendor's result file: a zip with members of rows."""
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        path = Path(file.name)
        path.write_bytes(content)
        try:
            members = examine(path, 1_000_000)
        except RefusedError:
            return
        for one in members:
            with member_lines(path, one.entry) as lines:
                _rows([line.content for line in lines])


def result_rows(content: bytes) -> None:
    """The rows of a member, without the zip around it."""
    _rows(content.splitlines())


def _rows(lines: Sequence[bytes | None]) -> None:
    try:
        sheet = Sheet(lines[0] if lines else b"", _Exams(), ZONE, NOW)
    except HeaderError:
        return
    for number, line in enumerate(lines[1:], start=2):
        sheet.read(number, line)


def confirmation(content: bytes) -> None:
    """A vendor's answer to a file of ours."""
    spec = Confirmations(folder="/out", file="x-{number}.txt")
    read_confirmation(content, "ClientCandidateID", spec, "cp1252")


def registration_list(content: bytes) -> None:
    """A vendor's list of registrations."""
    first, *rest = content.decode("utf-8", "replace").split("\n")
    forms: tuple[Format, ...] = ("tsv", "csv", "jsonl")
    for form in forms:
        try:
            fields = [] if form == "jsonl" else header_of(first, form)
        except NoList:
            continue
        for number, line in enumerate(rest, start=2):
            assert isinstance(read_line(number, line, fields, form, ZONE), (Theirs, Unreadable, type(None)))


def voucher_list(content: bytes) -> None:
    """A list of codes."""
    try:
        list(read_list(JSON_LINES if content[:1] == b"{" else CSV, content))
    except ListRefused:
        return


def mail_report(content: bytes) -> None:
    """A mail that came back."""
    read_report(content)


def credential(content: bytes) -> None:
    """A file whose credential somebody wants checked: text, picture or PDF."""
    try:
        extract(content)
    except UnreadableError:
        return


def signature(content: bytes) -> None:
    """Headers of a signed notification."""
    first, _, rest = content.partition(b"\n")
    told, _, body = rest.partition(b"\n")
    headers = {
        signatures.ID: "m1",
        signatures.TIMESTAMP: first.decode("utf-8", "replace"),
        signatures.SIGNATURE: told.decode("utf-8", "replace"),
    }
    assert not signatures.is_right([b"a secret that nobody has been told"], headers, body, NOW)


TARGETS: Final = {
    target.name: target
    for target in (
        Target("events", events, (_EVENT, b"[" + _EVENT + b"," + _EVENT + b"]")),
        Target("vendor_event", vendor_event, (_EVENT,)),
        Target("result_file", result_file, (in_zip(cells(), absent()),)),
        Target("result_rows", result_rows, (member(cells(), absent()), member(RIGHT, end=b"\n"))),
        Target("confirmation", confirmation, (_ANSWERS,)),
        Target("registration_list", registration_list, (_REGISTRATIONS, _REGISTRATIONS.replace(b"\t", b","))),
        Target("voucher_list", voucher_list, (_CODES, b'{"code": "AAAA1111", "vendor": "vue", "batch": "b1"}\n')),
        Target("mail_report", mail_report, (dsn(recipient()), complaint(), QMAIL)),
        Target("credential", credential, tuple(path.read_bytes() for path in sorted(VECTORS.iterdir()))),
        Target("signature", signature, (f"{int(NOW.timestamp())}\nv1,AAAA v1a,BBBB\n{{}}".encode(),)),
    )
}
