"""Registrations that vendors told of: they prove whose a partner's id is."""

from collections.abc import Iterable

from pymongo import UpdateOne

from libs.common.mongo.client import Database, Document, Session


class RegistrationStore:
    """All queries about registrations; every method is part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._registrations = database["registrations"]

    async def get(self, session: Session, key: str) -> Document | None:
        row: Document | None = await self._registrations.find_one({"_id": key}, session=session)
        return row

    async def keep(self, session: Session, rows: Iterable[Document]) -> None:
        """Remember registrations; of one that comes again with other words the first stays."""
        writes = [
            UpdateOne({"_id": row["_id"]}, {"$setOnInsert": {k: v for k, v in row.items() if k != "_id"}}, upsert=True)
            for row in rows
        ]
        if writes:
            await self._registrations.bulk_write(writes, ordered=False, session=session)
