"""Which key of an issuer is good for what at a moment: it follows from when each was published and is to sign.

So no step has to be taken on time, and replicas that read the same keys agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

State = Literal["next", "active", "retired", "compromised"]

CACHED: Final = timedelta(minutes=5)
"""How long verifiers may keep a DID document or a key set."""

LEAD: Final = 3 * CACHED
"""A key is published so long before it signs: above what verifiers keep and what replicas know, with clocks that
differ."""

KEPT: Final = timedelta(hours=1)
"""How long after its successor began a key's private part is kept: replicas whose clocks are slow sign with it."""


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """The moments of a key."""

    kid: str
    published_at: datetime
    signs_from: datetime
    compromised_at: datetime | None


def active(keys: Iterable[KeyTimes], now: datetime) -> KeyTimes | None:
    """The key that signs: of those whose time has come and that nobody else may have, the one that came last."""
    due = [key for key in keys if key.compromised_at is None and key.signs_from <= now]
    return max(due, key=_order, default=None)


def following(keys: Iterable[KeyTimes], now: datetime) -> KeyTimes | None:
    """The key that is to sign next."""
    coming = [key for key in keys if key.compromised_at is None and key.signs_from > now]
    return min(coming, key=_order, default=None)


def state(key: KeyTimes, keys: Iterable[KeyTimes], now: datetime) -> State:
    if key.compromised_at is not None:
        return "compromised"
    if key.signs_from > now:
        return "next"
    return "active" if active(keys, now) == key else "retired"


def signs_no_more(key: KeyTimes, keys: Iterable[KeyTimes], now: datetime) -> bool:
    """Whether a key's private part is of no use any more."""
    current = active(keys, now)
    later = current is not None and _order(current) > _order(key) and current.signs_from + KEPT <= now
    return key.compromised_at is not None or later


def is_old(keys: Iterable[KeyTimes], life: timedelta, now: datetime) -> bool:
    """Whether it is time to publish the key that follows the active one."""
    keys = list(keys)
    current = active(keys, now)
    return current is not None and following(keys, now) is None and current.signs_from + life - LEAD <= now


def _order(key: KeyTimes) -> tuple[datetime, str]:
    return key.signs_from, key.kid
