"""The keys of issuers as they lie in the database."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING, IndexModel

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare

COLLECTION = "issuer_keys"
MIGRATION = Migration(
    9,
    "keys of issuers",
    declare(
        {
            # Of two that would follow a program's last key one is refused, and looks again.
            COLLECTION: [IndexModel([("program", ASCENDING), ("number", ASCENDING)], name="sequence", unique=True)]
        }
    ),
)


class IssuerKeyStore:
    """Rows of keys, a handful a program. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]

    async def all(self) -> list[Document]:
        """In the order in which they were made."""
        return await self._rows.find().sort([("program", ASCENDING), ("number", ASCENDING)]).to_list(None)

    async def of(self, session: Session, program: str) -> list[Document]:
        found = self._rows.find({"program": program}, session=session)
        return await found.sort("number", ASCENDING).to_list(None)

    async def add(self, session: Session, row: Document) -> None:
        await self._rows.insert_one(row, session=session)

    async def sign_from(self, session: Session, kid: str, moment: datetime) -> None:
        await self._rows.update_one({"_id": kid}, {"$set": {"signs_from": moment}}, session=session)

    async def mark_compromised(self, session: Session, kid: str, now: datetime) -> None:
        """From now on nobody trusts the key, and nobody has it from here."""
        change = {"$set": {"compromised_at": now, "sealed": None}}
        await self._rows.update_one({"_id": kid}, change, session=session)

    async def forget_private(self, kids: Sequence[str]) -> None:
        await self._rows.update_many({"_id": {"$in": list(kids)}}, {"$set": {"sealed": None}})
