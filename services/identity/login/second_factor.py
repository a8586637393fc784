"""The second factor: a code from an authenticator app, or one of ten recovery codes for the day the phone is gone."""

import secrets
from base64 import b32encode
from dataclasses import dataclass

from libs.common.clock import Clock
from libs.common.events import identity
from libs.common.http.principal import Principal
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, invalid
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.versions import next_version
from services.identity.domain.one_time_codes import DIGITS, SECRET_BYTES, enrolment_uri, step_of
from services.identity.login.second_factor_store import SecondFactorStore
from services.identity.login.sessions import Sessions, candidate_of
from services.identity.store import token_key

RECOVERY_CODES = 10
_RECOVERY_BYTES = 15
"""120 bits, 24 letters: with 112 and more a plain hash is enough (NIST SP 800-63B, look-up secrets)."""

_FIELD = "body.code"


@dataclass(frozen=True, slots=True)
class Shown:
    """A new secret that its app was shown to have, by the code of a time step, and recovery codes for it."""

    secret: bytes
    step: int
    recovery_codes: list[str]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs; shown once."""

    secret: str
    uri: str


class SecondFactors:
    """Enrols, checks and removes second factors."""

    def __init__(self, store: SecondFactorStore, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._store = store
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def of(self, candidate_id: str) -> Document | None:
        """The second factor that logins of the account ask for; None where they ask for none."""
        row = await self._store.find(candidate_id)
        return row if row is not None and "secret" in row else None

    async def fresh(self, sessions: Sessions, principal: Principal) -> Document:
        """The caller's session, for a change that asks for a recent proof: with a code where the account has codes.

        Raises the problems `forbidden`, `unauthenticated` and `step-up-needed`.
        """
        on = await self.of(candidate_of(principal)) is not None
        return await sessions.require_fresh(principal, second_factor=on)

    async def begin(self, holder_id: str, issuer: str, label: str | None = None) -> Enrolment:
        """Make a secret. It comes into force once a code shows that the app has it.

        Args:
            holder_id: whose it is.
            issuer: whom the app names for it.
            label: what the app calls the account; its id unless given.
        """
        secret = secrets.token_bytes(SECRET_BYTES)
        await self._store.begin(holder_id, secret)
        return Enrolment(b32encode(secret).decode(), enrolment_uri(secret, issuer, label or holder_id))

    async def confirm(self, session: Document, code: str) -> list[str]:
        """Put the new secret into force, and return its recovery codes.

        Raises the problems `conflict` where nothing was begun, and `invalid-request` for a wrong code.
        """
        candidate_id = session["candidate_id"]
        shown = await self.shown(candidate_id, code)

        async def work(transaction: Transaction) -> None:
            await self.put_in_force(transaction, candidate_id, shown)
            _tell(transaction, session, "on")

        await self._unit_of_work.run(work)
        return shown.recovery_codes

    async def shown(self, holder_id: str, code: str) -> Shown:
        """The secret that an enrolment has begun with, where the code is what the app shows of it.

        Raises as `confirm`.
        """
        row = await self._store.find(holder_id)
        if row is None or "pending" not in row:
            raise Problem(CONFLICT, "begin an enrolment first")
        step = step_of(row["pending"], code, self._clock.now().timestamp())
        if step is None:
            raise invalid(_FIELD, "code_wrong", "is not the code that the app shows now")
        return Shown(row["pending"], step, _recovery_codes())

    async def put_in_force(self, transaction: Transaction, holder_id: str, shown: Shown) -> None:
        """Let logins ask for codes of this secret. Raises the problem `conflict` where another has been begun."""
        if not await self._store.confirm(
            transaction.session,
            holder_id,
            pending=shown.secret,
            step=shown.step,
            recovery=[token_key(each) for each in shown.recovery_codes],
            now=transaction.now,
        ):
            raise Problem(CONFLICT, "another enrolment was begun meanwhile")

    async def forget(self, transaction: Transaction, holder_id: str) -> None:
        """Let nothing of a second factor be left, in force or begun."""
        await self._store.remove(transaction.session, holder_id)

    async def passes(self, candidate_id: str, code: str) -> bool:
        """Whether a code is right, which uses it up."""
        row = await self.of(candidate_id)
        if row is None:
            return False
        typed = code.replace(" ", "").replace("-", "").upper()
        if len(typed) != DIGITS:
            return await self._store.use_recovery(candidate_id, token_key(typed))
        step = step_of(row["secret"], typed, self._clock.now().timestamp())
        return step is not None and await self._store.use_step(candidate_id, row["secret"], step)

    async def renew_recovery_codes(self, candidate_id: str) -> list[str]:
        """New recovery codes; the old ones end. Raises the problem `not-found` without a second factor."""
        codes = _recovery_codes()
        if not await self._store.set_recovery(candidate_id, [token_key(each) for each in codes]):
            raise Problem(NOT_FOUND)
        return codes

    async def remove(self, session: Document) -> None:
        """Ask for no second factor any more. Raises the problem `not-found` without one."""

        async def work(transaction: Transaction) -> bool:
            removed = await self._store.remove(transaction.session, session["candidate_id"])
            if removed:
                _tell(transaction, session, "off")
            return removed

        if not await self._unit_of_work.run(work):
            raise Problem(NOT_FOUND)


def _recovery_codes() -> list[str]:
    return [b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]


def _tell(transaction: Transaction, session: Document, state: str) -> None:
    event = identity.SecondFactorChanged(candidate_id=session["candidate_id"], state=state, changed_at=transaction.now)
    version = next_version(None, transaction.now)
    transaction.emit(event, program=session["program"], subject=session["candidate_id"], version=version)
