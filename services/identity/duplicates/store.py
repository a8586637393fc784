"""Pairs of accounts that may be of one person, in the identity database, and where to look for them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, DeleteMany, IndexModel, UpdateOne

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from services.identity.domain.similarity import Likeness

COLLECTION: Final = "suspected_duplicates"
KEYS: Final = "likeness_keys"
"""What of an account others are found by, and the index of it. An account without it waits to be compared."""
_NO_KEYS: Final = [""]
"""Kept where there are none: an index does not tell an empty list from what is missing."""
_MOST_SHARING: Final = 200
_MOST_NEAR: Final = 200

MIGRATION = Migration(
    12,
    "suspected duplicates",
    declare(
        {
            "candidates": [IndexModel([("program", ASCENDING), (KEYS, ASCENDING)], name=KEYS)],
            COLLECTION: [
                IndexModel([("program", ASCENDING), ("state", ASCENDING), ("score", DESCENDING)], name="queue"),
                IndexModel([("accounts", ASCENDING)], name="accounts"),
            ],
        }
    ),
)


def pair_id(one: str, other: str) -> str:
    return "/".join(sorted((one, other)))


class DuplicateStore:
    """All queries about pairs. Each finds accounts of one program only."""

    def __init__(self, database: Database) -> None:
        self._candidates = database["candidates"]
        self._pairs = database[COLLECTION]

    async def uncompared(self, program: str, limit: int) -> list[Document]:
        """Accounts that are new, or have changed in what is compared."""
        return await self._candidates.find({"program": program, KEYS: None}).hint(KEYS).to_list(limit)

    async def sharing_address(self, account: Document) -> list[Document]:
        """Standing accounts with its address for mail, itself among them."""
        if not account["email_key"]:
            return []
        query = {"program": account["program"], "email_key": account["email_key"], "merged_into": None}
        return await self._candidates.find(query).sort("_id", ASCENDING).to_list(_MOST_SHARING)

    async def near(self, account: Document, keys: Collection[str]) -> list[Document]:
        """Standing accounts that have one of the keys and have been compared before."""
        if not keys:
            return []
        query = {"program": account["program"], KEYS: {"$in": sorted(keys)}, "merged_into": None}
        return await self._candidates.find(query).hint(KEYS).to_list(_MOST_NEAR)

    async def suspected_with(self, candidate_id: str) -> set[str]:
        """The accounts that were like this one before, itself among them; empty where there were none."""
        pairs = await self._pairs.find({"accounts": candidate_id, "state": "suspected"}).to_list(None)
        return {each for pair in pairs for each in pair["accounts"]}

    async def record(self, account: Document, found: Sequence[Likeness], now: datetime) -> None:
        """Keep what an account is like now; what was dismissed stays so, and what is like it no more is forgotten."""
        pairs = {pair_id(account["_id"], each.id): each for each in found}
        writes: list[Any] = [
            UpdateOne({"_id": key}, _suspected(account, likeness, now), upsert=True) for key, likeness in pairs.items()
        ]
        gone = {"accounts": account["_id"], "state": "suspected", "_id": {"$nin": sorted(pairs)}}
        await self._pairs.bulk_write([*writes, DeleteMany(gone)])

    async def forget(self, accounts: Collection[str]) -> None:
        """Forget all pairs of accounts that are no more."""
        await self._pairs.delete_many({"accounts": {"$in": sorted(accounts)}})

    async def compared(self, account: Document, keys: Sequence[str]) -> None:
        """Let others find the account, unless it has changed since it was read."""
        unchanged = {"_id": account["_id"], "version": account["version"]}
        await self._candidates.update_one(unchanged, {"$set": {KEYS: list(keys) or _NO_KEYS}})

    async def standing(self, ids: Iterable[str]) -> list[Document]:
        """Those of the accounts that are there and not merged."""
        return await self._candidates.find({"_id": {"$in": sorted(set(ids))}, "merged_into": None}).to_list(None)

    async def present(self, ids: Iterable[str]) -> set[str]:
        """Which of the accounts are there, merged or not."""
        found = self._candidates.find({"_id": {"$in": sorted(set(ids))}}, {"_id": 1})
        return {row["_id"] async for row in found}

    async def offered(self, program: str, limit: int) -> list[Document]:
        """Pairs that staff are to look at, the likeliest first."""
        query = {"program": program, "state": "suspected"}
        return await self._pairs.find(query).sort([("score", DESCENDING), ("_id", ASCENDING)]).to_list(limit)

    async def dismissed_with(self, candidate_id: str) -> set[str]:
        """The accounts that staff have said to be another's than this one."""
        pairs = await self._pairs.find({"accounts": candidate_id, "state": "dismissed"}).to_list(None)
        return {each for pair in pairs for each in pair["accounts"]} - {candidate_id}

    async def dismiss(self, session: Session, pair: Document) -> Document:
        """Keep that two accounts are not of one person; who said so first stands."""
        dismissed = {"_id": pair["_id"], "state": "dismissed"}
        before: Document | None = await self._pairs.find_one(dismissed, session=session)
        if before is None:
            await self._pairs.replace_one({"_id": pair["_id"]}, pair, upsert=True, session=session)
        return before or pair


def _suspected(account: Document, likeness: Likeness, now: datetime) -> Document:
    accounts = sorted((account["_id"], likeness.id))
    about = {"program": account["program"], "accounts": accounts}
    like = {"score": round(likeness.score, 3), "reasons": list(likeness.reasons)}
    return {"$set": about | like, "$setOnInsert": {"state": "suspected", "found_at": now}}
