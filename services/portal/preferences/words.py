"""What can be chosen about mails, in words. Pure."""

from collections.abc import Mapping
from typing import Final

from libs.common.programs.model import NewsText
from services.portal.languages import mark, say
from services.portal.languages.days import day_there, spoken
from services.portal.profile.shapes import Consent

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "results": (mark("Results"), mark("When a result of yours has come or has changed.")),
    "reminders": (mark("Reminders"), mark("Before a certification runs out.")),
    "milestones": (
        mark("Milestones"),
        mark("When you have come a step nearer to a goal, or have held something long."),
    ),
    "credits": (mark("Credits"), mark("When credits count, are put on hold or are used.")),
    "offers": (mark("Kits and benefits"), mark("When there is something to claim.")),
}
"""Kinds of mails that people may do without: their name, and when such a mail comes."""
DIGESTS: Final[Mapping[str, tuple[str, str | None]]] = {
    "each": (mark("A mail each, at once"), None),
    "daily": (mark("One mail a day"), mark("In the morning, where there is something to tell.")),
    "weekly": (mark("One mail a week"), mark("On Monday, where there is something to tell.")),
}


def kinds_in_words(chosen: Mapping[str, bool]) -> str:
    """Which kinds are sent; what was not chosen is."""
    off = [say(name) for kind, (name, _) in KINDS.items() if not chosen.get(kind, True)]
    if not off:
        return say("All of them")
    if len(off) == len(KINDS):
        return say("Only what concerns access and awards")
    return say("All but: {kinds}", kinds=", ".join(off))


def news_in_words(last: Consent | None) -> str:
    """The last word on news, and its day."""
    if last is None:
        return say("Not asked yet; nothing is sent")
    day = spoken(day_there(last.at))
    return say("Yes, since {day}", day=day) if last.given else say("No, since {day}", day=day)


def agreed_text(last: Consent | None, now: NewsText) -> str | None:
    """What was agreed to, where it is the text of today; of older ones the version alone is known."""
    return now.text if last is not None and last.given and last.text_version == now.version else None
