"""How often one sender may ask what is open to all: a bucket each, which fills as time passes (a token bucket)."""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from libs.common.http.problems import TOO_MANY_REQUESTS, Problem
from libs.common.http.senders import Network, sender


class SenderLimit:
    """Counts the requests of each address in this process; of many addresses those that asked last are kept in mind.

    Args:
        proxies: networks of the gateway.
        a_second: requests that an address may make for long.
        burst: requests that it may make at once after a pause.
        most: addresses kept in mind.
        timer: seconds, from wherever.
    """

    def __init__(
        self,
        proxies: Sequence[Network],
        *,
        a_second: float,
        burst: int,
        most: int = 20_000,
        timer: Callable[[], float] = monotonic,
    ) -> None:
        self._proxies = proxies
        self._a_second = a_second
        self._burst = burst
        self._most = most
        self._timer = timer
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, remote: str | None, headers: Mapping[str, str]) -> None:
        """Count a request. Raises the problem `too-many-requests`, which says when to come again."""
        address, now = sender(remote, headers, self._proxies), self._timer()
        left, at = self._left.pop(address, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._a_second)
        self._left[address] = (left - 1 if left >= 1 else left), now
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        if left < 1:
            raise Problem(TOO_MANY_REQUESTS, headers={"Retry-After": str(math.ceil((1 - left) / self._a_second))})
