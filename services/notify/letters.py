"""A mail on its way: what is stored of it and whom it goes to, as a sender holds it in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from services.notify.domain.addresses import WireAddress
from services.notify.domain.mails import About, Template
from services.notify.domain.recipients import Recipient


@dataclass(frozen=True, slots=True)
class Cause:
    """The event that a mail answers, as far as its consequences carry it on."""

    event_id: str
    correlation_id: str
    traceparent: str | None
    event: str | None = None
    """What happened, by the event's name."""


def cause_of(row: Mapping[str, Any]) -> Cause:
    """The cause of a stored mail."""
    return Cause(row["cause_event_id"], row["correlation_id"], row["traceparent"], row.get("cause_event"))


class Wording(NamedTuple):
    """Whose words a mail is written in. It keeps them, however often it is tried, and whoever looks at it later."""

    language: str
    edition: int | None = None
    """The version that staff wrote; None for the words that come with the service."""


AS_BEFORE = Wording("en")
"""The words of a mail that was tried and has none noted."""


@dataclass(slots=True)
class Letter:
    """A mail that this process has claimed."""

    id: str
    program: str
    template: Template
    context: Mapping[str, Any]
    created_at: datetime
    attempts: int
    """Tries that have failed before."""
    cause: Cause
    recipient: Recipient
    claimed_until: datetime
    """Afterwards anybody may claim it, and this process must not send it any more."""
    doubtful: int = 0
    """Those of the tries of which nobody knows how they ended."""
    about: About | None = None
    """What later events can make untrue."""
    paced_at: datetime | None = None
    """When it was given its turn, where it had to wait for one."""
    wording: Wording | None = None
    """None before its first try."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A letter written out, with its way."""

    sender: str
    recipient: WireAddress
    content: bytes


def named(letter: Letter) -> dict[str, str]:
    """What the log says of a mail: which one it is, and which chain of events it ends."""
    return {
        "message_id": letter.id,
        "template": letter.template.value,
        "program": letter.program,
        "correlation_id": letter.cause.correlation_id,
    }


def mail_number(message_id: str) -> str:
    """The short form of a mail's id for people to compare."""
    return f"{message_id[:4]}-{message_id[4:8]}".upper()
