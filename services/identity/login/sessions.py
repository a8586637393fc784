"""Sessions: opened by a proof of who somebody is, kept going by refresh tokens that work once each."""

from datetime import datetime, timedelta

import structlog

from libs.common.clock import Clock
from libs.common.events import identity
from libs.common.http.principal import Principal
from libs.common.http.problems import FORBIDDEN, NOT_FOUND, UNAUTHENTICATED, Problem
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.versions import next_version
from services.identity.domain.user_agents import family
from services.identity.login.problems import STEP_UP_NEEDED
from services.identity.login.rotation import STALE, Opened, Rotation
from services.identity.login.session_store import SessionStore

IDLE = timedelta(days=30)
"""A session that is not refreshed for so long has ended."""

LONGEST = timedelta(days=180)
"""A session ends then, used or not."""

FRESH = timedelta(minutes=5)
"""How old the proof may be that a sensitive change asks for (RFC 9470)."""

PASSWORD = "password"  # noqa: S105 the name of a kind of proof
SECOND_FACTOR = "second-factor"

log = structlog.get_logger(__name__)


class Sessions:
    """Opens, refreshes, lists and ends sessions."""

    def __init__(self, store: SessionStore, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._rotation = Rotation(store, unit_of_work, idle=IDLE, longest=LONGEST)
        self._store = store
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def open(
        self, account: Document, acr: str, user_agent: str, *, authenticated_at: datetime | None = None
    ) -> Opened:
        """A session for whoever has proved to be the account's owner, just now unless another moment is given."""
        holder = {
            "candidate_id": account["_id"],
            "program": account["program"],
            "acr": acr,
            "user_agent": family(user_agent),
        }
        opened = await self._rotation.open(holder, authenticated_at=authenticated_at)
        log.info("signed_in", program=account["program"], candidate_id=account["_id"], detail=acr)
        return opened

    async def refresh(self, token: str) -> Opened:
        """Take a refresh token and give the next; see `Rotation.refresh`. A copy is told to the session's owner."""
        return await self._rotation.refresh(token, reused=_tell_reuse)

    async def of(self, principal: Principal) -> list[Document]:
        """The caller's sessions, the last used first. Raises the problem `forbidden` for anybody but candidates."""
        return await self._store.of(candidate_of(principal), self._clock.now())

    async def end(self, principal: Principal, session_id: str) -> None:
        """End one of the caller's sessions. Raises the problem `not-found`."""
        candidate_id = candidate_of(principal)
        if not await self._unit_of_work.run(
            lambda transaction: self._store.end(transaction.session, candidate_id, session_id)
        ):
            raise Problem(NOT_FOUND)

    async def end_all(self, principal: Principal) -> None:
        """End all of the caller's sessions, this one too."""
        await self.end_all_of(candidate_of(principal))

    async def end_all_of(self, candidate_id: str) -> None:
        """End every session of an account."""
        await self._unit_of_work.run(lambda transaction: self._store.end_all(transaction.session, candidate_id))

    async def current(self, principal: Principal) -> Document:
        """The session of the caller's token, which may have ended before the token does.

        Raises the problems `forbidden` and `unauthenticated`.
        """
        candidate_id = candidate_of(principal)
        found = await self._store.find(candidate_id, principal.session_id or "", self._clock.now())
        if found is None:
            raise Problem(UNAUTHENTICATED, STALE)
        return found

    async def step_up(self, session: Document, acr: str) -> Document:
        """Note that the session's owner has just proved again who they are."""

        async def work(transaction: Transaction) -> Document | None:
            change = {"authenticated_at": transaction.now, "acr": acr}
            return await self._store.change(transaction.session, session["_id"], change)

        row = await self._unit_of_work.run(work)
        if row is None:
            raise Problem(UNAUTHENTICATED, STALE)
        log.info("proved_again", program=row["program"], candidate_id=row["candidate_id"], detail=acr)
        return row

    async def require_fresh(self, principal: Principal, *, second_factor: bool) -> Document:
        """The caller's session, for a change that asks for a proof from the last minutes.

        Raises the problem `step-up-needed` where the proof that the token names is too old, or was by password alone
        though there is a second factor.
        """
        session = await self.current(principal)
        proved, now = principal.authenticated_at, self._clock.now()
        if proved is None or proved < now - FRESH or (second_factor and principal.acr != SECOND_FACTOR):
            raise _step_up(second_factor)
        return session


def _tell_reuse(transaction: Transaction, row: Document) -> None:
    event = identity.SessionsRevoked(candidate_id=row["candidate_id"], reason="reuse", revoked_at=transaction.now)
    version = next_version(None, transaction.now)
    transaction.emit(event, program=row["program"], subject=row["candidate_id"], version=version)
    transaction.on_commit(
        lambda: log.warning("session_copied", program=row["program"], candidate_id=row["candidate_id"])
    )


def candidate_of(principal: Principal) -> str:
    """The candidate that the caller is. Raises the problem `forbidden`."""
    if principal.candidate_id is None:
        raise Problem(FORBIDDEN, "this is for candidates themselves")
    return principal.candidate_id


def _step_up(second_factor: bool) -> Problem:
    acr = f', acr_values="{SECOND_FACTOR}"' if second_factor else ""
    challenge = f'Bearer error="insufficient_user_authentication", max_age={int(FRESH.total_seconds())}{acr}'
    return Problem(STEP_UP_NEEDED, "prove who you are at /step-up first", headers={"WWW-Authenticate": challenge})


def is_current(session: Document, principal: Principal) -> bool:
    """Whether the session is the one that the caller's token belongs to."""
    return bool(session["_id"] == principal.session_id)
