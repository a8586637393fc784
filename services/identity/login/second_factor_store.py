"""What identity keeps of second factors: one document an account, apart from the profile."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from libs.common.mongo.client import Database, Document, Session

COLLECTIONS: Mapping[str, Sequence[Any]] = {"second_factors": []}


class SecondFactorStore:
    """Secrets, the last step used, and hashes of recovery codes."""

    def __init__(self, database: Database) -> None:
        self._rows = database["second_factors"]

    async def find(self, candidate_id: str) -> Document | None:
        row: Document | None = await self._rows.find_one({"_id": candidate_id})
        return row

    async def begin(self, candidate_id: str, secret: bytes) -> None:
        """Keep a secret until it is confirmed; what is in force stays so."""
        await self._rows.update_one({"_id": candidate_id}, {"$set": {"pending": secret}}, upsert=True)

    async def confirm(
        self,
        session: Session,
        candidate_id: str,
        *,
        pending: bytes,
        step: int,
        recovery: Sequence[str],
        now: datetime,
    ) -> bool:
        """Put a pending secret into force; False where it is not the pending one any more."""
        change = {
            "$set": {"secret": pending, "step": step, "recovery": list(recovery), "since": now},
            "$unset": {"pending": ""},
        }
        result = await self._rows.update_one({"_id": candidate_id, "pending": pending}, change, session=session)
        return bool(result.modified_count)

    async def use_step(self, candidate_id: str, secret: bytes, step: int) -> bool:
        """Use up a time step and all before it; False where another use was first."""
        query = {"_id": candidate_id, "secret": secret, "step": {"$lt": step}}
        return bool((await self._rows.update_one(query, {"$set": {"step": step}})).modified_count)

    async def use_recovery(self, candidate_id: str, digest: str) -> bool:
        """Use up a recovery code; False where there is none such."""
        query = {"_id": candidate_id, "recovery": digest}
        return bool((await self._rows.update_one(query, {"$pull": {"recovery": digest}})).modified_count)

    async def set_recovery(self, candidate_id: str, recovery: Sequence[str]) -> bool:
        query = {"_id": candidate_id, "secret": {"$exists": True}}
        return bool((await self._rows.update_one(query, {"$set": {"recovery": list(recovery)}})).matched_count)

    async def remove(self, session: Session, candidate_id: str) -> bool:
        return bool((await self._rows.delete_one({"_id": candidate_id}, session=session)).deleted_count)
