"""Who a person is to identity: the account that goes on, those merged into it, and their ids at partners."""

from collections.abc import Sequence

from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.mongo.client import Database, Session
from libs.common.privacy.holdings import Person
from services.identity.store import IdentityStore


class People:
    """Finds all that belongs to one person."""

    def __init__(self, accounts: IdentityStore, database: Database) -> None:
        self._accounts = accounts
        self._external_ids = database["external_ids"]

    async def of(self, program: str, candidate_id: str, session: Session | None = None) -> Person:
        """The person behind an ID; the account that goes on comes first. Raises the problem `not-found`."""
        account = await self._accounts.standing(program, candidate_id, session)
        if account is None:
            raise Problem(NOT_FOUND)
        return await self.known([account["_id"], *account.get("merged_from", ())], session)

    async def known(self, accounts: Sequence[str], session: Session | None = None) -> Person:
        """The person whose accounts these are."""
        owners = await self.owners(Person(accounts), session)
        return Person(accounts, list(owners))

    async def owners(self, person: Person, session: Session | None = None) -> dict[str, str]:
        """Their ids at partners, each with the account that has it."""
        rows = self._external_ids.find({"candidate_id": {"$in": list(person.accounts)}}, session=session)
        return {row["_id"]: row["candidate_id"] async for row in rows}
