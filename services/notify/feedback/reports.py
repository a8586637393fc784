"""Reads what mail servers and mailbox providers send back about a mail.

Bounces are delivery status notifications (RFC 3464, and RFC 6533 for addresses in any script); some servers still
write them in words of their own, which flufl.bounce knows. Complaints are feedback reports (RFC 5965).

Everything here was written by strangers. The ids in it are what a report is believed for: they cannot be guessed, and
only those who have handled the mail have seen them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, message_from_string
from email.message import Message
from enum import StrEnum

import structlog

from services.notify.domain.bounces import status_in

MAX_BYTES = 1_048_576
"""Of a report; a longer one is read so far, and what it says stands at its beginning."""
_WORDS_BYTES = 65_536
_WORDS_LINE = 500
"""Bounds of what is searched for other servers' words: the patterns there take long for long lines."""
_MOST_IDS = 20

_ID = re.compile(r"(?<![0-9A-Za-z-])([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@")
"""A mail's id, as it stands in its Message-ID and in the address that bounces come to."""
_ADDRESS = re.compile(r"[^\s<>;]+@[^\s<>;]+")
_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_RETURNED_PARTS = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"})
_ROBOT = re.compile(r"mailer-daemon|postmaster", re.IGNORECASE)
_COMPLAINTS = frozenset({"abuse", "fraud", "virus", "opt-out", "opt-out-list", "other"})
"""Kinds of feedback by which somebody did not want a mail; `not-spam` and reports on signatures are none."""

log = structlog.get_logger(__name__)


class Kind(StrEnum):
    """What a report says of a mail."""

    DELIVERED = "delivered"
    DELAYED = "delayed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True)
class Report:
    """One report about one mail."""

    kind: Kind
    ids: tuple[str, ...]
    """Of mails that it may be about, the surest first."""
    addresses: frozenset[str] = field(default_factory=frozenset)
    """Whom it names; empty where it names nobody."""
    status: str | None = None
    """Of a bounce: the enhanced status code."""


def read(raw: bytes) -> Report | None:
    """The report in a mail; None where the mail is none, such as a notice that somebody is on leave."""
    raw = raw[:MAX_BYTES]
    try:
        message = message_from_bytes(raw)
        parts = list(message.walk())
        ids = tuple(_ids(message, parts, raw))
        return _status_report(parts, ids) or _feedback_report(parts, ids) or _in_own_words(message, raw, ids)
    except (RecursionError, ValueError, LookupError) as error:
        # The library reads nearly everything; what it gives up on was made for that.
        log.info("report_unreadable", cause=type(error).__name__)
        return None


def _status_report(parts: Iterable[Message], ids: tuple[str, ...]) -> Report | None:
    part = next((part for part in parts if part.get_content_type() in _STATUS_PARTS), None)
    if part is None:
        return None
    found = [report for block in _blocks(part) if (report := _of_recipient(block, ids)) is not None]
    return min(found, key=lambda report: _WORST_FIRST.index(report.kind), default=None)


_WORST_FIRST = (Kind.COMPLAINED, Kind.BOUNCED, Kind.DELAYED, Kind.DELIVERED)
_ACTIONS = {"failed": Kind.BOUNCED, "delayed": Kind.DELAYED, "delivered": Kind.DELIVERED}
_CLASSES = {"5": Kind.BOUNCED, "4": Kind.DELAYED, "2": Kind.DELIVERED}


def _of_recipient(block: Message, ids: tuple[str, ...]) -> Report | None:
    """What the fields about one recipient say; None of fields about the whole mail, or where it went on elsewhere."""
    status = status_in(_text(block, "Status"), _text(block, "Diagnostic-Code"))
    action = _text(block, "Action").partition("(")[0].strip().lower()
    kind = _ACTIONS.get(action) if action else _CLASSES.get((status or " ")[0])
    if kind is None:
        return None
    named = _addresses(_text(block, name) for name in ("Original-Recipient", "Final-Recipient"))
    return Report(kind, ids, named, status)


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields in a part, which empty lines part."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        yield from map(message_from_string, re.split(r"\r?\n\r?\n", str(payload)))
        return
    for block in (block for block in payload if isinstance(block, Message)):
        yield block
        rest = block.get_payload()
        if isinstance(rest, str) and rest.strip():  # of a kind whose groups the library does not part
            yield from map(message_from_string, re.split(r"\r?\n\r?\n", rest))


def _feedback_report(parts: Iterable[Message], ids: tuple[str, ...]) -> Report | None:
    part = next((part for part in parts if part.get_content_type() == "message/feedback-report"), None)
    if part is None:
        return None
    block = next(_blocks(part), None)
    if block is None or _text(block, "Feedback-Type").strip().lower() not in _COMPLAINTS:
        return None
    named = _addresses(map(str, block.get_all("Original-Rcpt-To", [])))
    return Report(Kind.COMPLAINED, ids, named)


def _in_own_words(message: Message, raw: bytes, ids: tuple[str, ...]) -> Report | None:
    """A bounce by a server that keeps to no standard."""
    robot = _ROBOT.search(_text(message, "From")) or _text(message, "Return-Path").strip() == "<>"
    if not robot or not ids:
        return None
    from flufl.bounce import all_failures  # noqa: PLC0415 few processes ever need it

    lines = (line[:_WORDS_LINE] for line in raw[:_WORDS_BYTES].splitlines())
    try:
        passing, lasting = all_failures(message_from_bytes(b"\n".join(lines)))
    except Exception as error:  # noqa: BLE001 seventeen readers of strangers' words, none of which may stop us
        log.info("report_unreadable", cause=type(error).__name__)
        return None
    if not passing and not lasting:
        return None
    named = frozenset(address.decode("ascii", "replace").casefold() for address in lasting or passing)
    return Report(Kind.BOUNCED if lasting else Kind.DELAYED, ids, named)


def _ids(message: Message, parts: Iterable[Message], raw: bytes) -> Iterator[str]:
    """Ids that stand in a report, once each: of the mail that comes back, of the address written to, then others."""
    returned = (_returned(part) for part in parts if part.get_content_type() in _RETURNED_PARTS)
    written_to = (str(value) for name in _WRITTEN_TO for value in message.get_all(name, []))
    seen: set[str] = set()
    for text in (*returned, *written_to, raw.decode("ascii", "replace")):
        for match in _ID.finditer(text):
            if match[1] not in seen:
                seen.add(match[1])
                yield match[1]
            if len(seen) == _MOST_IDS:
                return


_WRITTEN_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To")


def _returned(part: Message) -> str:
    """The Message-ID of the mail that comes back."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return "".join(_text(inner, "Message-ID") for inner in payload[:1] if isinstance(inner, Message))
    content = part.get_payload(decode=True)
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    return _text(message_from_string(text), "Message-ID")


def _text(block: Message, name: str) -> str:
    return str(block.get(name, ""))


def _addresses(values: Iterable[str]) -> frozenset[str]:
    found = (_ADDRESS.search(value.partition(";")[2] or value) for value in values)
    return frozenset(match[0].casefold() for match in found if match)
