"""Idempotency keys in MongoDB: one document a key, taken by its insertion, gone after a day."""

from datetime import timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from libs.common.clock import Clock
from libs.common.field_keys import FieldKeys
from libs.common.http.idempotency import (
    KEEP,
    LEASE,
    Answer,
    Answered,
    Claimed,
    InProgress,
    Outcome,
    Reused,
)
from libs.common.ids import new_id
from libs.common.mongo.client import Database

COLLECTION = "idempotency"
_PLACE = f"{COLLECTION}.body"
INDEXES = [IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)]


class MongoIdempotency:
    """The answers given to requests with an idempotency key.

    Args:
        database: where they lie for a while.
        clock: tells when they end.
        keys: seal them, for an answer may say what is stored nowhere else, such as a link.
        keep: how long an answer is kept.
    """

    def __init__(self, database: Database, clock: Clock, *, keys: FieldKeys, keep: timedelta = KEEP) -> None:
        self._fields = keys
        self._keys = database[COLLECTION]
        self._clock = clock
        self._keep = keep

    async def claim(self, key: str, fingerprint: str) -> Outcome:
        now = self._clock.now()
        token = new_id()
        claim = {
            "fingerprint": fingerprint,
            "token": token,
            "leased_until": now + LEASE,
            "expires_at": now + self._keep,
        }
        # Matches a key whose claim died without an answer, and one that the TTL monitor has yet to remove.
        free = {
            "_id": key,
            "$or": [
                {"answer": None, "fingerprint": fingerprint, "leased_until": {"$lte": now}},
                {"expires_at": {"$lte": now}},
            ],
        }
        try:
            await self._keys.find_one_and_replace(
                free, claim, upsert=True, projection={"_id": 1}, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:
            return self._taken(await self._keys.find_one({"_id": key}), fingerprint)
        return Claimed(token)

    def _taken(self, found: dict[str, Any] | None, fingerprint: str) -> Outcome:
        if found is None:  # released between the two calls: the sender may try again at once
            return InProgress()
        if found["fingerprint"] != fingerprint:
            return Reused()
        kept = found.get("answer")
        if kept is None:
            return InProgress()
        headers = [(name, value) for name, value in kept["headers"]]
        body = self._fields.open(_PLACE, kept["body"])
        return Answered(Answer(kept["status"], headers, body))

    async def settle(self, key: str, token: str, answer: Answer) -> None:
        kept = {
            "status": answer.status,
            "headers": [list(pair) for pair in answer.headers],
            "body": self._fields.seal(_PLACE, answer.body),
        }
        await self._keys.update_one({"_id": key, "token": token}, {"$set": {"answer": kept}})

    async def release(self, key: str, token: str) -> None:
        await self._keys.delete_one({"_id": key, "token": token, "answer": None})
