"""What became different between two standings, and when time alone will change one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.certs.domain.standing import CertificationStanding, Standing

ChangeKind = Literal["awarded", "renewed", "revoked", "expired"]


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
        if self.after is None or (self.kind == "expired" and self.after.status == "active"):
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
        if self.kind != "revoked":
            return self.subject.sentence
        if self.after is not None:
            return f"Part of what it rested on no longer counts. {self.after.sentence}"
        return f"What it rested on no longer counts. It read: {self.subject.sentence}"


def diff(before: Standing, after: Standing) -> list[Change]:
    """The changes from one standing to another, by certification.

    `awarded`: active now, not before. `renewed`: active both times, lasting longer now, or held for longer. `expired`:
    its last day went by. `revoked`: the past changed, so that it ends earlier than was said, was earned later, or was
    never earned.
    A certification that lapsed and was earned again in between is `expired`, then `awarded`.
    """
    names = sorted(before.certifications.keys() | after.certifications.keys())
    return [
        Change(kind, name, before.certifications.get(name), after.certifications.get(name))
        for name in names
        for kind in _kinds(before.certifications.get(name), after.certifications.get(name))
    ]


def _kinds(before: CertificationStanding | None, after: CertificationStanding | None) -> Iterator[ChangeKind]:
    if before is None or before.status != "active":
        if after is not None and after.status == "active":
            yield "awarded"
        return
    if after is None:
        yield "revoked"
        return
    if before.expires_on is not None and after.earned_on > before.expires_on:
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
