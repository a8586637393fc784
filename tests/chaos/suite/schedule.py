"""Which fault comes when: drawn from a seed alone, so that the same seed brings the same faults in the same order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

PAUSE_SECONDS = (1.0, 4.0)
"""Between two faults: sometimes too short to have got over the last one, on purpose."""

Lasts = tuple[float, float]
"""How long a kind of fault lasts, in seconds: at least and at most."""


@dataclass(frozen=True)
class Step:
    """One fault and the quiet after it."""

    number: int
    fault: str
    seconds: float
    """From its beginning to its end; what beginning and ending take comes on top."""
    pause: float
    seed: int
    """Of all that the fault itself leaves to chance: whom it hits, how hard."""


def steps(seed: int, catalogue: Mapping[str, Lasts]) -> Iterator[Step]:
    """Faults without end. Each kind comes once before any comes again, in an order that changes from round to round.

    Raises:
        ValueError: there is no kind of fault to choose from.
    """
    if not catalogue:
        raise ValueError("there is no fault to choose from")
    rng = Random(seed)
    number = 0
    while True:
        for name in _shuffled(rng, sorted(catalogue)):
            number += 1
            seconds, pause = rng.uniform(*catalogue[name]), rng.uniform(*PAUSE_SECONDS)
            yield Step(number, name, round(seconds, 1), round(pause, 1), rng.getrandbits(32))


def _shuffled(rng: Random, names: Sequence[str]) -> list[str]:
    return rng.sample(names, len(names))
