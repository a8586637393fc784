"""Which signing key is good for what at a moment: all of it follows from when each was published and is to sign.

So no step has to be taken on time, and replicas that read the same keys agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

LEAD = timedelta(minutes=20)
"""A key is published so long before it signs: services look for new keys every ten minutes."""

KEPT = timedelta(minutes=20)
"""A key is published so long after its successor signs: above the fifteen minutes of an access token, with what
services allow for clocks that differ."""


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """The two moments of a key."""

    kid: str
    published_at: datetime
    signs_from: datetime


def signing(keys: Iterable[KeyTimes], now: datetime) -> KeyTimes | None:
    """The key that signs: of those whose time has come, the one whose time came last."""
    return max((key for key in keys if key.signs_from <= now), key=_order, default=None)


def retires_at(key: KeyTimes, keys: Iterable[KeyTimes]) -> datetime | None:
    """When a key is not published any more; None where nothing is to follow it."""
    successor = min((other for other in keys if _order(other) > _order(key)), key=_order, default=None)
    return successor.signs_from + KEPT if successor else None


def is_published(key: KeyTimes, keys: Iterable[KeyTimes], now: datetime) -> bool:
    """Whether a key verifies."""
    end = retires_at(key, keys)
    return end is None or now < end


def state(key: KeyTimes, keys: Iterable[KeyTimes], now: datetime) -> str:
    """Where in its life a published key is: `next`, `current` or `retired`."""
    if key.signs_from > now:
        return "next"
    return "current" if signing(keys, now) == key else "retired"


def _order(key: KeyTimes) -> tuple[datetime, str]:
    return key.signs_from, key.kid
