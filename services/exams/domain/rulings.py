"""Rulings of staff among what vendors say: when they stand, and when a vendor's later word outweighs them.

A ruling is a word of its own on a result. It stands against everything that was said before it, and against reports
that only repeat what it has overruled. A later report that says anything else counts, and overtakes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.exams.domain.results import Grade, Status, Word, in_order, outcomes

_CHALLENGE, _ALONE = "challenge:", "ruling:"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a result is to be by a ruling."""

    grade: Grade
    score: float | None


def ruling_ref(ruling_id: str, *, by_challenge: bool) -> str:
    """The name of a ruling among the words on a result; of one that decides a challenge, both have one id."""
    return f"{_CHALLENGE if by_challenge else _ALONE}{ruling_id}"


def ruling_id_of(ref: str) -> str:
    return ref.partition(":")[2]


def challenge_of(ref: str) -> str | None:
    """The challenge that a ruling decides, by the ruling's name among the words; None where there is none."""
    return ruling_id_of(ref) if ref.startswith(_CHALLENGE) else None


def ruling_moment(words: Sequence[Word], now: datetime) -> datetime:
    """When a ruling is said that rests on these words: now, or just after the last of them where a clock is ahead."""
    return max([now, *(word.said_at + timedelta(milliseconds=1) for word in words)])


def overtaken(words: Sequence[Word]) -> tuple[str, bool] | None:
    """The last ruling among the words on a result, and whether its vendor has said something new since.

    A hold is nobody's to know, so what counts is what the result was when it was last not on hold. None where nobody
    has ruled.
    """
    ordered = in_order(words)
    ruled = max((at for at, word in enumerate(ordered) if word.ruling), default=None)
    if ruled is None:
        return None
    after = outcomes(ordered)
    seen = [each for each in after[ruled:] if each is not None and each.status is not Status.ON_HOLD]
    by_ruling, now = after[ruled], seen[-1] if seen else None
    changed = by_ruling is not None and now is not None and (now.grade, now.score) != (by_ruling.grade, by_ruling.score)
    return ordered[ruled].ref, changed
