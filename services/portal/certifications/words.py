"""What happened to a certification, as a heading has it, and what is beside it. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import quote, urlencode

from services.portal.backend.shapes import Certification, Line
from services.portal.certifications.shapes import Availability, Renewal, Seen, SeenStanding
from services.portal.languages import mark, say
from services.portal.languages.days import day_there, spoken

_KINDS: Final = {
    "awarded": mark("Awarded"),
    "renewed": mark("Renewed"),
    "extended": mark("Extended"),
    "imported": mark("Taken over from an earlier system"),
    "reactivated": mark("Active again"),
    "expired": mark("Expired"),
    "grant": mark("Granted by staff"),
    "revoke": mark("Revoked"),
    "suspend": mark("Suspended"),
    "reinstate": mark("Reinstated"),
    "extend": mark("Extended by staff"),
}
_STATUSES: Final = {
    "active": mark("On {day}, a verifier saw: active, until {until}."),
    "expired": mark("On {day}, a verifier saw: expired on {until}."),
    "suspended": mark("On {day}, a verifier saw: suspended."),
    "revoked": mark("On {day}, a verifier saw: revoked."),
    "emeritus": mark("On {day}, a verifier saw: emeritus, until {until}."),
    "lifetime_emeritus": mark("On {day}, a verifier saw: emeritus for life."),
    "inactive": mark("On {day}, a verifier saw: not active."),
}
_NOT_SHOWN: Final = mark("On {day}, a verifier saw nothing of it: it was not awarded.")
_ENDLESS: Final = mark("On {day}, a verifier saw: active, without an end.")


def happened(line: Line) -> str:
    """`Renewed`; what is not known here is said in the service's own word."""
    known = _KINDS.get(line.kind)
    return say(known) if known else line.kind.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Way:
    """One way to renew, or to begin again.

    Attributes:
        have: credits that count already; None where it needs none.
    """

    text: str
    have: int | None = None
    need: int = 0


def ways_of(renewal: Renewal) -> list[Way]:
    """The ways in their order: the cheapest first, with how far credits go where only they are needed."""
    found = []
    for way in renewal.ways:
        alone = way.credits and not way.exams and renewal.credits is not None
        total = renewal.credits or 0
        found.append(Way(way.text, max(total - way.credits, 0) if alone else None, total))
    return found


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is the candidate's to use; a link, or the reason why there is none."""

    title: str
    kind: str
    link: str | None
    refusal: str = ""


def items_of(
    one: Certification, today: date, certificate: Availability | None, logos: Availability | None
) -> list[Item]:
    """Everything, also what is refused, with its reason. None for what does not answer."""
    here = f"/share/certifications/{quote(one.certification, safe='')}"
    refused = refusal_of(one, today)
    away = say("This isn't answering. Look again in a minute.")

    def item(title: str, kind: str, link: str, answer: Availability | None, *, asked: bool) -> Item:
        if refused:
            return Item(title, kind, None, refused)
        if asked and answer is None:
            return Item(title, kind, None, away)
        if answer is not None and not answer.available:
            return Item(title, kind, None, answer.reason or say("Not available now."))
        return Item(title, kind, link)

    return [
        item(say("Certificate"), "PDF", f"{here}/certificate.pdf", certificate, asked=True),
        item(say("Logo"), "SVG, PNG", f"{here}#logo", logos, asked=True),
        item(say("Digital badge"), "Open Badges 3.0", f"{here}#badge", None, asked=False),
        item(say("Share it as a link"), say("Transcript"), share_of(one), None, asked=False),
    ]


def share_of(one: Certification) -> str:
    """Where a link that shows it is made."""
    return f"/share/transcripts/new?{urlencode({'certification': one.certification})}"


def case_about(one: Certification) -> str:
    """Where a case about it is opened, which says so already."""
    about = say("About {title} ({certification}):", title=one.title, certification=one.certification)
    return f"/cases/new?{urlencode({'kind': 'other', 'text': about})}"


def refusal_of(one: Certification, today: date) -> str:
    """Why nothing of it may be used; empty where it may."""
    if one.status == "expired" and one.expires_on and one.expires_on < today:
        return say("Not available: expired on {day}.", day=spoken(one.expires_on))
    sentence = _REFUSED.get(one.status)
    return say(sentence) if sentence else ""


_REFUSED: Final = {
    "expired": mark("Not available: it has expired."),
    "revoked": mark("Not available: it was revoked."),
    "suspended": mark("Not available while it is suspended."),
    "pending_agreement": mark("Not available until you accept the agreement."),
    "inactive": mark("Not available: it isn't active."),
}


def seen_sentence(standing: SeenStanding | None, on: date) -> str:
    """What a verifier saw on a day."""
    sentence = _STATUSES.get(standing.status, _NOT_SHOWN) if standing else _NOT_SHOWN
    until = standing.expires_on if standing else None
    if until is None and sentence == _STATUSES["active"]:
        sentence = _ENDLESS
    return say(sentence, day=spoken(on), until=spoken(until) if until else "")


def learned_later(lines: list[Line], seen: Seen) -> list[str]:
    """What took effect by that day and was not known then."""
    return [
        say(
            "On that day we didn't know yet of this: {fact} ({what}, {on}). We learned it on {day}.",
            fact=line.text,
            what=happened(line),
            on=spoken(line.on),
            day=spoken(day_there(line.known_at)),
        )
        for line in sorted(lines, key=lambda each: each.known_at)
        if line.on <= seen.as_of < day_there(line.known_at) and line.withdrawn_at is None
    ]
