"""A candidate's credits as a ledger: what each claim is good for, was good for, or why it is good for nothing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from libs.common.languages.days import spoken
from libs.common.programs import Program
from services.certs.domain import accounts, flags
from services.certs.domain.credit import Credits, Use
from services.certs.domain.evaluate import moment, run
from services.certs.domain.facts import CreditFact, Fact, Known
from services.certs.domain.held import Held
from services.certs.domain.replay import Replay
from services.certs.domain.results import Results
from services.certs.domain.rules import rules_of
from services.certs.languages import say

CreditState = Literal[
    "pending", "rejected", "late", "held", "counting", "repeated", "used", "lapsed", "unusable", "ahead"
]


@dataclass(frozen=True, slots=True)
class CreditEntry:
    """One claim, and what has become of it."""

    claim: CreditFact
    state: CreditState
    text: str
    use: Use | None = None


@dataclass(frozen=True, slots=True)
class CreditLedger:
    """All claims, and the cycle that those in force count in."""

    as_of: date
    level: str | None
    """The highest level held, which credits serve; None where nothing held can use any."""
    cycle_from: date | None
    cycle_until: date | None
    """Last active day of what expires first at that level."""
    counting: int
    """Credits of the cycle that can still renew something."""
    entries: tuple[CreditEntry, ...]
    """Newest completion first."""


def credit_ledger(policy: Program, facts: Iterable[Fact], as_of: date | datetime) -> CreditLedger:
    """The credits among the facts known at `as_of`.

    Raises:
        TypeError: for a kind of fact that is not understood.
        ValueError: where `as_of` is a moment without an offset from UTC.
    """
    rules = rules_of(policy)
    today, known_until = moment(as_of, rules.zone)
    found = []
    for _, part in accounts.split(Known(facts, known_until)):
        if part.credits:
            found.append(_Account(*run(rules, part, today), today, part.credits))
    cycle = next((account.cycle for account in found if account.cycle is not None), None)
    entries = [entry for account in found for entry in account.entries()]
    entries.sort(key=lambda entry: (entry.claim.completed_on, entry.claim.claim_id), reverse=True)
    return CreditLedger(
        as_of=today,
        level=cycle.rule.certification.level if cycle else None,
        cycle_from=cycle.cycle_from if cycle else None,
        cycle_until=cycle.expires_on if cycle else None,
        counting=sum(entry.claim.credits for entry in entries if entry.state == "counting"),
        entries=tuple(entries),
    )


_FLAGGED: Mapping[str, CreditState] = {
    flags.CE_LATE: "late",
    flags.CE_PENDING: "pending",
    flags.DATED_AHEAD: "ahead",
    flags.CE_UNUSABLE: "unusable",
}


class _Account:
    """What became of the claims of one account, from its replay."""

    def __init__(self, replay: Replay, results: Results, today: date, claims: Iterable[CreditFact]) -> None:
        self.cycle = _cycle(replay, today)
        self._today = today
        self._claims = claims
        self._flags = {(flag.fact, flag.code): flag for flag in results.flags + replay.flags}
        self._credits = replay.credits or Credits(None)
        self._counting: set[str] = set()
        if self.cycle is not None:
            counted = self._credits.of_cycle(self.cycle.rule.rank, self.cycle.cycle_from)
            self._counting = {claim.claim_id for claim in counted}

    def entries(self) -> Iterator[CreditEntry]:
        for claim in self._claims:
            use = self._credits.used.get(claim.claim_id)
            yield CreditEntry(claim, *self._state(claim, use), use)

    def _state(self, claim: CreditFact, use: Use | None) -> tuple[CreditState, str]:
        today = self._today
        if claim.status == "rejected" and (claim.validated_on is None or claim.validated_on <= today):
            return "rejected", say("The claim was rejected.")
        for code, state in _FLAGGED.items():
            flag = self._flags.get((claim.claim_id, code))
            if flag is not None:
                return state, f"{flag.text[:1].upper()}{flag.text[1:]}."
        if claim.acts_on > today:
            return "held", say("Held until {day}, as chosen.", day=spoken(claim.acts_on))
        if use is not None:
            text = say("Renewed {certification} on {day}.", certification=use.certification, day=spoken(use.on))
            return "used", text
        if claim.claim_id in self._counting and self.cycle is not None:
            return "counting", _good_for(self.cycle)
        return self._gone(claim)

    def _gone(self, claim: CreditFact) -> tuple[CreditState, str]:
        lapsed_on = self._credits.lapsed.get(claim.claim_id)
        if lapsed_on is not None:
            return "lapsed", say("Not used before the cycle that began on {day}.", day=spoken(lapsed_on))
        if self.cycle is not None and claim.item is not None and claim.completed_on >= self.cycle.cycle_from:
            return "repeated", say("{item} counts once in a cycle, and counts already.", item=claim.item)
        return "lapsed", say("The cycle in which it was earned is over.")


def _cycle(replay: Replay, today: date) -> Held | None:
    """The certification of the highest level held whose cycle ends first: what the next credits are for."""
    active = [held for held in replay.held_by.values() if held.rule.on_ladder and held.active(today)]
    highest = max((held.rule.rank for held in active), default=None)
    usable = [held for held in active if held.rule.rank == highest and held.renewable(today)]
    return min(usable, key=lambda held: (held.expires_on or date.max, held.rule.certification.id), default=None)


def _good_for(cycle: Held) -> str:
    name = cycle.rule.certification.id
    if cycle.expires_on is None:
        return say("Counts towards {certification}.", certification=name)
    last = spoken(cycle.expires_on)
    return say("Counts towards the renewal of {certification}, through {day}.", certification=name, day=last)
