"""Candidates claim partners' ids; what cannot be proved, and what is another's, is for staff to decide."""

from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.mongo.client import Document
from libs.common.mongo.links import link_id
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.identity.cases.casework import Cases
from services.identity.domain.mailboxes import is_same_mailbox
from services.identity.mapping import Mapping, new_id
from services.identity.registration_store import RegistrationStore


class Claiming:
    """Claims of ids, and what staff do about ids; what becomes of a claim's case is the case's own affair."""

    def __init__(
        self,
        registrations: RegistrationStore,
        cases: Cases,
        mapping: Mapping,
        unit_of_work: UnitOfWork,
    ) -> None:
        self._registrations = registrations
        self._cases = cases
        self.mapping = mapping
        self._unit_of_work = unit_of_work

    async def claim(
        self,
        program: str,
        candidate_id: str,
        *,
        case_id: str,
        system: str,
        external_id: str,
        registration_id: str,
        by: str,
    ) -> Document | None:
        """Link an id where the proofs agree, or open a case. Returns the case; None where the id is now theirs.

        The proofs are a registration under that id whose e-mail address is the account's, and that the account was
        entered by a link sent to it. Nobody learns which of them failed, or whether the id is known or another's.

        Raises:
            Problem: `not-found`, or `conflict` where too many cases are open.
        """
        key = link_id(program, system, external_id)

        async def work(transaction: Transaction) -> Document | None:
            account = await self._cases.account(program, candidate_id, transaction)
            row = await self.mapping.store.get(transaction.session, key)
            holder = row["candidate_id"] if row else None
            if holder == account["_id"]:
                return None
            registration = await self._registrations.get(transaction.session, link_id(program, system, registration_id))
            if holder is None and _proves(registration, key, account):
                await self.mapping.point(
                    transaction,
                    row or new_id(program, system, external_id),
                    account["_id"],
                    verified_by="claim",
                    by=by,
                    reason="claimed with a registration",
                )
                return None
            details = {
                "system": system,
                "external_id": external_id,
                "registration_id": registration_id,
                "held_by": holder,
            }
            return await self._cases.open_in(
                transaction, account, case_id=case_id, kind="mapping", details=details, text=None, by=by
            )

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
                return await self.mapping.assign(transaction, program, system, external_id, to, "staff", by, reason)
            row = await self.mapping.store.get(transaction.session, link_id(program, system, external_id))
            if row is None or row["candidate_id"] is None:
                raise Problem(NOT_FOUND)
            return await self.mapping.unlink(transaction, row, by=by, reason=reason)

        return await self._unit_of_work.run(work)


def _proves(registration: Document | None, key: str, account: Document) -> bool:
    verified = account["activated_at"] is not None
    return (
        registration is not None
        and verified
        and registration["link"] == key
        and is_same_mailbox(registration.get("email") or registration["email_key"], account["email"])
    )
