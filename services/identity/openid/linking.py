"""Whose account a provider's person opens, and when that may be found out by an e-mail address."""

from libs.common.http.problems import CONFLICT, Problem
from libs.common.mongo.client import Document, Session
from libs.common.mongo.unit_of_work import Transaction
from services.identity.mapping import Mapping, new_id
from services.identity.openid.federated_id import FederatedId
from services.identity.store import IdentityStore

_SHARING = 20
"""Accounts with one address that are looked at; with more than one that stand nothing is decided anyway."""


class Linking:
    """Finds the account of a provider's person, and links the two."""

    def __init__(self, mapping: Mapping, accounts: IdentityStore) -> None:
        self._mapping = mapping
        self._accounts = accounts

    async def holder(self, person: FederatedId) -> Document | None:
        """The account that the id opens; None where it is nobody's."""
        row = await self._mapping.store.get(None, person.key)
        if row is None or row["candidate_id"] is None:
            return None
        return await self._accounts.standing(person.program, row["candidate_id"])

    async def by_email(self, person: FederatedId, email: str, session: Session | None = None) -> Document | None:
        """The account that an address which the provider has verified opens by itself.

        Only the one account that has the address: whoever shares it must say who they are. An id that was anybody's
        before is not given again without a proof, nor does an account get a second id of the same provider.
        """
        found = await self._accounts.by_email(person.program, email, _SHARING, session)
        standing = {row.get("merged_into") or row["_id"] for row in found}
        if len(standing) != 1 or not all(is_same_address(row["email"], email) for row in found):
            return None
        account = await self._accounts.candidate(person.program, standing.pop(), session)
        return account if account and await self._may_be_given(person, account, session) else None

    async def require_unchanged(self, transaction: Transaction, person: FederatedId, account: Document) -> None:
        """Raise the problem `conflict` where the id neither opens the account nor may be given to it unasked."""
        row = await self._mapping.store.get(transaction.session, person.key)
        opens = row is not None and row["candidate_id"] in _ids(account)
        if not opens and not await self._may_be_given(person, account, transaction.session):
            raise Problem(CONFLICT, "whose the provider's account is has changed meanwhile")

    async def link(self, transaction: Transaction, person: FederatedId, candidate_id: str, proof: str) -> Document:
        """Let an id open an account from now on, which activates it, and return the account as it was.

        Raises the problem `conflict` where the id has meanwhile become another's.
        """
        account = await self._accounts.standing(person.program, candidate_id, transaction.session)
        if account is None:
            raise LookupError("an account that was just found is gone")
        row = await self._mapping.store.get(transaction.session, person.key)
        holder = row["candidate_id"] if row else None
        if holder is None:
            await self._mapping.point(
                transaction,
                row or new_id(person.program, person.system, person.external_id),
                account["_id"],
                verified_by=proof,
                by=f"candidate:{account['_id']}",
                reason="signed in with the provider",
            )
            await self._accounts.activate(transaction.session, account["_id"], transaction.now)
        elif holder not in _ids(account):
            raise Problem(CONFLICT, "the provider's account opens another account already")
        return account

    async def _may_be_given(self, person: FederatedId, account: Document, session: Session | None) -> bool:
        if await self._mapping.store.get(session, person.key) is not None:
            return False
        known = await self._mapping.store.of_candidate(session, account["_id"])
        return all(row["system"] != person.system for row in known)


def is_same_address(one: str, two: str) -> bool:
    """Whether both are one mailbox for sure.

    Only ASCII letters may differ in case. What looks alike, or is equal once it is folded, can be the mailbox of
    somebody else, who may well have it verified: `straße@…` and `strasse@…`.
    """
    return one.strip().encode().lower() == two.strip().encode().lower()


def _ids(account: Document) -> set[str]:
    """The ids that open an account: its own, and those of accounts that were merged into it."""
    return {account["_id"], *account.get("merged_from", [])}
