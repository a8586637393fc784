"""What goes wrong between a vendor and us, in known numbers: repeats, disorder, corrections, missing halves.

Each case takes candidates of its own, so that the cases do not blur one another. What changes the past comes
`LATE` rows after everything else of its candidate, so that it meets a settled state.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from deploy.sample.careers import Attempt, Candidate
from deploy.sample.reports import score, sections
from deploy.sample.rows import REGISTERED, REPORTED, Row, Vendor
from deploy.sample.timeline import BESIDE, BETWEEN, Timeline

LATE = 3_300
"""Positions; at least 3,000 rows remain of them where rows in between are moved or dropped."""

SIZES: Mapping[str, Mapping[str, int]] = {
    "vue": {
        "early_result": 110,
        "never_registered": 9,
        "pending_then_final": 90,
        "pending_for_ever": 6,
        "out_of_order": 80,
        "fail_to_pass": 45,
        "pass_to_fail": 35,
        "score_only": 40,
        "sections_only": 15,
        "invalidated": 40,
        "resent": 120,
        "redelivered": 300,
    },
    "psi": {
        "early_result": 60,
        "never_registered": 5,
        "pending_then_final": 45,
        "pending_for_ever": 4,
        "out_of_order": 40,
        "fail_to_pass": 25,
        "pass_to_fail": 15,
        "score_only": 20,
        "sections_only": 8,
        "invalidated": 20,
        "resent": 60,
        "redelivered": 160,
    },
}
"""How often each case occurs at each vendor; the order is the order in which they choose their candidates."""

ONLY_ATTEMPT = (REGISTERED, REPORTED)
"""All that a candidate of a single, undisturbed attempt brings."""

Change = Callable[[Random, str, dict[str, Any]], None]


def _regrade(grade: str) -> Change:
    def change(rng: Random, program: str, data: dict[str, Any]) -> None:
        passed = grade == "pass"
        data["grade"] = grade
        if "score" in data:
            data["score"] = score(rng, passed=passed)
        data["sections"] = sections(rng, program, data["exam_code"], passed=passed)

    return change


def _rescore(rng: Random, _program: str, data: dict[str, Any]) -> None:
    earlier = data["score"]
    while data["score"] == earlier:
        data["score"] = score(rng, passed=data["grade"] == "pass")


def _resection(rng: Random, program: str, data: dict[str, Any]) -> None:
    data["sections"] = sections(rng, program, data["exam_code"], passed=data["grade"] == "pass")


def _without_outcome(grade: str) -> Change:
    def change(_rng: Random, _program: str, data: dict[str, Any]) -> None:
        data["grade"] = grade
        for name in ("score", "sections", "score_report_url"):
            data.pop(name, None)

    return change


@dataclass(slots=True)
class _Chosen:
    candidate: Candidate
    attempt: Attempt


class HardCases:
    """Puts the hard cases into one vendor's timeline."""

    def __init__(self, vendor: Vendor, timeline: Timeline, candidates: list[Candidate]) -> None:
        self.vendor = vendor
        self.rng = vendor.rng
        self.timeline = timeline
        self.free = [candidate for candidate in candidates if candidate.attempts and not candidate.renewed]
        self.rng.shuffle(self.free)

    def _choose(self, size: int, fits: Callable[[Candidate, Attempt], bool]) -> list[_Chosen]:
        """Take candidates out of the free ones, each with the last attempt.

        Raises:
            ValueError: the feed is too small for the number of cases asked for.
        """
        chosen: list[_Chosen] = []
        kept: list[Candidate] = []
        for candidate in self.free:
            attempt = candidate.attempts[-1]
            if len(chosen) < size and fits(candidate, attempt):
                chosen.append(_Chosen(candidate, attempt))
            else:
                kept.append(candidate)
        if len(chosen) < size:
            raise ValueError(f"only {len(chosen)} of {size} candidates fit a hard case of {self.vendor.name}")
        self.free = kept
        return chosen

    def _last_position(self, candidate: Candidate) -> float:
        return max(self.timeline.position(row) for row in candidate.rows)

    def _settled(self, candidate: Candidate, _attempt: Attempt) -> bool:
        return self._last_position(candidate) + LATE + 100 < len(self.timeline)

    def _revision(self, attempt: Attempt, revision: int, position: float, change: Change) -> Row:
        """Another revision of a result, changed, placed at a position."""
        data = copy.deepcopy(attempt.result.data)
        data["revision"] = revision
        change(self.rng, attempt.result.program, data)
        row = self.vendor.row(REPORTED, attempt.result.program, self.timeline.time_at(position), data)
        self.timeline.place(row, position)
        return row

    def _late(self, size: int, fits: Callable[[Attempt], bool], change: Change) -> None:
        for chosen in self._choose(size, lambda candidate, last: self._settled(candidate, last) and fits(last)):
            start = int(self._last_position(chosen.candidate)) + LATE
            at = self.rng.randrange(start, min(start + 4_000, len(self.timeline)))
            self._revision(chosen.attempt, 2, at + BETWEEN, change)

    def early_result(self, size: int) -> None:
        """The result arrives some hundred rows before the only registration of its candidate."""
        for chosen in self._choose(size, self._only_attempt):
            at = self.timeline.position(chosen.attempt.result) + self.rng.randrange(150, 600) + BETWEEN
            registration = chosen.candidate.rows[0]
            registration.time = self.timeline.time_at(at)
            self.timeline.place(registration, at)

    def never_registered(self, size: int) -> None:
        """The registration never arrives; the result stays unmatched."""
        for chosen in self._choose(size, self._only_attempt):
            self.timeline.drop(chosen.candidate.rows[0])

    def _only_attempt(self, candidate: Candidate, attempt: Attempt) -> bool:
        return len(candidate.rows) == len(ONLY_ATTEMPT) and self.timeline.position(attempt.result) + 700 < len(
            self.timeline
        )

    def pending_then_final(self, size: int) -> None:
        """A result under review is told some hundred rows later."""
        for chosen in self._choose(size, self._only_pending):
            at = self.timeline.position(chosen.attempt.result) + self.rng.randrange(30, 400) + BETWEEN
            self._revision(chosen.attempt, 2, at, lambda _rng, _program, _data: None)
            _without_outcome("pending")(self.rng, chosen.candidate.program, chosen.attempt.result.data)

    def _only_pending(self, _candidate: Candidate, attempt: Attempt) -> bool:
        return self.timeline.position(attempt.result) + 500 < len(self.timeline)

    def pending_for_ever(self, size: int) -> None:
        """A result under review is never told."""
        for chosen in self._choose(size, lambda _candidate, _attempt: True):
            _without_outcome("pending")(self.rng, chosen.candidate.program, chosen.attempt.result.data)

    def out_of_order(self, size: int) -> None:
        """Revision 2 overtakes revision 1, which said the opposite, by one place."""
        for chosen in self._choose(size, lambda _candidate, _attempt: True):
            data = chosen.attempt.result.data
            at = self.timeline.position(chosen.attempt.result) + BESIDE
            self._revision(chosen.attempt, 1, at, _regrade("fail" if data["grade"] == "pass" else "pass"))
            data["revision"] = 2

    def fail_to_pass(self, size: int) -> None:
        self._late(size, lambda attempt: not attempt.passed, _regrade("pass"))

    def pass_to_fail(self, size: int) -> None:
        self._late(size, lambda attempt: attempt.passed, _regrade("fail"))

    def score_only(self, size: int) -> None:
        self._late(size, lambda attempt: "score" in attempt.result.data, _rescore)

    def sections_only(self, size: int) -> None:
        """A correction that changes neither grade nor score."""
        self._late(size, lambda _attempt: True, _resection)

    def invalidated(self, size: int) -> None:
        self._late(size, lambda _attempt: True, _without_outcome("invalidated"))

    def resent(self, size: int) -> None:
        """The same revision again under a new event id."""
        for chosen in self._choose(size, lambda _candidate, _attempt: True):
            at = self.timeline.position(chosen.attempt.result) + self.rng.choice([0, 1, 5, 80, 1_500]) + BETWEEN
            self._revision(chosen.attempt, 1, at, lambda _rng, _program, _data: None)

    def redelivered(self, size: int) -> None:
        """Any row once more, the same to the letter: at once, soon, or much later."""
        for row in self.rng.sample(self.timeline.rows(), size):
            again = copy.copy(row)
            at = int(self.timeline.position(row)) + self.rng.choice([0, 0, 1, 20, 400, 2_000]) + BETWEEN
            self.timeline.place(again, at + BESIDE)

    def apply(self, sizes: Mapping[str, int]) -> Candidate:
        """Every case, named like its method, as often as asked; returns a candidate no case has touched."""
        for name, size in sizes.items():
            getattr(self, name)(size)
        return self._choose(1, lambda _candidate, _attempt: True)[0].candidate
