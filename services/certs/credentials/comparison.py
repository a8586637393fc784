"""What credentials must be issued, corrected and revoked, so that they say what the ledger says. Pure.

A credential stands for one stretch of a holding: from the day it was earned to one last day. A renewal makes a new one,
and the old one runs out. One that says more than the ledger still does is corrected while the holding goes on. Once
that is over it is revoked: copies of an earlier version of it may say a later day.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from services.certs.domain.standing import Status


class Term(NamedTuple):
    """From the day something was earned to its last active day; None where it never expires."""

    earned_on: date
    expires_on: date | None

    @property
    def end(self) -> date:
        return self.expires_on or date.max


class Held(NamedTuple):
    """A certification as the ledger has it."""

    certification: str
    title: str
    status: Status
    terms: tuple[Term, ...]
    """Oldest first; never empty."""


class Recipient(NamedTuple):
    """What a credential says of whom it is about."""

    name: str | None
    identified: bool
    """Whether their e-mail address is known, of which it has a hash."""


class Award(NamedTuple):
    """What a credential says."""

    certification: str
    title: str
    term: Term
    recipient: Recipient


class Issued(NamedTuple):
    """A credential that is valid so far."""

    credential_id: str
    award: Award
    longest: date
    """The latest last day that a version of it has said; the calendar's last where it was to last for ever."""


class Plan(NamedTuple):
    """What is to be done."""

    issue: tuple[Award, ...] = ()
    correct: tuple[tuple[str, Award], ...] = ()
    """Ids with what they are to say."""
    revoke: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not any(self)


def compare(held: Iterable[Held], issued: Iterable[Issued], recipient: Recipient, today: date) -> Plan:
    """What brings the valid credentials of a candidate to what they hold.

    Args:
        held: everything the ledger tells, as of today.
        issued: the valid credentials of all the candidate's accounts.
        recipient: the candidate, with the name only where they have chosen that.
        today: the day of the program's calendar.
    """
    by_name: dict[str, list[Issued]] = {}
    for one in issued:
        by_name.setdefault(one.award.certification, []).append(one)
    issue: list[Award] = []
    correct: list[tuple[str, Award]] = []
    revoke: list[str] = []
    for each in held:
        plan = _Certification(each, by_name.pop(each.certification, []), recipient, today).plan()
        issue += plan.issue
        correct += plan.correct
        revoke += plan.revoke
    revoke += [one.credential_id for rest in by_name.values() for one in rest]
    return Plan(tuple(issue), tuple(sorted(correct, key=lambda pair: pair[0])), tuple(sorted(revoke)))


class _Certification(NamedTuple):
    held: Held
    issued: Sequence[Issued]
    recipient: Recipient
    today: date

    def plan(self) -> Plan:
        last = self.held.terms[-1]
        by_term: dict[Term, list[Issued]] = {term: [] for term in self.held.terms}
        stray: list[Issued] = []
        for one in self.issued:
            term = _term_of(one.award.term, self.held.terms)
            (by_term[term] if term is not None else stray).append(one)
        issue: tuple[Award, ...] = ()
        wanted: dict[Issued, Award] = {}
        if self.held.status == "revoked":
            stray += by_term.pop(last)
        elif last.end >= self.today:
            issue, wanted = self._going_on(last, by_term.pop(last), stray)
        for term, there in by_term.items():
            for one in there:
                if one.longest > term.end:
                    stray.append(one)
                else:
                    wanted[one] = one.award
        correct = tuple((one.credential_id, award) for one, award in self._named(wanted))
        return Plan(issue, correct, tuple(one.credential_id for one in stray))

    def _going_on(
        self, term: Term, there: Sequence[Issued], stray: list[Issued]
    ) -> tuple[tuple[Award, ...], dict[Issued, Award]]:
        """Of a holding that is not over: what is to be issued, and what each that is there is to say."""
        award = Award(self.held.certification, self.held.title, term, self.recipient)
        wanted = {one: one.award for one in there if one.award.term.end < term.end}
        fitting = [one for one in there if one.award.term.end == term.end]
        longer = sorted(
            (one for one in there if one.award.term.end > term.end),
            key=lambda one: (one.award.term.end, one.credential_id),
        )
        if not fitting and longer:
            fitting = [longer.pop(0)]
        stray += longer
        wanted |= dict.fromkeys(fitting, award)
        return (award,) if not fitting and self.held.status == "active" else (), wanted

    def _named(self, wanted: Mapping[Issued, Award]) -> Iterator[tuple[Issued, Award]]:
        """Those that are to say something else, with the name as the candidate now wants it."""
        for one, award in wanted.items():
            before = one.award.recipient
            # What is once known stays known; an address that is learnt later is of use while it goes on.
            identified = before.identified or (self.recipient.identified and award.term.end >= self.today)
            after = award._replace(recipient=Recipient(self.recipient.name, identified))
            if after != one.award:
                yield one, after


def _term_of(term: Term, terms: Sequence[Term]) -> Term | None:
    """The holding that a credential is about: begun on its day, or at least one with a day in common."""
    shared = [one for one in terms if one.earned_on <= term.end and term.earned_on <= one.end]
    return next((one for one in shared if one.earned_on == term.earned_on), shared[-1] if shared else None)
