"""How staff enter: a password and a code, always both, into one program at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from libs.common.clock import Clock
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import CONFLICT, FORBIDDEN, UNAUTHENTICATED, Problem, invalid
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.identity.login.even_refusals import EvenRefusals
from services.identity.login.password_policy import PasswordPolicy
from services.identity.login.problems import LINK_INVALID, SECOND_FACTOR_NEEDED
from services.identity.login.rotation import Rotation
from services.identity.login.second_factor import Enrolment, SecondFactors, Shown
from services.identity.login.session_store import SessionStore
from services.identity.login.sessions import SECOND_FACTOR
from services.identity.login.tries import admitted, knows_password
from services.identity.passwords import Passwords
from services.identity.staff.roles import scopes_of
from services.identity.staff.store import StaffStore

IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=24)
"""The limits of NIST SP 800-63B-4, 2.2.3, for two factors: a session of staff sees everybody's data."""

_ISSUER = "Certrail staff"
_WRONG = "address, password and program do not go together, or the account rests after wrong tries"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entered:
    """Who has entered, and the token that refreshes their session next."""

    principal: Principal
    refresh_token: str


class StaffEntrance:
    """Opens accounts of staff, and proves who somebody is."""

    def __init__(
        self,
        store: StaffStore,
        sessions: SessionStore,
        unit_of_work: UnitOfWork,
        *,
        passwords: Passwords,
        policy: PasswordPolicy,
        factors: SecondFactors,
        clock: Clock,
        even_refusals: EvenRefusals,
    ) -> None:
        self._even_refusals = even_refusals
        self._store = store
        self._sessions = sessions
        self._unit_of_work = unit_of_work
        self._passwords = passwords
        self._policy = policy
        self._factors = factors
        self._clock = clock
        self._rotation = Rotation(sessions, unit_of_work, idle=IDLE, longest=LONGEST)

    async def enrol(self, token: str) -> Enrolment:
        """Begin with an authenticator app, for whoever has a link and no app yet.

        Raises the problems `link-invalid`, and `conflict` where the account has an app.
        """
        account = await self._linked(token)
        if await self._factors.of(account["_id"]) is not None:
            raise Problem(CONFLICT, "the account has an app already: its code is asked for")
        return await self._factors.begin(account["_id"], _ISSUER, account["email"])

    async def activate(self, token: str, password: str, code: str) -> list[str]:
        """Set the password of the account that a link belongs to; all its sessions end.

        A link alone sets nothing: whoever reads a mailbox has no app.

        Returns:
            The recovery codes of an app that is new; none where the account has had its app before.

        Raises:
            Problem: `link-invalid`; `invalid-request` for a weak password or a wrong code; `conflict` where no
                enrolment was begun. All but the first leave the link as it is.
        """
        account = await self._linked(token)
        staff_id = account["_id"]
        self._policy.check(password, {**account, "given_name": account["name"], "family_name": "", "program": ""})
        shown = await self._shown(account, code)
        password_hash = await self._passwords.hash(password)

        async def work(transaction: Transaction) -> None:
            if not await self._store.use_link(transaction.session, token):
                raise Problem(LINK_INVALID)
            await self._store.open_account(transaction.session, staff_id, password_hash, transaction.now)
            await self._sessions.end_where(transaction.session, {"staff_id": staff_id})
            if shown is not None:
                await self._factors.put_in_force(transaction, staff_id, shown)

        await self._unit_of_work.run(work)
        return shown.recovery_codes if shown else []

    async def _linked(self, token: str) -> Document:
        link = await self._store.link(token, self._clock.now())
        account = await self._store.account(link["staff_id"]) if link else None
        if account is None:
            raise Problem(LINK_INVALID)
        return account

    async def _shown(self, account: Document, code: str) -> Shown | None:
        """The new app's secret; None where the code of the app that there is has been given."""
        if await self._factors.of(account["_id"]) is None:
            return await self._factors.shown(account["_id"], code)
        right = await self._admits(account) and await self._factors.passes(account["_id"], code)
        if not right:
            raise invalid("body.code", "code_wrong", "is not the code that the app shows now, or was used before")
        return None

    async def enter(self, program: str, email: str, password: str, code: str | None) -> Entered:
        """A session in one program.

        Raises the problem `unauthenticated`, in the same words for every cause, and `second-factor-needed` to whoever
        knows the password.
        """
        async with self._even_refusals():
            return await self._entered(program, email, password, code)

    async def _entered(self, program: str, email: str, password: str, code: str | None) -> Entered:
        account = await self._store.by_email(email)
        if account is None or not await self._opened(account, password, code):
            if account is None:
                await self._passwords.matches(None, password)
            raise _refused(program, account)
        if program not in account["roles"]:
            raise _refused(program, account)
        holder = {"staff_id": account["_id"], "program": program, "acr": SECOND_FACTOR}
        opened = await self._rotation.open(holder)
        log.info("signed_in", program=program, subject=f"staff:{account['_id']}", detail=SECOND_FACTOR)
        return Entered(_principal(opened.session, account["roles"][program]), opened.refresh_token)

    async def _opened(self, account: Document, password: str, code: str | None) -> bool:
        if not await knows_password(self._store, self._passwords, account, password, self._clock.now()):
            return False
        # The try stays counted until the code is right too, or a known password would buy any number of codes.
        if code is None:
            raise Problem(SECOND_FACTOR_NEEDED)
        if not await self._factors.passes(account["_id"], code):
            return False
        await self._store.forget_tries(account["_id"])
        return True

    async def _admits(self, account: Document) -> bool:
        return await admitted(self._store, account, self._clock.now())

    async def refresh(self, token: str) -> Entered:
        """Go on with a session, with the roles that its holder has now. Raises the problem `unauthenticated`."""
        held: list[str] = []

        async def goes_on(transaction: Transaction, row: Document) -> bool:
            account = await self._store.account(row["staff_id"], transaction.session)
            held[:] = account["roles"].get(row["program"], []) if account else []
            return bool(held)

        opened = await self._rotation.refresh(token, reused=_note_reuse, goes_on=goes_on)
        return Entered(_principal(opened.session, held), opened.refresh_token)

    async def leave(self, principal: Principal) -> None:
        """End all of the caller's sessions, in all programs. Raises the problem `forbidden` for anybody but staff."""
        query = {"staff_id": staff_of(principal)}
        await self._unit_of_work.run(lambda transaction: self._sessions.end_where(transaction.session, query))


def staff_of(principal: Principal) -> str:
    """The account of the caller. Raises the problem `forbidden` for anybody but staff."""
    if principal.kind is not Kind.STAFF:
        raise Problem(FORBIDDEN, "this is for staff themselves")
    return principal.subject.removeprefix("staff:")


def _principal(session: Mapping[str, Any], roles: list[str]) -> Principal:
    return Principal(
        f"staff:{session['staff_id']}",
        Kind.STAFF,
        programs=frozenset({session["program"]}),
        scopes=scopes_of(roles),
        session_id=session["_id"],
        authenticated_at=session["authenticated_at"],
        acr=session["acr"],
    )


def _refused(program: str, account: Document | None) -> Problem:
    log.warning("sign_in_refused", program=program, subject=f"staff:{account['_id']}" if account else "staff")
    return Problem(UNAUTHENTICATED, _WRONG)


def _note_reuse(transaction: Transaction, row: Document) -> None:
    transaction.on_commit(lambda: log.warning("session_copied", subject=f"staff:{row['staff_id']}"))
