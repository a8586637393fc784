"""Reads by id that share their queries.

A call of the driver costs about the same for one document as for thirty. So what is asked for while a query is under
way waits for its end and is then read together: a lone reader waits for nothing, and a crowd shares the cost. Every
answer is from a query that began after its question.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from libs.common.mongo.client import Database, Document

LONGEST_QUERY = 200
"""Ids in one query at most."""


class GatheredReads:
    """Documents of one collection by their `_id`, or by another field that is unique among them.

    Args:
        database: the service's own.
        collection: its name.
        fields: the projection, as MongoDB takes it; empty for all.
        key: the field asked by.
    """

    def __init__(self, database: Database, collection: str, fields: Mapping[str, Any], *, key: str = "_id") -> None:
        self._collection = database[collection]
        self._fields = fields
        self._key = key
        self._asked: dict[str, asyncio.Future[Document | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def get(self, key: str) -> Document | None:
        """The document, which other callers may hold too: do not change it.

        Raises:
            pymongo.errors.PyMongoError: the query failed, for all who shared it.
        """
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(answer)  # one caller who gives up takes nothing from the others

    async def _read(self) -> None:
        try:
            while self._asked:
                keys = list(self._asked)[:LONGEST_QUERY]
                await self._answer({key: self._asked.pop(key) for key in keys})
        finally:
            self._reading = None

    async def _answer(self, asked: Mapping[str, "asyncio.Future[Document | None]"]) -> None:
        try:
            rows = await self._collection.find({self._key: {"$in": list(asked)}}, self._fields).to_list(None)
        except Exception as error:  # noqa: BLE001 it is raised again where the document was asked for
            for answer in asked.values():
                answer.set_exception(error)
            return
        found = {row[self._key]: row for row in rows}
        for key, answer in asked.items():
            answer.set_result(found.get(key))
