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
    """Not now: the server said so, or the connection failed."""

    at: datetime
    reason: str
    doubtful: bool = False
    """Whether the server may have taken the mail all the same: it had its text, and its answer never came."""
    too_fast: bool = False
    """Whether the server wants less at a time."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """The mail is not sent, because it must not or need not be any more."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Paced:
    """The mail was not tried: its turn comes later, so that its domain gets no more at a time than it may."""

    at: datetime
    due_at: datetime


Verdict = Accepted | Refused | Deferred | Withheld | Paced

_PERMANENT = 500
_TOO_FAST = frozenset({421, 450, 451})
_MAILBOX = "4.2."
"""A fault of one mailbox (RFC 3463, 3.3), such as one that is full: that says nothing of the domain."""


def verdict_on(code: int, text: str, at: datetime) -> Refused | Deferred:
    """What a reply other than acceptance means.

    Of its text only the enhanced status code (RFC 3463) is kept: the rest often repeats the address.
    """
    enhanced = _ENHANCED.search(text)
    reason = f"{code} {enhanced[0]}" if enhanced else str(code)
    if code >= _PERMANENT:
        return Refused(at, reason)
    too_fast = code in _TOO_FAST and not (enhanced and enhanced[0].startswith(_MAILBOX))
    return Deferred(at, reason, too_fast=too_fast)


@dataclass(frozen=True, slots=True)
class Postponed:
    """The mail is to be tried again."""

    due_at: datetime
    reason: str
    doubtful: bool = False
    """As of the deferral."""


Outcome = Accepted | Refused | Postponed | Withheld | Paced


def consequence(verdict: Verdict, *, attempts: int, created_at: datetime, now: datetime) -> Outcome:
    """What a verdict on a mail's `attempts`-th try leads to: a deferral to another try, until there were enough."""
    if not isinstance(verdict, Deferred):
        return verdict
    if now - created_at >= GIVE_UP_AFTER:
        return Refused(verdict.at, f"given up: {verdict.reason}")
    pause = _FIRST_PAUSES[attempts - 1] if attempts <= len(_FIRST_PAUSES) else _LATER_PAUSE
    return Postponed(now + pause, verdict.reason, verdict.doubtful)
