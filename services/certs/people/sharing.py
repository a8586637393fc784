"""What candidates let others see: nothing beyond what a proof needs until they choose it."""

from collections.abc import Iterable
from typing import NamedTuple

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.gathered import GatheredReads
from libs.common.mongo.unit_of_work import Transaction

COLLECTION = "sharing"


class Sharing(NamedTuple):
    """A candidate's own choices, all off until they choose."""

    directory: bool = False
    """Whether they are listed in the program's public directory, where it has one."""
    name_in_badges: bool = False
    """Whether their name is in badges, which anybody may read who gets hold of one."""
    native_name: bool = False
    """Whether certificates and the like have their name in its own script, where they have given it."""


NOTHING = Sharing()


class SharingSettings:
    """The choices of candidates. Methods with a session are part of its transaction.

    Each account has its own; of accounts that are merged, those of the one that goes on count.
    """

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]
        self._shared = GatheredReads(database, COLLECTION, {})

    async def get(self, program: str, candidate_id: str, session: Session | None = None) -> Sharing:
        if session is None:
            row = await self._shared.get(candidate_id)
        else:
            row = await self._rows.find_one({"_id": candidate_id}, session=session)
        return _sharing(row) if row is not None and row["program"] == program else NOTHING

    async def listed(self, candidates: Iterable[str], session: Session | None = None) -> dict[str, Sharing]:
        """The choices of those of the candidates who want to be in their program's directory."""
        return await self._who_chose("directory", candidates, session)

    async def naming(self, candidates: Iterable[str], session: Session | None = None) -> dict[str, Sharing]:
        """The choices of those of the candidates who want their names in badges."""
        return await self._who_chose("name_in_badges", candidates, session)

    async def _who_chose(self, what: str, candidates: Iterable[str], session: Session | None) -> dict[str, Sharing]:
        query = {"_id": {"$in": list(candidates)}, what: True}
        return {row["_id"]: _sharing(row) async for row in self._rows.find(query, session=session)}

    async def put(self, transaction: Transaction, program: str, candidate_id: str, sharing: Sharing) -> Sharing:
        """Keep a candidate's choices. Returns those before."""
        before = await self.get(program, candidate_id, transaction.session)
        row = {"program": program, **sharing._asdict(), "changed_at": transaction.now}
        await self._rows.replace_one({"_id": candidate_id}, row, upsert=True, session=transaction.session)
        return before


def _sharing(row: Document) -> Sharing:
    return Sharing(*(row[name] for name in Sharing._fields))
