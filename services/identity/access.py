"""Who may enter: activation by single-use link, login by password, clients by secret."""

import hmac
from collections.abc import Mapping
from datetime import timedelta

from joserfc.jwk import Key

from libs.common.clock import Clock
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import UNAUTHENTICATED, Problem, ProblemType
from libs.common.http.scopes import CANDIDATE, OPERATOR
from libs.common.http.tokens import sign
from libs.common.ids import new_id
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.identity.domain.lockout import rest_after
from services.identity.passwords import Passwords
from services.identity.store import IdentityStore

TOKEN_LASTS = timedelta(minutes=15)
OPERATOR_CLIENT = "operator"

LINK_INVALID = ProblemType("link-invalid", "The link is unknown, was used before, or is too old", 410)

_WRONG = "the ID or e-mail address and the password do not go together, or the account rests after wrong tries"


class Access:
    """Issues access tokens to whoever proves to be someone."""

    def __init__(
        self,
        store: IdentityStore,
        unit_of_work: UnitOfWork,
        keys: list[Key],
        *,
        issuer: str,
        operator_secret: str | None,
        programs: Mapping[str, Program],
        clock: Clock,
    ) -> None:
        self._store = store
        self._unit_of_work = unit_of_work
        self._keys = keys
        self._issuer = issuer
        self._operator_secret = operator_secret
        self._programs = programs
        self._clock = clock
        self._passwords = Passwords()

    def public_keys(self) -> list[dict[str, object]]:
        """The keys that verify our tokens, as members of a JWK set (RFC 7517)."""
        return [{**key.as_dict(private=False), "use": "sig"} for key in self._keys]

    def client_token(self, client_id: str, secret: str) -> str:
        """A token for a system. Raises the problem `unauthenticated`."""
        expected = self._operator_secret
        known = client_id == OPERATOR_CLIENT and expected is not None
        if not hmac.compare_digest(secret.encode(), (expected or "").encode()) or not known:
            raise Problem(UNAUTHENTICATED, "unknown client or wrong secret")
        return self._sign(
            Principal(f"client:{client_id}", Kind.SYSTEM, programs=frozenset(self._programs), scopes=OPERATOR)
        )

    async def candidate_token(self, program: str, login: str, password: str) -> str:
        """A token for a candidate. Raises the problem `unauthenticated`, in the same words for every cause."""
        accounts = await self._store.by_login(program, login)
        if not accounts:
            await self._passwords.matches(None, password)
        for account in accounts:
            if await self._opens(account, password):
                # The ID of an account that was merged opens the one that goes on.
                opened = account.get("merged_into") or account["_id"]
                principal = Principal(
                    f"candidate:{opened}",
                    Kind.CANDIDATE,
                    programs=frozenset({program}),
                    scopes=CANDIDATE,
                    candidate_id=opened,
                )
                return self._sign(principal)
        raise Problem(UNAUTHENTICATED, _WRONG)

    async def _opens(self, account: Document, password: str) -> bool:
        if not await self._admits(account):
            await self._passwords.matches(None, password)
            return False
        right = await self._passwords.matches(account["password"], password)
        if right:
            await self._store.forget_tries(account["_id"])
        return right

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

    async def activate(self, token: str, password: str) -> None:
        """Set the password of the account that a single-use link belongs to. Raises the problem `link-invalid`."""
        password_hash = await self._passwords.hash(password)

        async def work(transaction: Transaction) -> bool:
            link = await self._store.use_link(transaction.session, token, transaction.now)
            if link is None:
                return False
            await self._store.set_password(transaction.session, link["candidate_id"], password_hash, transaction.now)
            return True

        if not await self._unit_of_work.run(work):
            raise Problem(LINK_INVALID)

    def _sign(self, principal: Principal) -> str:
        return sign(
            principal,
            self._keys[0],
            issuer=self._issuer,
            token_id=new_id(),
            now=self._clock.now(),
            lifetime=TOKEN_LASTS,
        )
