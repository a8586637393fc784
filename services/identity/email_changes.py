"""Another address for mail: it becomes the account's once a link that was sent to it is followed."""

import hashlib
from datetime import timedelta

from pymongo import ASCENDING, IndexModel

from libs.common.events import identity
from libs.common.http.problems import CONFLICT, Problem, invalid
from libs.common.ids import new_secret
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.identity.domain.mailboxes import is_same_mailbox
from services.identity.login.problems import LINK_INVALID
from services.identity.profiles import profile_event
from services.identity.store import IdentityStore, email_key, token_key

LINK_LASTS = timedelta(days=1)
MOST = 5
"""Links of one account in `LINK_LASTS`: they go to addresses that may be strangers'."""

MIGRATION = Migration(
    9,
    "changes of addresses",
    declare(
        {
            "email_changes": [
                IndexModel([("token", ASCENDING)], name="token", unique=True),
                IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
            ]
        }
    ),
)


class EmailChangeStore:
    """The changes under way, one an account. All methods are part of a transaction."""

    def __init__(self, database: Database) -> None:
        self._rows = database["email_changes"]

    async def of(self, session: Session, candidate_id: str) -> Document | None:
        row: Document | None = await self._rows.find_one({"_id": candidate_id}, session=session)
        return row

    async def save(self, session: Session, row: Document) -> None:
        await self._rows.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)

    async def take(self, session: Session, token: str) -> Document | None:
        """Take a change out of circulation by the token of its link."""
        row: Document | None = await self._rows.find_one_and_delete({"token": token_key(token)}, session=session)
        return row


class EmailChanges:
    """Asks for and makes changes. A link ends with a newer one, with use, with a day, and with a new password."""

    def __init__(self, store: EmailChangeStore, accounts: IdentityStore, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._accounts = accounts
        self._unit_of_work = unit_of_work

    async def ask(self, candidate_id: str, email: str) -> None:
        """Send a link to the new address. Raises the problems `invalid-request` and `conflict`."""
        token = new_secret()

        async def work(transaction: Transaction) -> None:
            account = await self._account(transaction, candidate_id)
            if is_same_mailbox(account["email"], email):
                raise invalid("body.email", "unchanged", "it is the account's address already")
            before = await self._store.of(transaction.session, account["_id"])
            counted = before is not None and before["first_at"] > transaction.now - LINK_LASTS
            if before is not None and counted and before["asked"] >= MOST:
                raise Problem(CONFLICT, "too many changes were asked for; try again tomorrow")
            expires_at = transaction.now + LINK_LASTS
            row = {
                "_id": account["_id"],
                "token": token_key(token),
                "email": email,
                "password": _digest(account),
                "first_at": before["first_at"] if before is not None and counted else transaction.now,
                "asked": 1 + (before["asked"] if before is not None and counted else 0),
                "expires_at": expires_at,
            }
            await self._store.save(transaction.session, row)
            event = identity.EmailChangeRequested(
                candidate_id=account["_id"], email=email, token=token, expires_at=expires_at
            )
            await self._tell(transaction, account, event)

        await self._unit_of_work.run(work)

    async def confirm(self, token: str) -> None:
        """Make the change whose link this is. Raises the problem `link-invalid`."""

        async def work(transaction: Transaction) -> bool:
            change = await self._store.take(transaction.session, token)
            if change is None or change["expires_at"] <= transaction.now:
                return False
            account = await self._account(transaction, change["_id"])
            if change["password"] != _digest(account):
                return False
            address = {"email": change["email"], "email_key": email_key(change["email"])}
            await self._accounts.change(transaction.session, account["_id"], address)
            # What was sent to the former address opens nothing any more.
            await self._accounts.drop_links(transaction.session, account["_id"])
            changed = identity.EmailChanged(
                candidate_id=account["_id"], former_email=account["email"], changed_at=transaction.now
            )
            for event in (changed, profile_event(account | address)):
                await self._tell(transaction, account, event)
            return True

        if not await self._unit_of_work.run(work):
            raise Problem(LINK_INVALID)

    async def _account(self, transaction: Transaction, candidate_id: str) -> Document:
        """The account that stands for this one. Raises the problem `link-invalid` where it is gone."""
        known = await self._accounts.account(candidate_id, transaction.session)
        account = known and await self._accounts.standing(known["program"], candidate_id, transaction.session)
        if account is None:
            raise Problem(LINK_INVALID)
        return account

    async def _tell(
        self,
        transaction: Transaction,
        account: Document,
        event: identity.EmailChangeRequested | identity.EmailChanged | identity.CandidateProfileChanged,
    ) -> None:
        version = await self._accounts.next_version(transaction.session, account["_id"], transaction.now)
        transaction.emit(event, program=account["program"], subject=account["_id"], version=version)


def _digest(account: Document) -> str:
    """Tells one password from the next. Who was logged in as a thief keeps no way in past the owner's new password."""
    return hashlib.sha256((account["password"] or "").encode()).hexdigest()
