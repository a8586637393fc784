"""What every public page of transcripts and codes has around it: a limit by address, and refusals as pages."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from aiohttp import hdrs
from pymongo.errors import PyMongoError

from libs.common.errors import Unavailable
from libs.common.http.documents import Document
from libs.common.http.problems import GONE, TOO_MANY_REQUESTS, UNAVAILABLE, Problem
from libs.common.http.routes import Call, Reply
from services.certs.pages import messages
from services.certs.pages.frame import refused
from services.certs.public.rates import AddressRates

PATIENCE_SECONDS: Final = 3.0
"""How long a page waits for the database before it says that it cannot tell."""

RETRY_SECONDS: Final = 60

D = TypeVar("D", bound=Document)


class Door:
    """Lets requests for public pages in."""

    def __init__(self, rates: AddressRates) -> None:
        self._rates = rates

    async def answer(
        self,
        call: Call[Any, Any, Any],
        into: type[D],
        work: Callable[[], Awaitable[D]],
        *,
        unknown: Callable[[], bytes],
        cost: int = 1,
    ) -> D | Reply[D]:
        """What `work` answers; its refusals as pages for whoever asks for pages.

        Nothing is ever answered from memory where the database does not say that it still holds.

        Args:
            call: whose it is; its query is a `PageQuery`.
            into: what the route answers with.
            work: finds it.
            unknown: writes the page for what there is not.
            cost: how many requests this one counts for.

        Raises:
            Problem: for whoever does not ask for pages.
        """
        try:
            self._rates.take(call.remote, call.headers, cost=cost)
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await work()
        except (Unavailable, PyMongoError, ConnectionError, TimeoutError):
            problem = Problem(UNAVAILABLE, headers={hdrs.RETRY_AFTER: str(RETRY_SECONDS)})
        except Problem as raised:
            problem = raised
        words = {
            GONE.code: messages.ended,
            TOO_MANY_REQUESTS.code: messages.too_many,
            UNAVAILABLE.code: messages.unavailable,
        }.get(problem.kind.code, unknown)
        return refused(problem, call, words, into)
