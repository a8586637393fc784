"""What became different between two standings, and when time alone will change one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.certs.domain.standing import CertificationStanding, Standing
from services.certs.languages import say

ChangeKind = Literal["awarded", "renewed", "revoked", "expired", "suspended", "reinstated"]

_SET_ASIDE = ("suspended", "revoked")


@dataclass(frozen=True, slots=True)
class Change:
    """One certification that is not what it was."""

    kind: ChangeKind
    certification: str
    before: CertificationStanding | None
    after: CertificationStanding | None
    """None where nothing of the certification is left."""

    @property
    def subject(self) -> CertificationStanding:
        """The entry that the change speaks of: the present one, or the last known where none is left.

        An expiry before a new award speaks of the old entry too.
        """
        if self.after is None or (self.kind == "expired" and self.after.status in ("active", "suspended")):
            if self.before is None:
                raise AssertionError("a change has at least one side")
            return self.before
        return self.after

    @property
    def remains(self) -> bool:
        """Whether it is active all the same."""
        return self.after is not None and self.after.status == "active"

    @property
    def sentence(self) -> str:
        """The change and its reason as one plain sentence."""
        if self.kind != "revoked" or self.subject.status == "revoked":
            return self.subject.sentence
        if self.after is not None:
            return say("Part of what it rested on no longer counts. {sentence}", sentence=self.after.sentence)
        return say("What it rested on no longer counts. It read: {sentence}", sentence=self.subject.sentence)


def diff(before: Standing, after: Standing) -> list[Change]:
    """The changes from one standing to another, by certification.

    `awarded`: active now, not before. `renewed`: active both times, lasting longer now, or held for longer. `expired`:
    its last day went by. `revoked`: staff have revoked it, or the past changed, so that it ends earlier than was said,
    was earned later, or was never earned. `suspended`: it is now, and was not. `reinstated`: it is no longer suspended
    or revoked, whether or not it has expired meanwhile.
    A certification that lapsed and was earned again in between is `expired`, then `awarded`. While one is suspended
    nothing is said of its dates; its reinstatement says them.
    """
    names = sorted(before.certifications.keys() | after.certifications.keys())
    return [
        Change(kind, name, before.certifications.get(name), after.certifications.get(name))
        for name in names
        for kind in _kinds(before.certifications.get(name), after.certifications.get(name))
    ]


def _kinds(before: CertificationStanding | None, after: CertificationStanding | None) -> Iterator[ChangeKind]:
    if before is not None and before.status in _SET_ASIDE:
        return _after_decision(before, after)
    if after is not None and after.status in _SET_ASIDE:
        return _set_aside(before, after)
    return _by_dates(before, after)


def _by_dates(before: CertificationStanding | None, after: CertificationStanding | None) -> Iterator[ChangeKind]:
    """Neither suspended nor revoked, before and now."""
    if before is None or before.status != "active":
        if after is not None and after.status == "active":
            yield "awarded"
        return
    if after is None:
        yield "revoked"
        return
    if _lapsed(before, after):
        yield "expired"
        if after.status == "active":
            yield "awarded"
        return
    if _end(after) < _end(before):
        yield "revoked"
    elif after.status != "active":
        yield "expired"
    elif _end(after) > _end(before):
        yield "renewed"
    elif after.earned_on != before.earned_on:
        yield "renewed" if after.earned_on < before.earned_on else "revoked"


def _set_aside(before: CertificationStanding | None, after: CertificationStanding) -> Iterator[ChangeKind]:
    """Now suspended or revoked, and neither before."""
    if after.status == "revoked":
        if before is not None:  # nobody was told that it was held
            yield "revoked"
        return
    if before is not None and before.status == "active" and _lapsed(before, after):
        yield "expired"
    yield "suspended"


def _after_decision(before: CertificationStanding, after: CertificationStanding | None) -> Iterator[ChangeKind]:
    """Suspended or revoked before."""
    if after is None:
        if before.status == "suspended":
            yield "revoked"
    elif after.status in _SET_ASIDE:
        if after.status != before.status:
            yield "revoked" if after.status == "revoked" else "suspended"
    elif after.status != "pending_agreement" and after.earned_on == before.earned_on:
        yield "reinstated"
    elif after.status == "active":
        yield "awarded"


def _lapsed(before: CertificationStanding, after: CertificationStanding) -> bool:
    """Whether it ran out and was earned again in between."""
    return before.expires_on is not None and after.earned_on > before.expires_on


def _end(standing: CertificationStanding) -> date:
    """The last active day; the calendar's last where it never expires."""
    return standing.expires_on or date.max


def next_transition(standing: Standing) -> date | None:
    """The first day after `standing.as_of` on which it changes though nothing new is known; None if never.

    That is the day after a last active or emeritus day, the day of a designation, or the day on which a result
    dated ahead begins to count; a day of the program's calendar, like every other here.
    """
    days = [entry.changes_on for entry in standing.certifications.values() if entry.changes_on is not None]
    if standing.resumes_on is not None:
        days.append(standing.resumes_on)
    return min(days, default=None)
