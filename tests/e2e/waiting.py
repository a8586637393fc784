"""Waiting for what is bound to come: deadlines far longer than it takes, so that a slow machine fails no test."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

PATIENCE_SECONDS = 20.0
READY_SECONDS = 180.0
"""Sixteen processes that begin at once take a minute on two cores that have something else to do as well."""

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], *, seconds: float = PATIENCE_SECONDS
) -> T:
    """Look again and again until what is seen is what is wanted, and return it.

    Raises:
        TimeoutError: it did not come; the message says what was seen last.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not wanted(seen := await look()):
        if loop.time() > deadline:
            raise TimeoutError(f"after {seconds:.0f} s still: {seen!r:.500}")
        await asyncio.sleep(0.05)
    return seen
