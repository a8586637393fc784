"""Who was erased, in a form that names nobody: hashes under a secret key, and the pseudonym behind each.

A message about an erased person may still come: late, in the wrong order, or replayed. By its tombstone a service knows
it, and brings no personal data back. Without the key nobody can try IDs out.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import SecretStr
from pymongo import ASCENDING, IndexModel, UpdateOne

from libs.common.mongo.client import Database, Session
from libs.common.mongo.unit_of_work import Transaction

COLLECTION = "tombstones"
INDEXES = [IndexModel([("told_at", ASCENDING)], name="told")]

_STALE_SECONDS = 2.0
"""How old the copy in memory may be. What slips through meanwhile is erased when identity tells it again."""
_OVERLAP = timedelta(minutes=1)
"""Longer than a transaction lasts: a row with an earlier moment may become visible after a later one."""


class Erased(NamedTuple):
    """What stands for somebody, and since when."""

    pseudonym: str
    at: datetime


class Tombstones:
    """The tombstones of a service's database, with a copy in memory: looking one up costs no query."""

    def __init__(self, database: Database, key: SecretStr) -> None:
        self._rows = database[COLLECTION]
        self._key = hashlib.sha256(key.get_secret_value().encode()).digest()
        self._known: dict[str, Erased] = {}
        self._newest: datetime | None = None
        self._read_at: float | None = None

    async def add(self, transaction: Transaction, ids: Mapping[str, str], at: datetime) -> None:
        """Remember ids, a candidate's or a partner's, each with its pseudonym; of two erasures the later one counts.

        A partner's id may be erased, registered anew and erased again.
        """
        made = {self._hash(one): Erased(pseudonym, at) for one, pseudonym in ids.items()}
        writes = [
            UpdateOne({"_id": key}, [{"$set": _if_later(erased, transaction.now)}], upsert=True)
            for key, erased in made.items()
        ]
        if writes:
            await self._rows.bulk_write(writes, ordered=False, session=transaction.session)
        transaction.on_commit(lambda: self._learn(made))

    async def find(self, ids: Iterable[str]) -> dict[str, Erased]:
        """Those of the ids that were erased, as far as this process knows."""
        await self._refresh()
        if not self._known:
            return {}
        return {one: found for one in set(ids) if (found := self._known.get(self._hash(one))) is not None}

    async def look_up(self, session: Session | None, ids: Iterable[str]) -> dict[str, Erased]:
        """The same from the database itself."""
        keys = {self._hash(one): one for one in set(ids)}
        rows = self._rows.find({"_id": {"$in": list(keys)}}, session=session)
        return {keys[row["_id"]]: Erased(row["pseudonym"], row["at"]) async for row in rows}

    async def _refresh(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._read_at is not None and now - self._read_at < _STALE_SECONDS:
            return
        since = {"told_at": {"$gte": self._newest - _OVERLAP}} if self._newest else {}
        async for row in self._rows.find(since):
            self._learn({row["_id"]: Erased(row["pseudonym"], row["at"])})
            self._newest = max(self._newest or row["told_at"], row["told_at"])
        self._read_at = now

    def _learn(self, found: Mapping[str, Erased]) -> None:
        for key, erased in found.items():
            known = self._known.get(key)
            if known is None or known.at < erased.at:
                self._known[key] = erased

    def _hash(self, one: str) -> str:
        return hashlib.blake2b(one.encode(), key=self._key, digest_size=16).hexdigest()


def _if_later(erased: Erased, now: datetime) -> dict[str, object]:
    """The fields of a row, unless it tells of the same or a later erasure; one that is not there tells of none."""
    fields = {"pseudonym": erased.pseudonym, "told_at": now, "at": erased.at}
    later = {"$gt": [erased.at, {"$ifNull": ["$at", datetime.min.replace(tzinfo=UTC)]}]}
    return {name: {"$cond": [later, {"$literal": value}, f"${name}"]} for name, value in fields.items()}
