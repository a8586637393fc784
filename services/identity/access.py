"""Who may enter: the proof by password, and what is done about guesses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from libs.common.clock import Clock
from libs.common.http.problems import UNAUTHENTICATED, Problem
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.identity.login.even_refusals import EvenRefusals
from services.identity.login.local_passwords import require_local_passwords
from services.identity.login.problems import SECOND_FACTOR_NEEDED
from services.identity.login.second_factor import SecondFactors
from services.identity.login.sessions import PASSWORD, SECOND_FACTOR
from services.identity.login.tries import admitted, knows_password
from services.identity.passwords import Passwords
from services.identity.store import IdentityStore

_WRONG = "the ID or e-mail address and the password do not go together, or the account rests after wrong tries"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Proof:
    """Whose account was opened, and how: the `acr` of the tokens that follow."""

    account: Document
    acr: str


class Access:
    """Finds out whether somebody is who they say."""

    def __init__(
        self,
        store: IdentityStore,
        passwords: Passwords,
        factors: SecondFactors,
        programs: Mapping[str, Program],
        clock: Clock,
        *,
        even_refusals: EvenRefusals,
    ) -> None:
        self._even_refusals = even_refusals
        self._store = store
        self._passwords = passwords
        self._factors = factors
        self._programs = programs
        self._clock = clock

    async def prove(self, program: str, login: str, password: str, code: str | None = None) -> Proof:
        """What a login proves.

        Raises the problem `unauthenticated`, in the same words for every cause, and `second-factor-needed` to whoever
        knows the password of an account that asks for a code as well; and `local-passwords-off`.
        """
        require_local_passwords(self._programs, program)
        # An address that several accounts share takes a hash for each of them.
        async with self._even_refusals():
            return await self._proved(program, login, password, code)

    async def _proved(self, program: str, login: str, password: str, code: str | None) -> Proof:
        accounts = await self._store.by_login(program, login)
        if not accounts:
            await self._passwords.matches(None, password)
        for account in accounts:
            acr = await self._opened(account, password, code)
            if acr:
                standing = await self._store.standing(program, account["_id"])
                if standing is None:
                    raise LookupError("an account that was just opened is gone")
                return Proof(standing, acr)
        raise _refused(program, (account["_id"] for account in accounts))

    async def prove_again(self, program: str, candidate_id: str, *, password: str | None, code: str | None) -> Proof:
        """What the owner of a session proves once more: by a code where the account asks for them, else by password.

        Raises the problems `unauthenticated`, `second-factor-needed` and `local-passwords-off`.
        """
        if password is not None:
            require_local_passwords(self._programs, program)
        account = await self._store.candidate(program, candidate_id)
        if account is None:
            raise _refused(program, ())
        if await self._factors.of(_stands_for(account)) is None:
            acr = None if password is None else await self._opened(account, password, None)
        elif code is None:
            raise Problem(SECOND_FACTOR_NEEDED)
        else:
            acr = await self._passed(account, code) if await self._admits(account) else None
        if acr is None:
            raise _refused(program, (account["_id"],))
        return Proof(account, acr)

    async def _opened(self, account: Document, password: str, code: str | None) -> str | None:
        """How the account was opened; None where it was not."""
        if not await knows_password(self._store, self._passwords, account, password, self._clock.now()):
            return None
        if await self._factors.of(_stands_for(account)) is not None:
            # The try stays counted until the code is right too, or a known password would buy any number of codes.
            if code is None:
                raise Problem(SECOND_FACTOR_NEEDED)
            return await self._passed(account, code)
        await self._store.forget_tries(account["_id"])
        return PASSWORD

    async def _passed(self, account: Document, code: str) -> str | None:
        if not await self._factors.passes(_stands_for(account), code):
            return None
        await self._store.forget_tries(account["_id"])
        return SECOND_FACTOR

    async def _admits(self, account: Document) -> bool:
        return await admitted(self._store, account, self._clock.now())


def _refused(program: str, candidate_ids: Iterable[str]) -> Problem:
    """The problem of a proof that is none. The log says whose account was tried, and not what was typed for it."""
    for candidate_id in tuple(candidate_ids) or (None,):
        log.warning("sign_in_refused", program=program, candidate_id=candidate_id)
    return Problem(UNAUTHENTICATED, _WRONG)


def _stands_for(account: Document) -> str:
    """Whose second factor is asked for: a merged account opens the other one, so it needs the other one's."""
    into: str | None = account.get("merged_into")
    return into or str(account["_id"])
