"""The verdict on what a verifier is shown: one heading, one sentence, the same everywhere. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal, NamedTuple

from libs.common.pages.wording import counted
from libs.common.spoken import spoken
from services.certs.transcripts.shown import CertificationState, Shown, ShownCertification

Kind = Literal["genuine", "expired", "suspended", "partly_revoked", "revoked"]

_GENUINE = "Genuine and unchanged."
_STATES: dict[CertificationState, tuple[str, str]] = {
    "active": ("is active", "are active"),
    "expired": ("has expired", "have expired"),
    "emeritus": ("is emeritus", "are emeritus"),
    "inactive": ("is inactive", "are inactive"),
    "suspended": ("is suspended", "are suspended"),
    "waiting": ("is not active yet", "are not active yet"),
    "revoked": ("was revoked", "were revoked"),
}
"""In the order in which a sentence counts them."""


class Verdict(NamedTuple):
    """What is said first."""

    kind: Kind
    heading: str
    sentence: str
    """How many items are in which state."""


def verdict(shown: Shown, *, frozen_on: date | None) -> Verdict:
    """The verdict on a transcript, or on a single credential.

    A revoked item goes before everything else: a page that calls itself genuine over something that was taken back
    would be believed.
    """
    sentence, every = _sentence(shown, frozen_on), shown.certifications
    heading = _taken_back(shown)
    if heading is not None:
        whole = bool(every) and all(one.state == "revoked" for one in every)
        return Verdict("revoked" if whole else "partly_revoked", heading, sentence)
    if frozen_on is not None:
        return Verdict("genuine", f"Genuine, as of {spoken(frozen_on)}.", sentence)
    if every and all(one.state == "suspended" for one in every):
        return Verdict("suspended", "Not valid at present: suspended.", sentence)
    if every and all(one.state == "expired" for one in every):
        return Verdict("expired", "Genuine, but expired.", _expired(every))
    return Verdict("genuine", _GENUINE, sentence)


def _taken_back(shown: Shown) -> str | None:
    """The heading where something was revoked; None where nothing was."""
    revoked = [one for one in shown.certifications if one.state == "revoked"]
    if revoked and len(revoked) == len(shown.certifications):
        return f"Not valid: {_revoked(revoked)}."
    if len(revoked) == 1:
        return f"Not valid in part: {revoked[0].title} was {_revoked(revoked)}."
    if revoked:
        return f"Not valid in part: {counted(len(revoked))} certifications were revoked."
    if any(exam.state == "withdrawn" for exam in shown.exams):
        return "Not valid in part: an exam no longer counts as passed."
    return None


def state_words(one: ShownCertification) -> str:
    """The state of one certification as a sentence of its own says it."""
    if one.state == "revoked":
        return f"Not valid: {_revoked([one])}."
    if one.state == "expired" and one.expires_on is not None:
        return f"Expired: its last active day was {spoken(one.expires_on)}."
    if one.state == "active":
        return f"Active until {spoken(one.expires_on)}." if one.expires_on else "Active; it never expires."
    return f"It {_STATES[one.state][0]}."


def _revoked(revoked: Iterable[ShownCertification]) -> str:
    days = {one.revoked_on for one in revoked}
    day = days.pop() if len(days) == 1 else None
    return f"revoked on {spoken(day)}" if day else "revoked"


def _expired(every: Iterable[ShownCertification]) -> str:
    days = sorted({one.expires_on for one in every if one.expires_on is not None})
    if len(days) == 1:
        return f"Its last active day was {spoken(days[0])}."
    return f"The last active days were from {spoken(days[0])} to {spoken(days[-1])}."


def _sentence(shown: Shown, frozen_on: date | None) -> str:
    text = " ".join(_sentences(shown))
    if frozen_on is None:
        return text
    return f"It shows that day, not today. The owner can share a live one. {text}".strip()


def _sentences(shown: Shown) -> Iterator[str]:
    if shown.certifications:
        yield _counted(shown.certifications)
    elif shown.exams:
        number = sum(1 for exam in shown.exams if exam.state == "passed")
        yield f"It shows {counted(number)} passed {'exam' if number == 1 else 'exams'}."


def _counted(every: tuple[ShownCertification, ...]) -> str:
    """For example: Three certifications are active, one has expired."""
    groups = [(state, sum(1 for one in every if one.state == state)) for state in _STATES]
    groups = [(state, number) for state, number in groups if number]
    if len(groups) == 1 and len(every) > 1:
        return f"All {counted(len(every))} certifications {_STATES[groups[0][0]][1]}."
    parts = []
    for position, (state, number) in enumerate(groups):
        noun = ("" if position else " certification") if number == 1 else ("" if position else " certifications")
        parts.append(f"{counted(number)}{noun} {_STATES[state][number > 1]}")
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."
