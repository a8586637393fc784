"""Partners' ids of candidates, with the history of each: whose it was before, since when, until when and why."""

from collections.abc import Iterable

from libs.common.mongo.client import Database, Document, Session


class MappingStore:
    """All queries about partners' ids. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._external_ids = database["external_ids"]

    async def get(self, session: Session | None, key: str) -> Document | None:
        row: Document | None = await self._external_ids.find_one({"_id": key}, session=session)
        return row

    async def of_candidate(self, session: Session | None, candidate_id: str) -> list[Document]:
        return await self._external_ids.find({"candidate_id": candidate_id}, session=session).sort("_id").to_list(None)

    async def some(self, session: Session, keys: Iterable[str]) -> list[Document]:
        return await self._external_ids.find({"_id": {"$in": list(keys)}}, session=session).sort("_id").to_list(None)

    async def save(self, session: Session, row: Document) -> None:
        await self._external_ids.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)
