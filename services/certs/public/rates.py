"""How often one address may ask for what anybody may read."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Final

from libs.common.clock import Clock
from libs.common.http.problems import TOO_MANY_REQUESTS, Problem
from libs.common.http.senders import Network, sender

MOST_ADDRESSES: Final = 50_000
"""Remembered at once. Whoever asks from more of them could ask that often anyway."""

_MINUTE = 60.0


class AddressRates:
    """A bucket for each address that fills evenly: so many at once, and so many in every minute.

    Each process has its own, because a limit that asked the database would cost what it is to save.
    """

    def __init__(self, a_minute: int, proxies: Sequence[Network], clock: Clock) -> None:
        self._a_minute = a_minute
        self._proxies = proxies
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def take(self, remote: str | None, headers: Mapping[str, str], *, cost: int = 1) -> None:
        """Take `cost` out of the bucket of whoever asks. Raises the problem `too-many-requests` where it is empty."""
        address, now = sender(remote, headers, self._proxies), self._clock.now()
        left, since = self._left.pop(address, (float(self._a_minute), now))
        passed = max(0.0, (now - since).total_seconds())
        left = min(float(self._a_minute), left + passed * self._a_minute / _MINUTE)
        enough = left >= cost
        self._left[address] = (left - cost if enough else left, now)
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        if not enough:
            wait = max(1, ceil((cost - left) * _MINUTE / self._a_minute))
            raise Problem(TOO_MANY_REQUESTS, headers={"Retry-After": str(wait)})
