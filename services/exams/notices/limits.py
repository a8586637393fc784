"""How often each vendor may call: a bucket a vendor, which fills as time passes (a token bucket)."""

import math
from collections.abc import Callable
from time import monotonic

from libs.common.http.problems import TOO_MANY_REQUESTS, Problem


class CallLimit:
    """Counts calls by vendor in this process; only known vendors are counted, so they are few.

    Args:
        a_second: calls that a vendor may make for long.
        burst: calls that it may make at once after a pause.
        timer: seconds, from wherever.
    """

    def __init__(self, *, a_second: float = 20.0, burst: int = 100, timer: Callable[[], float] = monotonic) -> None:
        self._a_second = a_second
        self._burst = burst
        self._timer = timer
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, vendor: str) -> None:
        """Count a call. Raises the problem `too-many-requests`, which says when to come again."""
        now = self._timer()
        left, at = self._left.get(vendor, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._a_second)
        if left < 1:
            wait = math.ceil((1 - left) / self._a_second)
            self._left[vendor] = left, now
            raise Problem(TOO_MANY_REQUESTS, headers={"Retry-After": str(wait)})
        self._left[vendor] = left - 1, now
