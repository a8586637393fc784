"""Refused logins whose time tells nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic

from libs.common.http.problems import UNAUTHENTICATED, Problem
from services.identity.domain.even_time import until_even

Wait = Callable[[float], Awaitable[None]]


class EvenRefusals:
    """Lets refusals leave at even moments only.

    Args:
        timer: seconds, from wherever.
        wait: lets so many of them pass.
    """

    def __init__(self, timer: Callable[[], float] = monotonic, wait: Wait = asyncio.sleep) -> None:
        self._timer = timer
        self._wait = wait

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        """Around all that looks for an account and proves it: the problem `unauthenticated` waits, nothing else."""
        began = self._timer()
        try:
            yield
        except Problem as problem:
            if problem.kind is UNAUTHENTICATED:
                await self._wait(until_even(self._timer() - began))
            raise
