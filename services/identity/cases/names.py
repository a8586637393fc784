"""Names of accounts: changed by the decision of a case, told, and every former one kept."""

from libs.common.events import identity
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from services.identity.profiles import profile_event
from services.identity.store import IdentityStore

PARTS = ("given_name", "family_name", "native_name")


class Names:
    """Changes names as part of a transaction."""

    def __init__(self, accounts: IdentityStore) -> None:
        self._accounts = accounts

    async def change(
        self, transaction: Transaction, account: Document, name: Document, *, by: str, case_id: str
    ) -> None:
        """Give an account another name, and tell it.

        Args:
            transaction: this is a part of it.
            account: the account as it is.
            name: the new one, by `PARTS`; a `native_name` of None leaves the one there is.
            by: the subject of whoever decided it last.
            case_id: the case that decided it.
        """
        new = {part: name.get(part) or account.get(part) for part in PARTS}
        former = account.get("former_names", [])
        was = {part: account.get(part) for part in PARTS}
        since = former[-1]["until"] if former else account["created_at"]
        history = [*former, {**was, "since": since, "until": transaction.now, "by": by, "case_id": case_id}]
        changed = {**new, "former_names": history}
        await self._accounts.change(transaction.session, account["_id"], changed)
        after = account | changed
        native = after["native_name"] or {}
        renamed = identity.CandidateNameChanged(
            candidate_id=account["_id"],
            given_name=after["given_name"],
            family_name=after["family_name"],
            native_given_name=native.get("given_name"),
            native_family_name=native.get("family_name"),
            case_id=case_id,
            changed_at=transaction.now,
        )
        for event in (renamed, profile_event(after)):
            version = await self._accounts.next_version(transaction.session, account["_id"], transaction.now)
            transaction.emit(event, program=account["program"], subject=account["_id"], version=version)


def names_of(account: Document) -> list[Document]:
    """Every name of an account, the present one first: since when, until when, and by whose decision it came."""
    former: list[Document] = account.get("former_names", [])
    present = {part: account.get(part) for part in PARTS}
    since = former[-1]["until"] if former else account["created_at"]
    every = [*former, {**present, "since": since, "until": None}]
    came = [{"by": None, "case_id": None}, *({"by": was["by"], "case_id": was["case_id"]} for was in former)]
    return [{**name, **how} for name, how in zip(every, came, strict=True)][::-1]
