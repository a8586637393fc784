"""The one way to a link: for the first visit, a forgotten password or a forgotten ID.

The answer is given before anybody looks whether there is an account, so neither its words nor its time can tell.
"""

from datetime import timedelta
from functools import partial

from libs.common.clock import Clock
from libs.common.events import identity
from libs.common.ids import new_secret
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.versions import next_version
from services.identity.login.store import AccessRequestStore
from services.identity.store import IdentityStore, token_key

LINK_LASTS = timedelta(hours=2)
"""How long the link of a mail that was asked for works."""

LINKS_AT_ONCE = 3
LINKS_WITHIN = timedelta(hours=1)
"""An account gets at most `LINKS_AT_ONCE` links within this, so that nobody's mailbox is flooded."""

EVERY = timedelta(seconds=1)
AT_ONCE = 200
"""Requests worked off in one run: far fewer than fit into a job's lease."""


class AccessRequests:
    """Takes requests in, and works them off in the background."""

    def __init__(
        self, accounts: IdentityStore, requests: AccessRequestStore, unit_of_work: UnitOfWork, clock: Clock
    ) -> None:
        self._accounts = accounts
        self._requests = requests
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def ask(self, program: str, login: str) -> None:
        """Note a request for whoever `login` may be, an ID or an e-mail address."""
        await self._requests.ask(program, login, self._clock.now())

    async def run(self) -> None:
        """Work off what waits: each account that is meant gets a link by mail."""
        for request in await self._requests.waiting(AT_ONCE):
            await self._unit_of_work.run(partial(self._work_off, request))

    async def _work_off(self, request: Document, transaction: Transaction) -> None:
        if not await self._requests.take(transaction.session, request["_id"]):
            return
        for account in await self._accounts.by_login(request["program"], request["login"], transaction.session):
            since = transaction.now - LINKS_WITHIN
            if await self._requests.links_since(transaction.session, account["_id"], since) < LINKS_AT_ONCE:
                await self._send_link(transaction, account)

    async def _send_link(self, transaction: Transaction, account: Document) -> None:
        token, expires_at = new_secret(), transaction.now + LINK_LASTS
        version = next_version(account["version"], transaction.now)
        link = {
            "_id": token_key(token),
            "candidate_id": account["_id"],
            "made_at": transaction.now,
            "expires_at": expires_at,
        }
        await self._requests.add_link(transaction.session, account["_id"], link, version=version)
        event = identity.AccessRequested(
            candidate_id=account["_id"],
            reason="recovery" if account["password"] else "activation",
            token=token,
            expires_at=expires_at,
        )
        transaction.emit(event, program=account["program"], subject=account["_id"], version=version)
