"""Continuing-education credits: which claims count, to which level they belong, and when they are gone."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from libs.common.languages.days import spoken
from libs.common.programs.calendar import add_days
from libs.common.programs.policy import CreditRules
from services.certs.domain import flags
from services.certs.domain.facts import CreditFact
from services.certs.domain.flags import Flag
from services.certs.languages import say, say_many


class Use(NamedTuple):
    """What credits were good for."""

    certification: str
    on: date


class Credits:
    """Credits of each level's present cycle."""

    def __init__(self, rules: CreditRules | None) -> None:
        self._once = rules is not None and rules.once_per_cycle
        self._by_rank: dict[int, list[CreditFact]] = {}
        self.used: dict[str, Use] = {}
        """By claim, the renewal it went into."""
        self.lapsed: dict[str, date] = {}
        """By claim, the day on which a new cycle began; what was used is among them."""

    def at(self, rank: int) -> list[CreditFact]:
        return self._by_rank.get(rank, [])

    def add(self, rank: int, claim: CreditFact) -> None:
        self._by_rank.setdefault(rank, []).append(claim)

    def lapse(self, rank: int, day: date) -> None:
        """A new cycle at a level and below: what was used is gone, and so is the rest."""
        for level in [level for level in self._by_rank if level <= rank]:
            for claim in self._by_rank.pop(level):
                self.lapsed[claim.claim_id] = day

    def use(self, claims: Iterable[CreditFact], certification: str, day: date) -> None:
        """These have renewed a certification."""
        self.used |= {claim.claim_id: Use(certification, day) for claim in claims}

    def of_cycle(self, rank: int, first_day: date) -> list[CreditFact]:
        """Credits of a cycle, its first day included; each item once where the program says so."""
        found: list[CreditFact] = []
        items: set[str] = set()
        for claim in self.at(rank):
            if claim.completed_on < first_day:
                continue
            if self._once and claim.item is not None:
                if claim.item in items:
                    continue
                items.add(claim.item)
            found.append(claim)
        return found


def countable(claim: CreditFact, rules: CreditRules | None, today: date, found: list[Flag]) -> bool:
    """Whether a claim counts on `today`: validated, submitted in time, and not held for a later day."""
    if rules is None:
        found.append(Flag(flags.CE_UNUSABLE, claim.claim_id, say("the program has no credits")))
        return False
    if claim.completed_on > today:
        text = say_many(
            "{count} credit is dated {day}, which has not come",
            "{count} credits are dated {day}, which has not come",
            claim.credits,
            day=spoken(claim.completed_on),
        )
        found.append(Flag(flags.DATED_AHEAD, claim.claim_id, text))
        return False
    late = claim.submitted_on is not None and claim.submitted_on > add_days(claim.completed_on, rules.claim_within_days)
    if late:
        text = say_many(
            "claimed more than {count} day after {day}",
            "claimed more than {count} days after {day}",
            rules.claim_within_days,
            day=spoken(claim.completed_on),
        )
        found.append(Flag(flags.CE_LATE, claim.claim_id, text))
    if claim.status == "pending" or (claim.validated_on is not None and today < claim.validated_on):
        text = say_many(
            "{count} credit completed on {day} is not validated",
            "{count} credits completed on {day} are not validated",
            claim.credits,
            day=spoken(claim.completed_on),
        )
        found.append(Flag(flags.CE_PENDING, claim.claim_id, text))
        return False
    return claim.status == "validated" and not late and claim.acts_on <= today
