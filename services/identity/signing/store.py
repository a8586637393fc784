"""What identity keeps of signing keys: when each is good for what, and the key itself, encrypted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING

from libs.common.mongo.client import Database, Document, Session

COLLECTIONS: Mapping[str, Sequence[Any]] = {"signing_keys": []}


class SigningKeyStore:
    """Rows of keys. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._rows = database["signing_keys"]

    async def all(self, session: Session | None = None) -> list[Document]:
        """A handful, as no key outlives its successor's first minutes."""
        return await self._rows.find(session=session).sort("signs_from", ASCENDING).to_list(None)

    async def add(self, session: Session, rows: Sequence[Document]) -> None:
        await self._rows.insert_many(rows, session=session)

    async def touch(self, session: Session, kid: str) -> None:
        """Make two transactions conflict that each decide what follows a key."""
        await self._rows.update_one({"_id": kid}, {"$inc": {"followed": 1}}, session=session)

    async def sign_from(self, session: Session, kid: str, moment: datetime) -> None:
        await self._rows.update_one({"_id": kid}, {"$set": {"signs_from": moment}}, session=session)

    async def remove(self, kids: Sequence[str], session: Session | None = None) -> None:
        await self._rows.delete_many({"_id": {"$in": list(kids)}}, session=session)
