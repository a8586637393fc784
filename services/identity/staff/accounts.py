"""Who works for a program, in which roles, and who may change that."""

from collections.abc import Sequence

from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import CONFLICT, FORBIDDEN, NOT_FOUND, Problem
from libs.common.ids import new_id
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.identity.domain.mailboxes import is_same_mailbox
from services.identity.login.second_factor import SecondFactors
from services.identity.login.session_store import SessionStore
from services.identity.staff.invitations import Invitations
from services.identity.staff.roles import Role
from services.identity.staff.store import StaffStore
from services.identity.store import email_key


class StaffAccounts:
    """Gives and takes roles. A person has one account for all programs; each program sees its own part of it."""

    def __init__(
        self,
        store: StaffStore,
        sessions: SessionStore,
        unit_of_work: UnitOfWork,
        *,
        factors: SecondFactors,
        invitations: Invitations,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._unit_of_work = unit_of_work
        self._factors = factors
        self._invitations = invitations

    async def of_program(self, by: Principal, program: str) -> list[Document]:
        """Raises the problem `not-found`, as all of these do for a program that is not the caller's."""
        _enter(by, program)
        return await self._store.of_program(program)

    async def get(self, by: Principal, program: str, staff_id: str) -> Document:
        """Raises the problem `not-found`."""
        _enter(by, program)
        return _member(await self._store.account(staff_id), program)

    async def add(self, by: Principal, program: str, *, email: str, name: str, roles: Sequence[Role]) -> Document:
        """Give somebody roles in a program, and an account with an invitation by mail where they have none.

        Raises the problems `not-found`, and `conflict` for somebody who has roles there already.
        """
        _enter(by, program)
        staff_id = new_id()

        async def work(transaction: Transaction) -> Document:
            row = await self._store.by_email(email, transaction.session)
            if row is None:
                row = _new_account(staff_id, email, name, by, transaction)
                await self._store.add(transaction.session, row)
            elif not is_same_mailbox(row["email"], email):
                raise Problem(CONFLICT, "there is somebody whose address looks the same")
            elif program in row["roles"]:
                raise Problem(CONFLICT, "there is somebody with this address already")
            await self._store.set_roles(transaction.session, row["_id"], program, roles)
            if row["activated_at"] is None:
                await self._invitations.send(transaction, row, program)
            return {**row, "roles": {**row["roles"], program: list(roles)}}

        return await self._unit_of_work.run(work)

    async def set_roles(self, by: Principal, program: str, staff_id: str, roles: Sequence[Role]) -> Document:
        """Give other roles in a program; none end all sessions there at once.

        Tokens given out already run out within their fifteen minutes.

        Raises the problems `not-found`, and `conflict` where the program would be left without a manager, which only
        the operator may bring about.
        """
        _enter(by, program)

        async def work(transaction: Transaction) -> Document:
            row = _member(await self._store.account(staff_id, transaction.session), program)
            demoted = Role.MANAGER in row["roles"][program] and Role.MANAGER not in roles
            if demoted and by.kind is Kind.STAFF:
                await self._require_another_manager(transaction, program, staff_id)
            await self._store.set_roles(transaction.session, staff_id, program, roles)
            if not roles:
                await self._sessions.end_where(transaction.session, {"staff_id": staff_id, "program": program})
            if not roles and row["roles"].keys() == {program}:
                await self._store.remove_links(transaction.session, staff_id)
            return {**row, "roles": {**row["roles"], program: list(roles)}}

        return await self._unit_of_work.run(work)

    async def invite(self, by: Principal, program: str, staff_id: str, *, forget_second_factor: bool) -> None:
        """Mail a new link, to somebody who lost the first one, or the phone with everything.

        Raises the problems `not-found`, `conflict` for too many links, and `forbidden` where a second factor would be
        forgotten that guards programs which are not the caller's.
        """
        _enter(by, program)

        async def work(transaction: Transaction) -> None:
            row = _member(await self._store.account(staff_id, transaction.session), program)
            if forget_second_factor:
                if not row["roles"].keys() <= by.programs:
                    raise Problem(FORBIDDEN, "the account works for other programs too: ask the operator")
                await self._factors.forget(transaction, staff_id)
                await self._sessions.end_where(transaction.session, {"staff_id": staff_id})
            if not await self._invitations.send(transaction, row, program):
                raise Problem(CONFLICT, "the account has got as many links within the hour as there are")

        await self._unit_of_work.run(work)

    async def _require_another_manager(self, transaction: Transaction, program: str, staff_id: str) -> None:
        if await self._store.managers(transaction.session, program) <= {staff_id}:
            raise Problem(CONFLICT, "the program would have no manager any more")


def _enter(by: Principal, program: str) -> None:
    if not by.may_enter(program):
        raise Problem(NOT_FOUND)


def _member(row: Document | None, program: str) -> Document:
    if row is None or program not in row["roles"]:
        raise Problem(NOT_FOUND)
    return row


def _new_account(staff_id: str, email: str, name: str, by: Principal, transaction: Transaction) -> Document:
    return {
        "_id": staff_id,
        "email": email,
        "email_key": email_key(email),
        "name": name,
        "roles": {},
        "password": None,
        "failures": 0,
        "locked_until": None,
        "activated_at": None,
        "created_at": transaction.now,
        "created_by": by.subject,
        "version": 0,
    }
