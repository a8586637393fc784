"""A new password: by a single-use link, or by whoever is logged in and has just proved it."""

from libs.common.clock import Clock
from libs.common.events import identity
from libs.common.http.problems import Problem
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.versions import next_version
from services.identity.login.password_policy import PasswordPolicy
from services.identity.login.problems import LINK_INVALID
from services.identity.login.session_store import SessionStore
from services.identity.passwords import Passwords
from services.identity.store import IdentityStore


class PasswordChanges:
    """Sets passwords. With each, all links and all other sessions of the account end."""

    def __init__(
        self,
        store: IdentityStore,
        sessions: SessionStore,
        unit_of_work: UnitOfWork,
        *,
        passwords: Passwords,
        policy: PasswordPolicy,
        clock: Clock,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._store = store
        self._sessions = sessions
        self._unit_of_work = unit_of_work
        self._passwords = passwords

    async def by_link(self, token: str, password: str) -> None:
        """Set the password of the account that a single-use link belongs to.

        Raises the problem `link-invalid`, and `invalid-request` for a weak password, which leaves the link as it is.
        """
        known = await self._store.link(token, self._clock.now())
        if known is None:
            raise Problem(LINK_INVALID)
        password_hash = await self._hash(known["candidate_id"], password)

        async def work(transaction: Transaction) -> bool:
            link = await self._store.use_link(transaction.session, token, transaction.now)
            if link is None:
                return False
            await self._set(transaction, link["candidate_id"], password_hash, kept=None)
            return True

        if not await self._unit_of_work.run(work):
            raise Problem(LINK_INVALID)

    async def in_session(self, session: Document, password: str) -> None:
        """Set the password of the account that somebody is logged in to; all their other logins end.

        Raises the problem `invalid-request` for a weak password.
        """
        password_hash = await self._hash(session["candidate_id"], password)

        async def work(transaction: Transaction) -> None:
            await self._set(transaction, session["candidate_id"], password_hash, kept=session["_id"])

        await self._unit_of_work.run(work)

    async def _hash(self, candidate_id: str, password: str) -> str:
        account = await self._store.account(candidate_id)
        if account is None:
            raise Problem(LINK_INVALID)
        self._policy.check(password, account)
        return await self._passwords.hash(password)

    async def _set(self, transaction: Transaction, candidate_id: str, password_hash: str, *, kept: str | None) -> None:
        before = await self._store.set_password(transaction.session, candidate_id, password_hash, transaction.now)
        await self._sessions.end_all(transaction.session, candidate_id, but=kept)
        if before is not None and before["password"] is not None:
            transaction.emit(
                identity.PasswordChanged(candidate_id=candidate_id, changed_at=transaction.now),
                program=before["program"],
                subject=candidate_id,
                version=next_version(None, transaction.now),
            )
