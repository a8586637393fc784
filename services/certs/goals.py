"""What candidates aim at: certifications that they have chosen for their plan. A wish, of which nothing follows."""

from collections.abc import Sequence

from libs.common.mongo.client import Database
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.unit_of_work import Transaction

COLLECTION = "goals"

MIGRATION = Migration(16, "what candidates aim at", declare({COLLECTION: []}))


class Goals:
    """The goals of candidates.

    Each account has its own; of accounts that are merged, those of the one that goes on count.
    """

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]

    async def get(self, program: str, candidate_id: str) -> list[str]:
        """Ids of certifications, in the order in which they were chosen."""
        row = await self._rows.find_one({"_id": candidate_id, "program": program})
        return list(row["certifications"]) if row is not None else []

    async def put(
        self, transaction: Transaction, program: str, candidate_id: str, certifications: Sequence[str]
    ) -> None:
        row = {"program": program, "certifications": list(certifications), "changed_at": transaction.now}
        await self._rows.replace_one({"_id": candidate_id}, row, upsert=True, session=transaction.session)
