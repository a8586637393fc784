"""How many mails a domain gets at a time: as many as the settings say, and fewer once it says that it is too many.

A mail whose turn is later is given its turn at once, and waits for it in the database rather than in a sender's hands.
So a slow domain holds up nobody else, and a mail waits for its turn only once.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from services.notify.domain.delivery import Accepted, Deferred, Verdict

AT_ONCE: Final = timedelta(seconds=1)
"""A domain that is well may get at once what it may get in this time."""
START: Final = 10.0
"""Mails a second to a domain without a limit of its own, once it has asked for less."""
LEAST: Final = 1 / 30
FULL: Final = 100.0
"""From here on, a domain without a limit of its own gets everything again."""
GROWTH: Final = 1.1
"""With each mail that is taken."""
REST: Final = timedelta(seconds=5)
"""Nothing is tried for so long after each time that a domain asked for less."""
SAME_TIME: Final = timedelta(seconds=1)
"""Several mails under way are refused together; that is asking once."""
MOST_LANES: Final = 10_000
"""Domains remembered at once."""

OTHERS: Final = "*"
_RATE = re.compile(r"([a-z0-9.\-]+|\*)=(\d{1,6}(?:\.\d{1,3})?)")


def read_rates(text: str) -> dict[str, float]:
    """Limits by domain as settings write them: `example.com=20 *=100`, in mails a second.

    Raises:
        ValueError: it is not written so, and the text says where.
    """
    rates: dict[str, float] = {}
    for part in text.lower().split():
        found = _RATE.fullmatch(part)
        if found is None or float(found[2]) <= 0:
            raise ValueError(f"{part!r} is no limit: write example.com=20, or *=100 for all other domains")
        rates[found[1]] = float(found[2])
    return rates


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


@dataclass
class _Lane:
    limit: float | None
    rate: float
    free_at: datetime
    """When the next mail is due, were all of them to go at even distances."""
    slowed_at: datetime | None = None


class Pacing:
    """The turns of one process; each process has its own.

    Args:
        limits: mails a second by domain, under `OTHERS` for all that are not named; none where that is missing.
    """

    def __init__(self, limits: Mapping[str, float]) -> None:
        self._limits = limits
        self._lanes: OrderedDict[str, _Lane] = OrderedDict()

    def turn(self, address: str, now: datetime, *, given_at: datetime | None = None) -> datetime | None:
        """When a mail may go; None for now.

        Args:
            address: whom it goes to.
            now: when it would be tried.
            given_at: when it was given the turn that has come; it holds unless the domain has asked for less since.
        """
        lane = self._lane(domain_of(address), now)
        if lane is None:
            return None
        if given_at is not None and (lane.slowed_at is None or given_at > lane.slowed_at):
            return None
        distance = timedelta(seconds=1 / lane.rate)
        slack = max(AT_ONCE - distance, timedelta()) if lane.slowed_at is None else timedelta()
        turn = max(lane.free_at, now)
        lane.free_at = turn + distance
        return turn - slack if turn - slack > now else None

    def hear(self, address: str, verdict: Verdict) -> None:
        """Take in what became of a mail."""
        domain = domain_of(address)
        if isinstance(verdict, Deferred) and verdict.too_fast:
            self._slow(domain, verdict.at)
        elif isinstance(verdict, Accepted) and domain in self._lanes:
            self._ease(domain)

    def rate(self, address: str) -> float | None:
        """Mails a second that the domain gets now; None for as many as there are."""
        lane = self._lanes.get(domain_of(address))
        return lane.rate if lane else self._limit(domain_of(address))

    def _limit(self, domain: str) -> float | None:
        return self._limits.get(domain, self._limits.get(OTHERS))

    def _lane(self, domain: str, now: datetime) -> _Lane | None:
        lane = self._lanes.get(domain)
        if lane is None:
            limit = self._limit(domain)
            if limit is None:
                return None
            lane = self._open(domain, limit, limit, now)
        return lane

    def _open(self, domain: str, limit: float | None, rate: float, now: datetime) -> _Lane:
        lane = self._lanes[domain] = _Lane(limit, rate, now.astimezone(UTC))
        if len(self._lanes) > MOST_LANES:
            self._lanes.popitem(last=False)
        return lane

    def _slow(self, domain: str, now: datetime) -> None:
        lane = self._lanes.get(domain)
        if lane is None:
            limit = self._limit(domain)
            lane = self._open(domain, limit, min(limit or 2 * START, 2 * START), now)
        if lane.slowed_at is not None and now - lane.slowed_at < SAME_TIME:
            return
        lane.rate = max(lane.rate / 2, LEAST)
        lane.slowed_at = now
        lane.free_at = now + REST

    def _ease(self, domain: str) -> None:
        lane = self._lanes[domain]
        if lane.slowed_at is None:
            return
        lane.rate *= GROWTH
        if lane.rate < (lane.limit or FULL):
            return
        if lane.limit is None:
            del self._lanes[domain]
        else:
            lane.rate, lane.slowed_at = lane.limit, None
