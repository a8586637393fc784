"""Who is signed in: a cookie in the browser, the tokens sealed in the portal's database.

A refresh token works once, and a second use of it ends the session. So of all requests of one browser, in all
processes, one refreshes, and the others wait for what it got.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import orjson
from pymongo import ASCENDING, IndexModel, ReturnDocument

from libs.common.clock import Clock, as_stored
from libs.common.mongo.client import Database, Document
from libs.common.mongo.migrations import Migration, declare
from libs.common.sealing import SecretBox
from services.portal.backend.client import Down, Refused
from services.portal.backend.shapes import Tokens

COLLECTION: Final = "sessions"
MIGRATIONS: Final = (
    Migration(
        1,
        "sessions",
        declare({COLLECTION: [IndexModel([("expires_at", ASCENDING)], name="expires", expireAfterSeconds=0)]}),
    ),
)

LASTS: Final = timedelta(days=30)
"""Without use; identity ends the session behind it at the same time."""
EARLY: Final = timedelta(seconds=30)
"""A token that ends sooner than this is refreshed before it is used."""
_LOOKS_AGAIN: Final = timedelta(days=1)
_LEASE: Final = timedelta(seconds=12)
"""Longer than a refresh may take."""
_LOOK_SECONDS: Final = 0.05
_WAIT_SECONDS: Final = 5.0

Refresh = Callable[[str], Awaitable[Tokens]]


class Session(NamedTuple):
    """A browser that is signed in.

    Attributes:
        language: BCP 47, as the profile has it.
        time_zone: IANA name, as the profile has it.
        let_in: whether the program knew all that it wants to know first, when it was last looked at.
    """

    key: str
    program: str
    candidate_id: str
    access_token: str
    since: datetime
    language: str | None = None
    time_zone: str | None = None
    let_in: bool = False


class Sessions:
    """All sessions of all browsers.

    Args:
        database: the portal's own.
        box: what the tokens are sealed in.
        clock: tells when tokens end.
    """

    def __init__(self, database: Database, box: SecretBox, clock: Clock) -> None:
        self._rows = database[COLLECTION]
        self._box = box
        self._clock = clock

    async def open(
        self,
        program: str,
        candidate_id: str,
        tokens: Tokens,
        *,
        language: str | None = None,
        time_zone: str | None = None,
    ) -> str:
        """Begin a session. Returns what the browser keeps; the database has only its hash."""
        cookie = secrets.token_urlsafe(32)
        now = self._clock.now()
        row = {
            "_id": _key(cookie),
            "program": program,
            "candidate_id": candidate_id,
            "since": as_stored(now),
            "language": language,
            "time_zone": time_zone,
        }
        await self._rows.insert_one(row | self._kept(tokens, now))
        return cookie

    async def find(self, cookie: str, refresh: Refresh) -> Session | None:
        """The session that a browser names, with a token that works; None where it has ended.

        Raises:
            Down: the token has to be refreshed, and identity does not answer.
        """
        row = await self._rows.find_one({"_id": _key(cookie)})
        if row is None or row["expires_at"] <= self._clock.now():
            return None
        if row["access_until"] - EARLY > self._clock.now():
            return self._session(row)
        return await self._refreshed(row["_id"], refresh)

    async def speak(self, key: str, language: str | None, time_zone: str | None) -> None:
        """Go on in another language or time zone."""
        await self._rows.update_one({"_id": key}, {"$set": {"language": language, "time_zone": time_zone}})

    async def let_in(self, key: str) -> None:
        """Nothing is missing in the profile; it is looked at again tomorrow, for what a program asks for may change."""
        until = as_stored(self._clock.now() + _LOOKS_AGAIN)
        await self._rows.update_one({"_id": key}, {"$set": {"let_in_until": until}})

    async def close(self, key: str) -> None:
        await self._rows.delete_one({"_id": key})

    async def _refreshed(self, key: str, refresh: Refresh) -> Session | None:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + _WAIT_SECONDS
        while loop.time() < give_up:
            now = self._clock.now()
            mine: Document | None = await self._rows.find_one_and_update(
                {"_id": key, "access_until": {"$lte": as_stored(now + EARLY)}, "leased_until": {"$not": {"$gt": now}}},
                {"$set": {"leased_until": as_stored(now + _LEASE)}},
                return_document=ReturnDocument.AFTER,
            )
            if mine is not None:
                return await self._refresh(mine, refresh)
            row = await self._rows.find_one({"_id": key})
            if row is None:
                return None
            if row["access_until"] - EARLY > now:
                return self._session(row)
            await asyncio.sleep(_LOOK_SECONDS)
        raise Down("identity")

    async def _refresh(self, row: Document, refresh: Refresh) -> Session | None:
        held = orjson.loads(self._box.open(row["tokens"]))
        try:
            tokens = await refresh(held["refresh_token"])
        except Refused:
            await self.close(row["_id"])
            return None
        except Down:
            await self._rows.update_one({"_id": row["_id"]}, {"$unset": {"leased_until": ""}})
            raise
        kept = self._kept(tokens, self._clock.now())
        await self._rows.update_one({"_id": row["_id"]}, {"$set": kept, "$unset": {"leased_until": ""}})
        return self._session(row | kept)

    def _kept(self, tokens: Tokens, now: datetime) -> Document:
        sealed = self._box.seal(
            orjson.dumps({"access_token": tokens.access_token, "refresh_token": tokens.refresh_token})
        )
        return {
            "tokens": sealed,
            "access_until": as_stored(now + timedelta(seconds=tokens.expires_in)),
            "expires_at": as_stored(now + LASTS),
        }

    def _session(self, row: Document) -> Session:
        token = orjson.loads(self._box.open(row["tokens"]))["access_token"]
        return Session(
            key=row["_id"],
            program=row["program"],
            candidate_id=row["candidate_id"],
            access_token=token,
            since=row["since"],
            language=row.get("language"),
            time_zone=row.get("time_zone"),
            let_in="let_in_until" in row and row["let_in_until"] > self._clock.now(),
        )


def _key(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
