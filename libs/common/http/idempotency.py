"""`Idempotency-Key`: a request sent again gets the answer that the first one got, and does nothing twice.

The first request claims its key for as long as a request may last, runs, and leaves its answer under the
key. A repetition gets that answer for 24 hours. An answer of 500 and above is not kept and the key is free
again, and so it is when the process dies: whether the work was committed is then unknown, and the repetition
runs it again. Handlers of such routes take the ids of what they create from `Call.operation_id`, which is
the same in every repetition, so that work already committed is met as a duplicate and not done a second
time.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from libs.common.http.principal import Principal
from libs.common.http.problems import invalid
from libs.common.ids import derived_id

HEADER = "Idempotency-Key"
KEEP = timedelta(hours=24)
LEASE = timedelta(seconds=30)
"""How long a claim holds without an answer; longer than any request's timeout."""

PATTERN = r"^[\x21-\x7e]{1,128}$"
_KEY = re.compile(PATTERN)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as it was sent."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """The key was free and is now ours, until `LEASE` has passed.

    Attributes:
        token: names this claim; a claim that outlived its lease cannot settle its successor's.
    """

    token: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The request has been handled before."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class InProgress:
    """The same request is being handled."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The key belongs to a different request."""


Outcome = Claimed | Answered | InProgress | Reused


class IdempotencyStore(Protocol):
    """Keeps claims and answers where all replicas of a service see them."""

    async def claim(self, key: str, fingerprint: str) -> Outcome:
        """Take the key, if it is free, in one atomic step."""
        ...

    async def settle(self, key: str, token: str, answer: Answer) -> None:
        """Keep the answer of the claim `token`."""
        ...

    async def release(self, key: str, token: str) -> None:
        """Free the key of the claim `token`."""
        ...


def checked_key(value: str) -> str:
    """The header's value, without the quotes that some clients put around it. Raises `invalid-request`."""
    key = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    if not _KEY.fullmatch(key):
        raise invalid(f"header.{HEADER}", "pattern", "must be 1 to 128 printable ASCII characters")
    return key


def operation_id(principal: Principal, route: str, key: str) -> str:
    """The same id for the same caller, route and key."""
    return derived_id("operation", principal.kind, principal.subject, route, key)


def fingerprint(target: str, body: bytes) -> str:
    """What makes two requests the same: where they go and what they say."""
    digest = hashlib.blake2b(target.encode("utf-8", "surrogateescape"), digest_size=16)
    digest.update(b"\n")
    digest.update(body)
    return digest.hexdigest()
