"""What the acceptance of a case does, in the transaction of its last decision."""

from libs.common.http.problems import NOT_FOUND, Problem, invalid
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from services.identity.cases.names import Names
from services.identity.mapping import Mapping
from services.identity.merging import Merging
from services.identity.store import IdentityStore


class Acts:
    """Carries out what was accepted. What a kind does not name here is done elsewhere, and its case is the answer."""

    def __init__(self, accounts: IdentityStore, mapping: Mapping, merging: Merging) -> None:
        self._accounts = accounts
        self._mapping = mapping
        self._merging = merging
        self._names = Names(accounts)

    async def carry_out(
        self, transaction: Transaction, case: Document, *, by: str, reason: str, other: str | None
    ) -> None:
        """Do what a case asks for; raises a problem where it cannot be done, so that nothing is decided either."""
        details = case["details"]
        if case["kind"] == "name":
            account = await self._accounts.standing(case["program"], case["candidate_id"], transaction.session)
            if account is None:
                raise Problem(NOT_FOUND)
            await self._names.change(transaction, account, details, by=by, case_id=case["_id"])
        elif case["kind"] == "mapping":
            system, external_id = details["system"], details["external_id"]
            await self._mapping.assign(
                transaction, case["program"], system, external_id, case["candidate_id"], "case", by, reason
            )
        elif case["kind"] == "duplicate" and other is not None:
            await self._merge(transaction, case, other, by=by, reason=reason)

    async def _merge(self, transaction: Transaction, case: Document, other: str, *, by: str, reason: str) -> None:
        """Begin the merge that the sweep finishes, should this process not live to do so."""
        into = await self._accounts.standing(case["program"], case["candidate_id"], transaction.session)
        if into is None:
            raise Problem(NOT_FOUND)
        case["merge_id"] = derived_id("merge", case["_id"])
        await self._merging.request(
            transaction,
            merge_id=case["merge_id"],
            program=case["program"],
            source=other,
            into=into["_id"],
            by=by,
            reason=reason,
        )

    async def finish(self, case: Document) -> None:
        """Go on with what takes several transactions, after the decision has committed."""
        if case["merge_id"] is not None:
            await self._merging.advance(case["merge_id"])


def chosen(case: Document, other: str | None) -> str | None:
    """The account that an acceptance merges: the one staff name, or else the one the candidate named.

    Raises a problem where there is none, or where the case is of another kind.
    """
    if case["kind"] != "duplicate":
        if other is not None:
            raise invalid(
                "body.other_candidate_id", "not_allowed", "only the case of a duplicate names another account"
            )
        return None
    found: str | None = other or case["details"]["candidate_id"]
    if found is None:
        raise invalid("body.other_candidate_id", "missing", "say which account is merged into the candidate's")
    return found
