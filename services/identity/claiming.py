"""Candidates claim partners' ids; what cannot be proved, and what is another's, is for staff to decide."""

from typing import Literal

from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.links import link_id
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.identity.case_store import OPEN, CaseStore
from services.identity.mapping import Mapping
from services.identity.store import IdentityStore

MOST_OPEN = 10
"""Open cases of one account: enough for anybody's partners, and too few to try ids out."""

Decision = Literal["link", "refuse"]


class Claiming:
    """Claims of ids, and what staff do about ids."""

    def __init__(self, store: CaseStore, mapping: Mapping, accounts: IdentityStore, unit_of_work: UnitOfWork) -> None:
        self.store = store
        self.mapping = mapping
        self._accounts = accounts
        self._unit_of_work = unit_of_work

    async def claim(
        self, program: str, candidate_id: str, *, system: str, external_id: str, registration_id: str, by: str
    ) -> bool:
        """Link an id where the proofs agree, or open a case. Returns whether it is now theirs.

        The proofs are a registration under that id whose e-mail address is the account's, and that the account was
        entered by a link sent to it. Nobody learns which of them failed, or whether the id is known or another's.

        Raises:
            Problem: `not-found`, or `conflict` where too many cases are open.
        """
        key = link_id(program, system, external_id)

        async def work(transaction: Transaction) -> bool:
            account = await self._account(transaction, program, candidate_id)
            row = await self.mapping.store.get(transaction.session, key)
            holder = row["candidate_id"] if row else None
            if holder == account["_id"]:
                return True
            registration = await self.store.registration(transaction.session, link_id(program, system, registration_id))
            if holder is None and _proves(registration, key, account):
                await self.mapping.point(
                    transaction,
                    row or new_id(program, system, external_id),
                    account["_id"],
                    verified_by="claim",
                    by=by,
                    reason="claimed with a registration",
                )
                return True
            await self._open(transaction, account, key, holder, system, external_id, registration_id)
            return False

        return await self._unit_of_work.run(work)

    async def decide(self, program: str, case_id: str, decision: Decision, *, reason: str, by: str) -> Document:
        """Close a case; the same decision again finds it made.

        Raises:
            Problem: `not-found`, or `conflict` where it was decided otherwise.
        """
        state = "linked" if decision == "link" else "refused"

        async def work(transaction: Transaction) -> Document:
            case = await self.store.get(transaction.session, case_id)
            if case is None or case["program"] != program:
                raise Problem(NOT_FOUND)
            if case["state"] == state:
                return case
            if case["state"] != OPEN:
                raise Problem(CONFLICT, f"the case is {case['state']}")
            if decision == "link":
                await self._point(
                    transaction, program, case["system"], case["external_id"], case["candidate_id"], "case", by, reason
                )
            case |= {"state": state, "reason": reason, "decided_by": by, "decided_at": transaction.now}
            await self.store.save(transaction.session, case)
            return case

        return await self._unit_of_work.run(work)

    async def change(
        self, program: str, *, system: str, external_id: str, to: str | None, reason: str, by: str
    ) -> Document:
        """Point an id to another candidate, or to nobody, and return it.

        Raises:
            Problem: `not-found` for an unknown candidate, or for an id to unlink that nobody has.
        """

        async def work(transaction: Transaction) -> Document:
            if to is not None:
                return await self._point(transaction, program, system, external_id, to, "staff", by, reason)
            row = await self.mapping.store.get(transaction.session, link_id(program, system, external_id))
            if row is None or row["candidate_id"] is None:
                raise Problem(NOT_FOUND)
            return await self.mapping.unlink(transaction, row, by=by, reason=reason)

        return await self._unit_of_work.run(work)

    async def _point(  # noqa: PLR0917 every one of them says something
        self,
        transaction: Transaction,
        program: str,
        system: str,
        external_id: str,
        to: str,
        verified_by: str,
        by: str,
        reason: str,
    ) -> Document:
        account = await self._account(transaction, program, to)
        row = await self.mapping.store.get(transaction.session, link_id(program, system, external_id))
        if row is not None and row["candidate_id"] == account["_id"]:
            return row
        row = row or new_id(program, system, external_id)
        return await self.mapping.point(transaction, row, account["_id"], verified_by=verified_by, by=by, reason=reason)

    async def _account(self, transaction: Transaction, program: str, candidate_id: str) -> Document:
        """The account that goes on for this ID."""
        row = await self._accounts.standing(program, candidate_id, transaction.session)
        if row is None:
            raise Problem(NOT_FOUND)
        return row

    async def _open(  # noqa: PLR0917 as above
        self,
        transaction: Transaction,
        account: Document,
        key: str,
        holder: str | None,
        system: str,
        external_id: str,
        registration_id: str,
    ) -> None:
        known = await self.store.open_of(transaction.session, account["_id"])
        if any(case["link"] == key for case in known):
            return
        if len(known) >= MOST_OPEN:
            raise Problem(CONFLICT, "too many claims are waiting to be decided")
        await self.store.add(
            transaction.session,
            {
                "_id": derived_id("case", account["_id"], key, transaction.now.isoformat()),
                "program": account["program"],
                "kind": "mapping" if holder is None else "mapping_conflict",
                "state": OPEN,
                "candidate_id": account["_id"],
                "link": key,
                "system": system,
                "external_id": external_id,
                "registration_id": registration_id,
                "held_by": holder,
                "opened_at": transaction.now,
                "reason": None,
                "decided_by": None,
                "decided_at": None,
            },
        )


def _proves(registration: Document | None, key: str, account: Document) -> bool:
    verified = account["activated_at"] is not None
    return (
        registration is not None
        and verified
        and registration["link"] == key
        and registration["email_key"] == account["email_key"]
    )


def new_id(program: str, system: str, external_id: str) -> Document:
    """An id that nobody has had before."""
    key = link_id(program, system, external_id)
    return {
        "_id": key,
        "program": program,
        "system": system,
        "external_id": external_id,
        "candidate_id": None,
        "verified_by": None,
        "since": None,
    }
