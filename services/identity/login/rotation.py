"""Sessions that refresh tokens keep going: each token works once and gives its successor."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.common.http.problems import UNAUTHENTICATED, Problem
from libs.common.ids import new_id, new_secret
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.identity.login.session_store import SessionStore

STALE = "the session has ended: log in again"

GoesOn = Callable[[Transaction, Document], Awaitable[bool]]
Reused = Callable[[Transaction, Document], None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A session and the token that refreshes it next."""

    session: Document
    refresh_token: str


class Rotation:
    """Opens and refreshes sessions.

    Args:
        store: where sessions and tokens lie.
        unit_of_work: runs changes.
        idle: a session that is not refreshed for so long has ended.
        longest: a session ends then, used or not.
    """

    def __init__(self, store: SessionStore, unit_of_work: UnitOfWork, *, idle: timedelta, longest: timedelta) -> None:
        self._store = store
        self._unit_of_work = unit_of_work
        self._idle = idle
        self._longest = longest

    async def open(self, holder: Document, *, authenticated_at: datetime | None = None) -> Opened:
        """A session of whoever has proved who they are, just now unless another moment is given.

        `holder` is what the session says of them.
        """
        token, session_id = new_secret(), new_id()

        async def work(transaction: Transaction) -> Document:
            now = transaction.now
            times = {"created_at": now, "used_at": now, "expires_at": now + self._idle}
            row = {"_id": session_id, **holder, "authenticated_at": authenticated_at or now, **times}
            await self._store.add(transaction.session, row)
            await self._store.add_token(transaction.session, token, session_id, now + self._idle)
            return row

        return Opened(await self._unit_of_work.run(work), token)

    async def refresh(self, token: str, *, reused: Reused, goes_on: GoesOn | None = None) -> Opened:
        """Take a refresh token and give the next. One that comes again ends its session: somebody copied it.

        Args:
            token: as it was sent.
            reused: called with the session that a copy has ended.
            goes_on: whether the session's holder may still have it; one that may not ends.

        Raises the problem `unauthenticated` for any token but the last one of a session that goes on.
        """
        following = new_secret()

        async def work(transaction: Transaction) -> Document | None:
            found = await self._store.use_token(transaction.session, token, transaction.now)
            if found is None:
                return None
            if found["used_at"] is not None:
                ended = await self._store.end_by_id(transaction.session, found["session_id"])
                if ended is not None:
                    reused(transaction, ended)
                return None
            return await self._go_on(transaction, found["session_id"], following, goes_on)

        session = await self._unit_of_work.run(work)
        if session is None:
            raise Problem(UNAUTHENTICATED, STALE)
        return Opened(session, following)

    async def _go_on(
        self, transaction: Transaction, session_id: str, following: str, goes_on: GoesOn | None
    ) -> Document | None:
        row = await self._store.use(
            transaction.session, session_id, transaction.now, idle=self._idle, longest=self._longest
        )
        if row is None:
            return None
        if goes_on is not None and not await goes_on(transaction, row):
            await self._store.end_by_id(transaction.session, session_id)
            return None
        await self._store.add_token(transaction.session, following, session_id, row["expires_at"])
        return row
