"""The links by which staff enter: the first time, or after a forgotten password."""

from datetime import timedelta
from functools import partial

from libs.common.clock import Clock
from libs.common.events import identity
from libs.common.ids import new_secret
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.versions import next_version
from services.identity.login.access_requests import AT_ONCE, LINKS_AT_ONCE, LINKS_WITHIN
from services.identity.staff.store import StaffStore
from services.identity.store import token_key

INVITATION_LASTS = timedelta(days=2)
RECOVERY_LASTS = timedelta(hours=2)
"""How long a link works that its reader has just asked for."""

EVERY = timedelta(seconds=1)


class Invitations:
    """Mails links to staff: at once where a manager asks, in the background where anybody may ask."""

    def __init__(self, store: StaffStore, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._store = store
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def ask(self, program: str, email: str) -> None:
        """Note that somebody has forgotten their password, before anybody looks whether they are known."""
        await self._store.ask(program, email, self._clock.now())

    async def run(self) -> None:
        """Work off what waits."""
        for request in await self._store.waiting(AT_ONCE):
            await self._unit_of_work.run(partial(self._work_off, request))

    async def _work_off(self, request: Document, transaction: Transaction) -> None:
        if not await self._store.take(transaction.session, request["_id"]):
            return
        account = await self._store.by_email(request["email"], transaction.session)
        if account is not None and request["program"] in account["roles"]:
            await self.send(transaction, account, request["program"])

    async def send(self, transaction: Transaction, account: Document, program: str) -> bool:
        """Mail a link in a program's name; False where the account has had as many as it gets within the hour."""
        staff_id, now = account["_id"], transaction.now
        if await self._store.links_since(transaction.session, staff_id, now - LINKS_WITHIN) >= LINKS_AT_ONCE:
            return False
        recovery = account["activated_at"] is not None
        token, expires_at = new_secret(), now + (RECOVERY_LASTS if recovery else INVITATION_LASTS)
        version = next_version(account["version"], now)
        link = {"_id": token_key(token), "staff_id": staff_id, "made_at": now, "expires_at": expires_at}
        await self._store.add_link(transaction.session, link, version=version)
        event = identity.StaffInvited(
            staff_id=staff_id,
            full_name=account["name"],
            email=account["email"],
            reason="recovery" if recovery else "invitation",
            token=token,
            expires_at=expires_at,
        )
        transaction.emit(event, program=program, subject=staff_id, version=version)
        return True
