"""Who may enter: the proof by password, and what is done about guesses."""

from libs.common.clock import Clock
from libs.common.http.problems import UNAUTHENTICATED, Problem
from libs.common.mongo.client import Document
from services.identity.domain.lockout import rest_after
from services.identity.passwords import Passwords
from services.identity.store import IdentityStore

_WRONG = "the ID or e-mail address and the password do not go together, or the account rests after wrong tries"


class Access:
    """Finds out whether somebody is who they say."""

    def __init__(self, store: IdentityStore, passwords: Passwords, clock: Clock) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock

    async def prove(self, program: str, login: str, password: str) -> Document:
        """The account that a login opens. Raises the problem `unauthenticated`, in the same words for every cause."""
        accounts = await self._store.by_login(program, login)
        if not accounts:
            await self._passwords.matches(None, password)
        for account in accounts:
            if await self._opens(account, password):
                return account
        raise Problem(UNAUTHENTICATED, _WRONG)

    async def prove_again(self, program: str, candidate_id: str, password: str) -> Document:
        """The account, where the password is its own. Raises the problem `unauthenticated`."""
        account = await self._store.candidate(program, candidate_id)
        if account is None or not await self._opens(account, password):
            raise Problem(UNAUTHENTICATED, _WRONG)
        return account

    async def _opens(self, account: Document, password: str) -> bool:
        if not await self._admits(account):
            await self._passwords.matches(None, password)
            return False
        right = await self._passwords.matches(account["password"], password)
        if right:
            await self._store.forget_tries(account["_id"])
            await self._renew_hash(account, password)
        return right

    async def _renew_hash(self, account: Document, password: str) -> None:
        stored = account["password"]
        if self._passwords.is_outdated(stored):
            await self._store.rehash(account["_id"], old=stored, new=await self._passwords.hash(password))

    async def _admits(self, account: Document) -> bool:
        """Count a try and say whether its password may be looked at.

        Every try counts as wrong until it has proved right, or many at the same moment would all be looked at
        before the first of them was counted.
        """
        now = self._clock.now()
        known: Document | None = account
        while known is not None and not (known["locked_until"] and known["locked_until"] > now):
            rest = rest_after(known["failures"] + 1)
            if await self._store.count_try(known, locked_until=now + rest if rest else None):
                return True
            known = await self._store.candidate(account["program"], account["_id"])
        return False
