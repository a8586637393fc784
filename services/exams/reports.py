"""What is said of results and appointments, by whatever way it came: the bus, a file, a notification, the staff."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from libs.common.bus.failures import vendor_of
from libs.common.bus.messages import Cause, Received
from libs.common.clock import as_stored
from libs.common.events import vendors
from libs.common.mongo.client import Document
from libs.common.mongo.links import link_id
from services.exams.codes_used import Use
from services.exams.domain.results import Act, Grade, Status, Word


class Source(NamedTuple):
    """Where a word came from.

    Attributes:
        ref: the event's id, the file's with the line, the notification's, the ruling's. Unique among all words.
    """

    kind: Literal["bus", "file", "notification", "staff"]
    ref: str


@dataclass(frozen=True, slots=True)
class Because:
    """A cause that is not the event in hand alone."""

    event_id: str
    correlation_id: str
    traceparent: str | None = None


def origin_of(source: Source) -> Because | None:
    """A word that came beside the bus as a cause: it begins its own chain. None of what staff say in a request."""
    return Because(source.ref, source.ref) if source.kind in ("file", "notification") else None


def in_own_chain(words: Sequence[Document], trigger: Cause | None) -> Because:
    """What is said only now, because its candidate is known: it goes on in the chain of the vendor's own message.

    Args:
        words: what was said of the result or the appointment, the last word last.
        trigger: the event that told whose it is; None where staff said so.
    """
    last = words[-1]
    ref = last["source"]["ref"]
    chain = last.get("correlation_id", ref)
    if trigger is None:
        return Because(ref, chain)
    return Because(trigger.event_id, chain, trigger.traceparent)


def chain_of(source: Source, cause: Cause | None) -> dict[str, str]:
    """What is kept of the chain that a word belongs to, where that has another id than the word itself."""
    other = cause is not None and cause.correlation_id != source.ref
    return {"correlation_id": cause.correlation_id} if cause is not None and other else {}


@dataclass(frozen=True, slots=True)
class Measure:
    """A word on a result that says one thing of it and leaves the rest as it is.

    Attributes:
        result_id: the vendor's; either this or the registration's must be there.
        grade: of a regrade, as its score.
    """

    act: Act
    result_id: str | None = None
    registration_id: str | None = None
    grade: Grade | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A word on a result.

    Attributes:
        link: whose it is: `link_id` of the vendor's id of the person, or `own_link`. None of a measure, which says
            nothing of that.
        said_at: when its author said it.
        raw: the message as it came.
        numbered: whether `data.revision` is the vendor's number. Without one its place among the others follows from
            `said_at`, and its attempt is found by registration where the result is known by another id.
        names_result: whether `data.result_id` is the vendor's id of the result; else it stands for the registration's.
    """

    program: str
    vendor: str
    data: vendors.ExamResultReported | Measure
    link: str | None
    said_at: datetime
    source: Source
    raw: bytes
    numbered: bool = True
    names_result: bool = True
    cause: Received[Any] | None = None

    @property
    def origin(self) -> Cause | None:
        """What the consequences of this word name as their cause."""
        return self.cause or origin_of(self.source)

    def word(self) -> Word:
        """What it says, as the rules see it."""
        data = self.data
        if isinstance(data, Measure):
            ruling = self.source.kind == "staff"
            return Word(self.source.ref, self.said_at, data.act, grade=data.grade, score=data.score, ruling=ruling)
        return Word(
            self.source.ref,
            self.said_at,
            revision=data.revision if self.numbered else None,
            status=Status(data.status) if data.status else None,
            grade=Grade(data.grade),
            score=data.score,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A word on an appointment.

    Attributes:
        link: whose it is; None where it says nothing of that.
    """

    program: str
    vendor: str
    data: vendors.ExamRegistered | vendors.ExamAppointmentChanged
    link: str | None
    said_at: datetime
    source: Source
    cause: Received[Any] | None = None

    @property
    def origin(self) -> Cause | None:
        """What the consequences of this word name as their cause."""
        return self.cause or origin_of(self.source)


def report_of(message: Received[vendors.ExamResultReported]) -> Report:
    """A vendor's event as a word on a result."""
    vendor = vendor_name(message)
    return Report(
        program=message.event.program,
        vendor=vendor,
        data=message.data,
        link=link_id(message.event.program, vendor, message.data.vendor_candidate_id),
        said_at=as_stored(message.event.time),
        source=Source("bus", message.event.id),
        raw=message.delivery.body,
        cause=message,
    )


def change_of(message: Received[vendors.ExamRegistered | vendors.ExamAppointmentChanged]) -> Change:
    """A vendor's event as a word on an appointment."""
    vendor, data = vendor_name(message), message.data
    link = None
    if isinstance(data, vendors.ExamRegistered):
        link = link_id(message.event.program, vendor, data.vendor_candidate_id)
    return Change(
        program=message.event.program,
        vendor=vendor,
        data=data,
        link=link,
        said_at=as_stored(message.event.time),
        source=Source("bus", message.event.id),
        cause=message,
    )


def vendor_name(received: Received[Any]) -> str:
    """Who sent it, as the broker vouches."""
    vendor = vendor_of(received.delivery)
    if vendor is None:
        raise ValueError("the border lets no message without a vendor pass")
    return vendor


def uses_of(words: Iterable[Report | Change]) -> list[Use]:
    """The codes that words name, each with the registration that was paid with it."""
    return [
        Use(each.program, each.vendor, data.voucher, data.registration_id, each.said_at)
        for each in words
        if isinstance(data := each.data, vendors.ExamRegistered | vendors.ExamResultReported)
        and data.voucher is not None
    ]
