"""What a mail server may say to a mail, and when to ask it again."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_FIRST_PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
)
_LATER_PAUSE = timedelta(hours=2)

GIVE_UP_AFTER = timedelta(days=5)
"""RFC 5321, 4.5.4.1: a sender keeps trying for four to five days."""

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server has taken responsibility for the mail."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The server will never take this mail."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now: the server said so, or the connection failed, and then it may even have taken the mail."""

    at: datetime
    reason: str


Verdict = Accepted | Refused | Deferred

_PERMANENT = 500


def verdict_on(code: int, text: str, at: datetime) -> Refused | Deferred:
    """What a reply other than acceptance means.

    Of its text only the enhanced status code (RFC 3463) is kept: the rest often repeats the address.
    """
    enhanced = _ENHANCED.search(text)
    reason = f"{code} {enhanced[0]}" if enhanced else str(code)
    return Refused(at, reason) if code >= _PERMANENT else Deferred(at, reason)


@dataclass(frozen=True, slots=True)
class Postponed:
    """The mail is to be tried again."""

    due_at: datetime
    reason: str


def consequence(
    verdict: Verdict, *, attempts: int, created_at: datetime, now: datetime
) -> Accepted | Refused | Postponed:
    """What a verdict on a mail's `attempts`-th try leads to: a deferral to another try, until there were enough."""
    if not isinstance(verdict, Deferred):
        return verdict
    if now - created_at >= GIVE_UP_AFTER:
        return Refused(verdict.at, f"given up: {verdict.reason}")
    pause = _FIRST_PAUSES[attempts - 1] if attempts <= len(_FIRST_PAUSES) else _LATER_PAUSE
    return Postponed(now + pause, verdict.reason)
