"""What the program's staff decide about one certification: granted, revoked, suspended, reinstated, extended.

A decision takes effect at the end of its day, after everything else of that day: what it is about may have been earned
on it, and results of the day still find what they need. Decisions of one day follow one another as they became known;
those known at one moment in the order of `_SEQUENCE`, then of their ids.

- A grant awards without requirements, for the program's validity or through a given day, and goes on like any award.
- A revocation ends the certification with the day before. What was in hand until then is used up, so that earning it
  anew takes what is newer. What it had helped to earn stays.
- A suspension leaves the dates as they are: they run on, and what renews the certification renews it. Meanwhile it is
  no prerequisite, and holds for whatever is earned anew after a lapse too.
- A reinstatement ends a suspension, or gives back the dates that a revocation took; what would have renewed them in
  between has not.
- An extension moves the last active day to a later one.

What was not so on its day cannot be decided about: the decision is flagged.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from libs.common.languages.days import spoken
from services.certs.domain import flags
from services.certs.domain.facts import DecisionFact, DecisionKind
from services.certs.domain.flags import Flag
from services.certs.domain.held import Held, awarded
from services.certs.domain.outcome import status_of
from services.certs.domain.rules import CertificationRule
from services.certs.domain.standing import Ground, Status
from services.certs.languages import mark, say

_SEQUENCE: tuple[DecisionKind, ...] = ("grant", "extend", "suspend", "revoke", "reinstate")

_ACTS_ON: Mapping[DecisionKind, frozenset[Status | None]] = {
    "grant": frozenset({None, "expired", "inactive", "emeritus", "lifetime_emeritus", "revoked"}),
    "extend": frozenset({"active"}),
    "suspend": frozenset({"active"}),
    "revoke": frozenset({"active", "inactive", "suspended", "emeritus", "lifetime_emeritus"}),
    "reinstate": frozenset({"suspended", "revoked"}),
}
"""What a certification must be on the day; None is what was never held."""

_DONE: Mapping[DecisionKind, str] = {
    "grant": mark("granted by the program on {day}"),
    "extend": mark("extended by the program on {day}"),
    "suspend": mark("suspended by the program on {day}"),
    "revoke": mark("revoked by the program on {day}"),
    "reinstate": mark("reinstated by the program on {day}"),
}
_IDLE: Mapping[DecisionKind, str] = {
    "grant": mark("{certification} could not be granted on {day}: {why}"),
    "extend": mark("{certification} could not be extended on {day}: {why}"),
    "suspend": mark("{certification} could not be suspended on {day}: {why}"),
    "revoke": mark("{certification} could not be revoked on {day}: {why}"),
    "reinstate": mark("{certification} could not be reinstated on {day}: {why}"),
}
_WAS: Mapping[Status, str] = {
    "active": mark("it was active"),
    "expired": mark("it was expired"),
    "emeritus": mark("it was emeritus"),
    "lifetime_emeritus": mark("it was lifetime emeritus"),
    "pending_agreement": mark("it was pending agreement"),
    "inactive": mark("it was inactive"),
    "suspended": mark("it was suspended"),
    "revoked": mark("it was revoked"),
}


def in_order(facts: Iterable[DecisionFact]) -> list[DecisionFact]:
    """Decisions in the order in which those of one day take effect."""
    return sorted(facts, key=lambda fact: (fact.known_at, _SEQUENCE.index(fact.decision), fact.decision_id))


def decided(fact: DecisionFact, rule: CertificationRule, before: Held | None, retired_on: date) -> Held | Flag:
    """What becomes of a certification; a flag where the decision can have no effect.

    Args:
        fact: the decision, on its day.
        rule: the certification it names.
        before: how it is held, or was; None where it never was.
        retired_on: from when on it is not awarded.
    """
    status = None if before is None else status_of(before, fact.on)[0]
    why = _idle(fact, before, status, retired_on)
    if why is not None:
        text = say(_IDLE[fact.decision], certification=rule.certification.id, day=spoken(fact.on), why=why)
        return Flag(flags.DECISION_IDLE, fact.decision_id, text)
    words = say(_DONE[fact.decision], day=spoken(fact.on))
    note = " ".join(fact.reason.split()).rstrip(".")
    ground = Ground(fact.decision_id, rule.certification.path, words, fact.on, note)
    if before is None or fact.decision == "grant":
        return _granted(fact, rule, before, ground, retired_on)
    if fact.decision == "revoke":
        before.revoke(fact.on, ground)
    elif fact.decision == "suspend":
        before.suspend(ground)
    elif fact.decision == "reinstate":
        before.reinstate(ground)
    elif fact.until is not None:
        before.extend(fact.on, fact.until, ground)
    return before


def _idle(fact: DecisionFact, before: Held | None, status: Status | None, retired_on: date) -> str | None:
    """Why a decision has no effect; None where it has one."""
    if status not in _ACTS_ON[fact.decision]:
        return say("it was not held") if status is None else say(_WAS[status])
    if fact.decision == "grant":
        if fact.on >= retired_on:
            return say("it is not awarded from {day} on", day=spoken(retired_on))
        if fact.until is not None and fact.until < fact.on:
            return say("it would have ended on {day} already", day=spoken(fact.until))
    if fact.decision == "extend":
        last = before.expires_on if before is not None else None
        if last is None:
            return say("it never expires")
        if fact.until is None or fact.until <= last:
            return say("it was active through {day} already", day=spoken(last))
    return None


def _granted(
    fact: DecisionFact, rule: CertificationRule, before: Held | None, ground: Ground, retired_on: date
) -> Held:
    held = awarded(rule, fact.on, (ground,), before)
    held.retired_on = retired_on
    if fact.until is not None:
        held.expires_on = fact.until
        held.steps[0] = held.steps[0]._replace(expires_on=fact.until, years=None, clause=rule.certification.path)
    return held
