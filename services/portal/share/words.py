"""What the pages of sharing say: states of items and links, and why something is not available. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from babel import Locale
from babel.lists import format_list

from libs.common.languages import READER
from services.portal.backend.shapes import Certification
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import clock_time, day_there, spoken
from services.portal.share.shapes import CertificationItem, Items, ProviderBadge, Sharing, Transcript
from services.portal.web.chips import Chip

STATES: Final[Mapping[str, Chip]] = {
    "active": Chip("ok", mark("Active")),
    "expired": Chip("bad", mark("Expired")),
    "emeritus": Chip("ok", mark("Emeritus")),
    "lifetime_emeritus": Chip("ok", mark("For life")),
    "inactive": Chip("off", mark("Not active")),
    "suspended": Chip("wait", mark("Suspended")),
    "waiting": Chip("wait", mark("Waiting for you")),
    "pending_agreement": Chip("wait", mark("Waiting for you")),
    "revoked": Chip("bad", mark("Revoked")),
    "passed": Chip("ok", mark("Passed")),
    "withdrawn": Chip("bad", mark("No longer counts")),
}
"""Of certifications, as ledgers and as transcripts have them, and of exams."""
LINKS: Final[Mapping[str, Chip]] = {
    "open": Chip("ok", mark("Open")),
    "ended": Chip("off", mark("Ended")),
    "withdrawn": Chip("off", mark("Withdrawn")),
}
BEING_MADE: Final = Chip("wait", mark("Being made"))
_PROVIDER: Final[Mapping[str, Chip]] = {
    "waiting": Chip("wait", mark("On its way there")),
    "pending": Chip("wait", mark("Waiting for you")),
    "accepted": Chip("ok", mark("Accepted")),
    "rejected": Chip("off", mark("You turned it down")),
    "revoked": Chip("bad", mark("Revoked")),
    "missing": Chip("off", mark("No longer there")),
}
_VISITORS: Final[Mapping[str, str]] = {
    "browser": mark("A browser"),
    "preview": mark("A preview, as chats and networks show of a link"),
    "robot": mark("A robot"),
    "program": mark("A program"),
}


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    lead: str


def heading_of(links: Iterable[Transcript], sharing: Sharing | None) -> Heading:
    """Who can see what right now."""
    count = sum(1 for one in links if one.state == "open")
    listed = sharing is not None and sharing.directory
    if count == 0 and listed:
        return Heading(say("No link is open"), say("You are in the public directory with what is active."))
    if count == 0:
        return Heading(say("Nothing is shared"), say("Only you can see your certifications."))
    lead = (
        say("Whoever has a link sees what you chose. You are in the public directory, too.")
        if listed
        else say("Whoever has a link sees what you chose, and nothing else.")
    )
    return Heading(say_many("{count} link is open", "{count} links are open", count), lead)


def split(links: Sequence[Transcript]) -> tuple[list[Transcript], list[Transcript]]:
    """Those that are open, and the others."""
    return [one for one in links if one.state == "open"], [one for one in links if one.state != "open"]


def shows(items: Items) -> str:
    """What a link shows, in a few words: `CCNA and CCNP Enterprise, 2 exams`."""
    parts = [one.title for one in items.certifications]
    if items.exams:
        parts.append(say_many("{count} exam", "{count} exams", len(items.exams)))
    if items.credits is not None:
        parts.append(say("credits"))
    return listed(parts)


def listed(parts: Sequence[str]) -> str:
    """Some things in a row, as the reader's language joins them."""
    return str(format_list(list(parts), locale=READER.get().locale))


def kind_words(link: Transcript) -> str:
    """What kind of link it is."""
    if link.kind == "frozen" and link.frozen_on is not None:
        return say("Frozen: shows {day}", day=spoken(link.frozen_on))
    return say("Live: shows the state of whenever it is opened")


def link_words(link: Transcript) -> str:
    """How a link stands, as the first sentence of its page."""
    if link.state == "withdrawn" and link.withdrawn_at is not None:
        return say(
            "Withdrawn on {day} at {time}. Whoever opens it sees that it ended, nothing else. It can't be opened "
            "again; make a new one instead.",
            day=spoken(day_there(link.withdrawn_at)),
            time=clock_time(link.withdrawn_at),
        )
    if link.state == "ended":
        return say("This link ended on {day}. You can make it open longer.", day=spoken(link.valid_through))
    return say(
        "Anyone who has it sees {items} until {day}. You can withdraw it at any time.",
        items=shows(link),
        day=spoken(link.valid_through),
    )


def item_words(one: CertificationItem) -> str:
    """The dates of an item, as a choice shows them."""
    earned = spoken(one.earned_on)
    if one.state == "revoked" and one.revoked_on is not None:
        return say("Earned on {earned}, revoked on {day}", earned=earned, day=spoken(one.revoked_on))
    if one.expires_on is None:
        return say("Earned on {earned}, never expires", earned=earned)
    if one.state == "expired":
        return say("Earned on {earned}, expired on {day}", earned=earned, day=spoken(one.expires_on))
    return say("Earned on {earned}, active until {day}", earned=earned, day=spoken(one.expires_on))


SHOWABLE: Final = frozenset({"active", "expired", "emeritus", "inactive"})
"""What certs lets somebody share: what has expired may be shown, since the page says so."""


def not_available(one: Certification) -> str | None:
    """Why certificate, logo and badge of something cannot be had; None where they can."""
    if one.status == "active":
        return None
    if one.status == "expired" and one.expires_on is not None:
        return say("Not available: expired on {day}.", day=spoken(one.expires_on))
    return say(_REASONS.get(one.status, _NOT_ACTIVE))


_NOT_ACTIVE: Final = mark("Not available: it is not active.")
_REASONS: Final = {
    "pending_agreement": mark("Not available: accept the certification agreement first."),
    "suspended": mark("Not available: it is suspended."),
    "revoked": mark("Not available: it was revoked."),
    "emeritus": mark("Not available: it is emeritus, and no longer active."),
    "lifetime_emeritus": mark("Not available: it is emeritus for life, and no longer active."),
}


def provider_chip(badge: ProviderBadge) -> Chip:
    return _PROVIDER[badge.state]


def visitor(kind: str) -> str:
    """What kind of somebody opened a link."""
    return say(_VISITORS.get(kind, _VISITORS["program"]))


def country(code: str | None) -> str:
    """A country by its name in the reader's language."""
    if code is None:
        return say("Not known")
    return str(Locale.parse(READER.get().locale).territories.get(code, code))
