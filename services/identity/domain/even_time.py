"""Answers whose time tells nothing."""

from math import ceil

EVEN_SECONDS = 0.5
"""A password takes about a tenth of it to check."""


def until_even(elapsed: float) -> float:
    """How long an answer waits that has taken so long, in seconds: they all leave at multiples of `EVEN_SECONDS`.

    So a refusal takes as long for nobody's address as for one of an account, or of a few.
    """
    return max(1, ceil(elapsed / EVEN_SECONDS)) * EVEN_SECONDS - elapsed
