"""What is said of refused and parked messages. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from services.portal.languages import mark, say, say_many
from services.portal.languages.days import minute
from services.portal.staff.kit import NONE, Cell, Fact, Number, Row
from services.portal.staff.vendors.shapes import Parked, ParkedWhole, Refused
from services.portal.web.chips import Chip
from services.portal.web.vendor_names import vendor_name

SERVICE_NAMES: Final = {
    "identity": mark("Accounts"),
    "exams": mark("Exams"),
    "certs": mark("Certifications"),
    "fulfillment": mark("Kits"),
    "notify": mark("Mails"),
}
CODES: Final = {
    "failed": mark("It could not be handled"),
    "schema": mark("Something in it is missing or wrong"),
    "unknown_type": mark("Its kind is not known"),
    "content_type": mark("It is not in the agreed form"),
    "unknown_program": mark("Its program is not known"),
    "delivery_limit": mark("It kept ending whoever had it in hand"),
}
DROP_REASONS: Final = {
    "handled_otherwise": mark("It was handled in another way"),
    "repeated": mark("It was said again, and that was handled"),
    "trial": mark("It was a trial"),
    "no_longer_needed": mark("It is not needed any more"),
}


def kind_of(one: Parked) -> str:
    """`exams.ExamPassed` as people read it; the key it was sent under where it cannot be read."""
    return (one.event_type or one.routing_key).rpartition(".")[2] if one.event_type else one.routing_key


def item_of(one: Parked) -> str:
    """How the address names it: messages of two services may have the same id."""
    return f"{one.service}:{one.parked_id}"


def tried(one: Parked) -> str:
    """As far as it is known how often it was tried."""
    if one.tries is None:
        return say(
            "It kept ending whoever had it in hand, so the broker set it aside. It waits. Others weren't held up."
        )
    if one.first_failure is None:
        return say_many(
            "It was tried {count} time and waits. Others weren't held up.",
            "It was tried {count} times and waits. Others weren't held up.",
            one.tries,
        )
    return say_many(
        "It was tried {count} time since {time} and waits. Others weren't held up.",
        "It was tried {count} times since {time} and waits. Others weren't held up.",
        one.tries,
        time=minute(one.first_failure).striptags(),
    )


def parked_row(one: Parked) -> Row:
    code = say(CODES.get(one.code, one.code))
    return Row(
        item_of(one),
        (
            Cell(minute(one.last_failure) if one.last_failure else say("not noted")),
            Cell(kind_of(one), second=vendor_name(one.vendor) if one.vendor else "", link=True, own=True),
            Cell(say(SERVICE_NAMES.get(one.service, one.service))),
            Cell(NONE if one.tries is None else str(one.tries)),
            Cell(code, second=one.cause or ""),
        ),
    )


def parked_numbers(items: Sequence[Parked], waiting: int) -> list[Number]:
    return [
        Number(waiting, say("waiting")),
        Number(sum(one.vendor is not None for one in items), say("from vendors")),
        Number(len({one.service for one in items}), say("parts of the platform")),
    ]


def parked_facts(one: ParkedWhole) -> list[Fact]:
    return [
        Fact(say("Kind"), one.event_type or say("can't be read")),
        Fact(say("ID"), one.parked_id),
        Fact(say("Sent under"), one.routing_key),
        Fact(say("Sent by"), vendor_name(one.vendor) if one.vendor else say("ourselves")),
        Fact(say("Failed first"), minute(one.first_failure) if one.first_failure else say("not noted")),
        Fact(say("Failed last"), minute(one.last_failure) if one.last_failure else say("not noted")),
    ]


def earliest_first(items: Iterable[Parked]) -> list[Parked]:
    """As the queue shows them; what has no time comes first, for nobody knows how long it waits."""
    return sorted(items, key=lambda one: (one.last_failure.isoformat() if one.last_failure else "", item_of(one)))


def refused_row(one: Refused) -> Row:
    first = one.reasons[0] if one.reasons else None
    more = len(one.reasons) - 1
    second = say_many("and {count} more reason", "and {count} more reasons", more) if more > 0 else ""
    return Row(
        one.rejection_id,
        (
            Cell(minute(one.rejected_at)),
            Cell(vendor_name(one.vendor), own=True),
            Cell(one.message_id or say("no ID"), second=one.routing_key, link=True, own=one.message_id is not None),
            Cell(first.path if first else NONE, second=first.code if first else "", own=True),
            Cell(first.message if first else say("No reason was kept"), second=second),
        ),
    )


def refused_numbers(items: Sequence[Refused], *, more: bool) -> list[Number]:
    shown = f"{len(items)}+" if more else str(len(items))
    ours = sum(is_ours(one) for one in items)
    return [Number(shown, say("refused")), Number(ours, say("that we may have to mend ourselves"))]


def is_ours(one: Refused) -> bool:
    """Whether a definition of ours may lack what the vendor speaks of."""
    return any(reason.code in {"unknown_program", "unknown_exam"} for reason in one.reasons)


def mender(one: Refused) -> Chip:
    return Chip("warn", mark("Perhaps ours to mend")) if is_ours(one) else Chip("off", mark("The vendor's to mend"))


def answer_to(one: Refused) -> str:
    """A mail to the vendor about a refused message, to be sent as it is."""
    reasons = [
        say("{path}: {message} ({code})", path=reason.path, message=reason.message, code=reason.code)
        for reason in one.reasons
    ]
    return "\n".join(
        [
            say("We could not take this message of yours:"),
            "",
            say("ID: {id}", id=one.message_id or say("none")),
            say("Sent under: {key}", key=one.routing_key),
            say("Refused at: {time}", time=one.rejected_at.isoformat(timespec="seconds")),
            "",
            *reasons,
            "",
            say("Please correct it and send it again under a new ID."),
        ]
    )


def refused_lines(items: Iterable[Refused]) -> Iterable[Mapping[str, object]]:
    """Rows of the file for a vendor, one a reason; what its messages hold is not repeated."""
    for one in items:
        for reason in one.reasons:
            yield {
                "vendor": one.vendor,
                "refused_at": one.rejected_at,
                "message_id": one.message_id,
                "routing_key": one.routing_key,
                "path": reason.path,
                "code": reason.code,
                "message": reason.message,
            }


def latest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)
