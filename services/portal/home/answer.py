"""What the first page says first: the answer as a sentence, by state. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.portal.backend.shapes import Certification
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import in_days, spoken
from services.portal.web.chips import Chip

__all__ = ["SOON", "Heading", "chip_of", "heading_of", "in_days", "nothing_to_do"]

SOON: Final = timedelta(days=180)
"""How long before its last day a certification is shown as expiring."""
_LATELY: Final = timedelta(days=90)
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Heading:
    """The answer as a sentence, and what follows from it."""

    text: str
    lead: str


def chip_of(certification: Certification, today: date) -> Chip:
    """The state of a certification."""
    status = certification.status
    if status == "active":
        expiring = certification.expires_on is not None and certification.expires_on - today <= SOON
        return Chip("warn", mark("Active, expiring")) if expiring else Chip("ok", mark("Active"))
    return _CHIPS.get(status, Chip("off", status.replace("_", " ").capitalize()))


_CHIPS: Final = {
    "expired": Chip("bad", mark("Expired")),
    "revoked": Chip("bad", mark("Revoked")),
    "suspended": Chip("wait", mark("Suspended")),
    "pending_agreement": Chip("wait", mark("Waiting for you")),
    "emeritus": Chip("ok", mark("Emeritus")),
    "lifetime_emeritus": Chip("ok", mark("For life")),
    "inactive": Chip("off", mark("Not active")),
}


def heading_of(held: Sequence[Certification], today: date) -> Heading:
    """The first that fits: something is wrong, something ran out lately, all is well, there is nothing yet."""
    for one in held:
        if one.status in ("revoked", "suspended"):
            return Heading(say("{certification} needs your attention", certification=one.title), one.text)
    lately = [one for one in held if one.status == "expired" and one.expires_on and today - one.expires_on <= _LATELY]
    if lately:
        last = max(lately, key=lambda one: one.expires_on or date.min)
        day = spoken(last.expires_on or today)
        return Heading(say("{certification} expired on {day}", certification=last.title, day=day), last.text)
    active = [one for one in held if one.status == "active"]
    if not active:
        return Heading(
            say("Nothing active") if held else say("Nothing earned yet"),
            say("Your exam history and results appear here within seconds of the vendor's report."),
        )
    if len(active) == 1:
        text = say("{certification} is active", certification=active[0].title)
    elif len(active) == _PAIR:
        text = say("Both certifications are active")
    else:
        text = say_many("{count} certification is active", "All {count} certifications are active", len(active))
    return Heading(text, _next_date(active, today))


def _next_date(active: Iterable[Certification], today: date) -> str:
    ending = sorted((one for one in active if one.expires_on), key=lambda one: (one.expires_on or date.max, one.title))
    if not ending:
        return say("None of them expires.")
    first = ending[0].expires_on or today
    more = sum(one.expires_on == first for one in ending) - 1
    values = {"day": spoken(first), "when": in_days(first, today), "certification": ending[0].title}
    if not more:
        return say("The next date is {day}, {when}. {certification} expires then unless you renew.", **values)
    return say_many(
        "The next date is {day}, {when}. {certification} and {count} more expire then unless you renew.",
        "The next date is {day}, {when}. {certification} and {count} more expire then unless you renew.",
        more,
        **values,
    )


def nothing_to_do(held: Iterable[Certification], reminders: Iterable[int], today: date) -> str:
    """What stands where there are no tasks: when we write next.

    Args:
        held: what the candidate holds.
        reminders: days before an expiry on which the program reminds of it.
        today: in the program's calendar.
    """
    ending = min(
        (one.expires_on for one in held if one.status == "active" and one.expires_on and one.expires_on > today),
        default=None,
    )
    to_come = [days for days in reminders if ending is not None and ending - timedelta(days=days) > today]
    if ending is None or not to_come:
        return say("Nothing to do. We write to you before anything runs out.")
    return say_many(
        "Nothing to do. We'll write to you {count} day before {day}.",
        "Nothing to do. We'll write to you {count} days before {day}.",
        max(to_come),
        day=spoken(ending),
    )
