"""What identity keeps of second factors: one document an account, apart from the profile."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from libs.common.field_keys import FieldKeys
from libs.common.mongo.client import Database, Document, Session

COLLECTIONS: Mapping[str, Sequence[Any]] = {"second_factors": []}

_SEALED: Final = {"secret": "second_factors.secret", "pending": "second_factors.pending"}
SEALED: Final = tuple(_SEALED.values())

_TRIES: Final = 2
"""A secret that is just being sealed anew is looked at once more."""


class SecondFactorStore:
    """Secrets, the last step used, and hashes of recovery codes."""

    def __init__(self, database: Database, keys: FieldKeys) -> None:
        self._rows = database["second_factors"]
        self._keys = keys

    async def find(self, candidate_id: str) -> Document | None:
        """The row, with its secrets opened."""
        row: Document | None = await self._rows.find_one({"_id": candidate_id})
        return row and row | {name: self._keys.open(place, row[name]) for name, place in _SEALED.items() if name in row}

    async def begin(self, candidate_id: str, secret: bytes) -> None:
        """Keep a secret until it is confirmed; what is in force stays so."""
        sealed = self._keys.seal(_SEALED["pending"], secret)
        await self._rows.update_one({"_id": candidate_id}, {"$set": {"pending": sealed}}, upsert=True)

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
        kept = await self._kept(candidate_id, "pending", pending, session)
        if kept is None:
            return False
        sealed = self._keys.seal(_SEALED["secret"], pending)
        change = {
            "$set": {"secret": sealed, "step": step, "recovery": list(recovery), "since": now},
            "$unset": {"pending": ""},
        }
        result = await self._rows.update_one({"_id": candidate_id, "pending": kept}, change, session=session)
        return bool(result.modified_count)

    async def use_step(self, candidate_id: str, secret: bytes, step: int) -> bool:
        """Use up a time step and all before it; False where another use was first."""
        for _ in range(_TRIES):
            kept = await self._kept(candidate_id, "secret", secret)
            query = {"_id": candidate_id, "secret": kept, "step": {"$lt": step}}
            if kept is not None and (await self._rows.update_one(query, {"$set": {"step": step}})).modified_count:
                return True
        return False

    async def use_recovery(self, candidate_id: str, digest: str) -> bool:
        """Use up a recovery code; False where there is none such."""
        query = {"_id": candidate_id, "recovery": digest}
        return bool((await self._rows.update_one(query, {"$pull": {"recovery": digest}})).modified_count)

    async def set_recovery(self, candidate_id: str, recovery: Sequence[str]) -> bool:
        query = {"_id": candidate_id, "secret": {"$exists": True}}
        return bool((await self._rows.update_one(query, {"$set": {"recovery": list(recovery)}})).matched_count)

    async def _kept(self, candidate_id: str, name: str, secret: bytes, session: Session | None = None) -> Any:
        """What is stored of a secret, as long as it is this one; None otherwise."""
        row = await self._rows.find_one({"_id": candidate_id}, {name: 1}, session=session)
        if row is None or name not in row or self._keys.open(_SEALED[name], row[name]) != secret:
            return None
        return row[name]

    async def remove(self, session: Session, candidate_id: str) -> bool:
        return bool((await self._rows.delete_one({"_id": candidate_id}, session=session)).deleted_count)
