"""When the same exam may be taken again: one judgement, for every service that asks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from libs.common.programs.calendar import add_days
from libs.common.programs.policy import RetakeRules

RetakeRule = Literal["after_fail", "after_pass", "limit"]


class Wait(NamedTuple):
    """One rule that keeps an exam from being taken before a day."""

    rule: RetakeRule
    allowed_from: date
    """The first day on which this rule allows it again."""
    clause: str
    because: tuple[str, ...]
    """The attempts that it follows from, oldest first."""


class Attempt(NamedTuple):
    """An attempt that counts."""

    day: date
    key: str


@dataclass(slots=True)
class Attempts:
    """What came of one exam code so far. An attempt that broke a rule is not noted: it counts for nothing."""

    taken: list[Attempt] = field(default_factory=list)
    fails: int = 0
    failed: Attempt | None = None
    """The last fail, where no pass came after it."""
    passed: Attempt | None = None
    """The last pass."""

    def note(self, day: date, key: str, *, passed: bool) -> None:
        """Count an attempt. They are noted by day; of one day fails come first."""
        attempt = Attempt(day, key)
        self.taken.append(attempt)
        if passed:
            self.passed, self.failed = attempt, None
        else:
            self.fails, self.failed = self.fails + 1, attempt

    def waits(self, rules: RetakeRules) -> Iterator[Wait]:
        """What follows for the next attempt; it breaks each of these rules if it comes before the rule's day."""
        if self.failed and rules.free_after_fail_days is not None and self.fails >= rules.from_fail:
            free_on = add_days(self.failed.day, rules.free_after_fail_days)
            yield Wait("after_fail", free_on, f"{rules.clause}.after_fail", (self.failed.key,))
        if self.passed and rules.blocked_after_pass is not None:
            free_on = add_days(rules.blocked_after_pass.last_day(self.passed.day), 1)
            yield Wait("after_pass", free_on, f"{rules.clause}.after_pass", (self.passed.key,))
        limit = rules.limit
        if limit is not None and len(self.taken) >= limit.count:
            last = self.taken[-limit.count :]
            free_on = add_days(limit.within.last_day(last[0].day), 1)
            yield Wait("limit", free_on, f"{rules.clause}.limit", tuple(attempt.key for attempt in last))

    def broken(self, rules: RetakeRules, day: date) -> list[Wait]:
        """The rules that another attempt on this day breaks."""
        if not self.taken:
            return []
        return [wait for wait in self.waits(rules) if day < wait.allowed_from]
