"""The verdict on what a verifier is shown: one heading, one sentence, the same everywhere. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, Literal, NamedTuple

from libs.common.languages.days import spoken
from libs.common.pages.wording import InWords
from services.certs.languages import mark, say, say_many
from services.certs.public.counting import State, tallied
from services.certs.transcripts.shown import CertificationState, Shown, ShownCertification

Kind = Literal["genuine", "expired", "suspended", "partly_revoked", "revoked"]

_PLAIN: Final[dict[CertificationState, str]] = {
    "expired": mark("It has expired."),
    "emeritus": mark("It is emeritus."),
    "inactive": mark("It is inactive."),
    "suspended": mark("It is suspended."),
    "waiting": mark("It is not active yet."),
}
"""States of which a sentence tells no day."""


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
        return Verdict("genuine", say("Genuine, as of {day}.", day=spoken(frozen_on)), sentence)
    if every and all(one.state == "suspended" for one in every):
        return Verdict("suspended", say("Not valid at present: suspended."), sentence)
    if every and all(one.state == "expired" for one in every):
        return Verdict("expired", say("Genuine, but expired."), _expired(every))
    return Verdict("genuine", say("Genuine and unchanged."), sentence)


def _taken_back(shown: Shown) -> str | None:
    """The heading where something was revoked; None where nothing was."""
    revoked = [one for one in shown.certifications if one.state == "revoked"]
    if revoked and len(revoked) == len(shown.certifications):
        return _revoked(revoked)
    if len(revoked) == 1:
        title, day = revoked[0].title, revoked[0].revoked_on
        if day is None:
            return say("Not valid in part: {title} was revoked.", title=title)
        return say("Not valid in part: {title} was revoked on {day}.", title=title, day=spoken(day))
    if revoked:
        return say_many(
            "Not valid in part: {count} certification was revoked.",
            "Not valid in part: {count} certifications were revoked.",
            InWords(len(revoked)),
        )
    if any(exam.state == "withdrawn" for exam in shown.exams):
        return say("Not valid in part: an exam no longer counts as passed.")
    return None


def state_words(one: ShownCertification) -> str:
    """The state of one certification as a sentence of its own says it."""
    if one.state == "revoked":
        return _revoked([one])
    if one.state == "expired" and one.expires_on is not None:
        return say("Expired: its last active day was {day}.", day=spoken(one.expires_on))
    if one.state == "active":
        until = one.expires_on
        return say("Active until {day}.", day=spoken(until)) if until else say("Active; it never expires.")
    return say(_PLAIN[one.state])


def _revoked(revoked: Iterable[ShownCertification]) -> str:
    days = {one.revoked_on for one in revoked}
    day = days.pop() if len(days) == 1 else None
    return say("Not valid: revoked on {day}.", day=spoken(day)) if day else say("Not valid: revoked.")


def _expired(every: Iterable[ShownCertification]) -> str:
    days = sorted({one.expires_on for one in every if one.expires_on is not None})
    if len(days) == 1:
        return say("Its last active day was {day}.", day=spoken(days[0]))
    return say("The last active days were from {first} to {last}.", first=spoken(days[0]), last=spoken(days[-1]))


def _sentence(shown: Shown, frozen_on: date | None) -> str:
    text = " ".join(_sentences(shown))
    if frozen_on is None:
        return text
    return f"{say('It shows that day, not today. The owner can share a live one.')} {text}".strip()


def _sentences(shown: Shown) -> Iterator[str]:
    if shown.certifications:
        counts: Counter[State] = Counter(one.state for one in shown.certifications)
        yield tallied(counts)
    elif shown.exams:
        number = sum(1 for exam in shown.exams if exam.state == "passed")
        yield say_many("It shows {count} passed exam.", "It shows {count} passed exams.", InWords(number))
