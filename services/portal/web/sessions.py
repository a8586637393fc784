"""Who is signed in: a cookie in the browser, the tokens sealed in the portal's database. Candidates and staff apart.

A refresh token works once, and a second use of it ends the session. So of all requests of one browser, in all
processes, one refreshes, and the others wait for what it got.
"""

import asyncio
import base64
import hashlib
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Generic, NamedTuple, TypeVar

import orjson
from pymongo import ASCENDING, IndexModel, ReturnDocument

from libs.common.clock import Clock, as_stored
from libs.common.mongo.client import Database, Document
from libs.common.mongo.migrations import Migration, declare
from libs.common.sealing import SecretBox
from services.portal.backend.client import Down, Refused
from services.portal.backend.shapes import Tokens

COLLECTION: Final = "sessions"
STAFF_COLLECTION: Final = "staff_sessions"
_EXPIRY: Final = [IndexModel([("expires_at", ASCENDING)], name="expires", expireAfterSeconds=0)]
MIGRATIONS: Final = (
    Migration(1, "sessions", declare({COLLECTION: _EXPIRY})),
    Migration(2, "sessions of staff", declare({STAFF_COLLECTION: _EXPIRY})),
)

LASTS: Final = timedelta(days=30)
"""Without use; identity ends the session behind it at the same time."""
STAFF_LASTS: Final = timedelta(hours=1)
"""The same for staff, who see everybody's data."""
EARLY: Final = timedelta(seconds=30)
"""A token that ends sooner than this is refreshed before it is used."""
_VIEWED: Final = 500
"""Candidates that are remembered; before the first of these is asked for again, nobody remembers it either."""
_LOOKS_AGAIN: Final = timedelta(days=1)
_NAMED_FOR: Final = timedelta(hours=1)
"""Names change by a case, in days."""
_LEASE: Final = timedelta(seconds=12)
"""Longer than a refresh may take."""
_LOOK_SECONDS: Final = 0.05
_WAIT_SECONDS: Final = 5.0

Refresh = Callable[[str], Awaitable[Tokens]]
S = TypeVar("S")


class Session(NamedTuple):
    """A browser that is signed in.

    Attributes:
        language: BCP 47, as the profile has it.
        time_zone: IANA name, as the profile has it.
        let_in: whether the program knew all that it wants to know first, when it was last looked at.
        name: for the head of pages, as it was lately; empty where it has to be asked for.
    """

    key: str
    program: str
    candidate_id: str
    access_token: str
    since: datetime
    language: str | None = None
    time_zone: str | None = None
    let_in: bool = False
    name: str = ""


class StaffSession(NamedTuple):
    """A browser in which somebody of staff is signed in.

    Attributes:
        name: as people of the program know them.
        roles: in this program.
        programs: all in which they have a role; a session is of one.
        scopes: what their token allows now; services decide, pages only leave out what would be refused.
    """

    key: str
    program: str
    staff_id: str
    name: str
    email: str
    roles: tuple[str, ...]
    programs: tuple[str, ...]
    scopes: frozenset[str]
    access_token: str
    since: datetime
    viewed: frozenset[str] = frozenset()
    """Candidates for whose view they have given a reason since they signed in."""

    @property
    def subject(self) -> str:
        """How services name them: as owner of an item, as author of a decision."""
        return f"staff:{self.staff_id}"

    def may(self, *scopes: str) -> bool:
        return self.scopes.issuperset(scopes)


class KeptSessions(ABC, Generic[S]):
    """Sessions of one kind, in a collection of their own.

    Args:
        database: the portal's own.
        collection: of these sessions.
        box: what the tokens are sealed in.
        clock: tells when tokens end.
        lasts: how long a session goes on without use.
    """

    def __init__(self, database: Database, collection: str, box: SecretBox, clock: Clock, lasts: timedelta) -> None:
        self._rows = database[collection]
        self._box = box
        self._clock = clock
        self._lasts = lasts

    @abstractmethod
    def _session(self, row: Document) -> S:
        """A row as a session."""

    async def _open(self, tokens: Tokens, fields: dict[str, Any]) -> str:
        """Begin a session. Returns what the browser keeps; the database has only its hash."""
        cookie = secrets.token_urlsafe(32)
        now = self._clock.now()
        row = {"_id": _key(cookie), "since": as_stored(now), **fields}
        await self._rows.insert_one(row | self._kept(tokens, now))
        return cookie

    async def find(self, cookie: str, refresh: Refresh) -> S | None:
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

    async def close(self, key: str) -> None:
        await self._rows.delete_one({"_id": key})

    async def _refreshed(self, key: str, refresh: Refresh) -> S | None:
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

    async def _refresh(self, row: Document, refresh: Refresh) -> S | None:
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
            "expires_at": as_stored(now + self._lasts),
        }

    def _access_token(self, row: Document) -> str:
        return str(orjson.loads(self._box.open(row["tokens"]))["access_token"])


class Sessions(KeptSessions[Session]):
    """All sessions of candidates."""

    def __init__(self, database: Database, box: SecretBox, clock: Clock) -> None:
        super().__init__(database, COLLECTION, box, clock, LASTS)

    async def open(
        self,
        program: str,
        candidate_id: str,
        tokens: Tokens,
        *,
        language: str | None = None,
        time_zone: str | None = None,
    ) -> str:
        """Begin a session. Returns what the browser keeps."""
        fields = {"program": program, "candidate_id": candidate_id, "language": language, "time_zone": time_zone}
        return await self._open(tokens, fields)

    async def speak(self, key: str, language: str | None, time_zone: str | None) -> None:
        """Go on in another language or time zone."""
        await self._rows.update_one({"_id": key}, {"$set": {"language": language, "time_zone": time_zone}})

    async def let_in(self, key: str) -> None:
        """Nothing is missing in the profile; it is looked at again tomorrow, for what a program asks for may change."""
        until = as_stored(self._clock.now() + _LOOKS_AGAIN)
        await self._rows.update_one({"_id": key}, {"$set": {"let_in_until": until}})

    async def call(self, key: str, name: str) -> None:
        """Keep the name for the head of pages, sealed, so that not every page asks for it."""
        until = as_stored(self._clock.now() + _NAMED_FOR)
        kept = {"name": self._box.seal(name.encode()), "named_until": until}
        await self._rows.update_one({"_id": key}, {"$set": kept})

    def _session(self, row: Document) -> Session:
        named = "name" in row and row["named_until"] > self._clock.now()
        return Session(
            key=row["_id"],
            program=row["program"],
            candidate_id=row["candidate_id"],
            access_token=self._access_token(row),
            since=row["since"],
            language=row.get("language"),
            time_zone=row.get("time_zone"),
            let_in="let_in_until" in row and row["let_in_until"] > self._clock.now(),
            name=self._box.open(row["name"]).decode() if named else "",
        )


class StaffSessions(KeptSessions[StaffSession]):
    """All sessions of staff."""

    def __init__(self, database: Database, box: SecretBox, clock: Clock) -> None:
        super().__init__(database, STAFF_COLLECTION, box, clock, STAFF_LASTS)

    async def open(
        self,
        program: str,
        tokens: Tokens,
        *,
        staff_id: str,
        name: str,
        email: str,
        roles: Iterable[str],
        programs: Iterable[str],
    ) -> str:
        """Begin a session in one program. Returns what the browser keeps."""
        who = {"staff_id": staff_id, "name": name, "email": email}
        return await self._open(tokens, {"program": program, **who, "roles": [*roles], "programs": [*programs]})

    async def note_view(self, key: str, candidate_id: str) -> None:
        """A reason was given for looking at a candidate: it holds until they sign out."""
        await self._rows.update_one({"_id": key}, {"$push": {"viewed": {"$each": [candidate_id], "$slice": -_VIEWED}}})

    def _session(self, row: Document) -> StaffSession:
        token = self._access_token(row)
        return StaffSession(
            key=row["_id"],
            program=row["program"],
            staff_id=row["staff_id"],
            name=row["name"],
            email=row["email"],
            roles=tuple(row["roles"]),
            programs=tuple(row["programs"]),
            scopes=_scopes(token),
            access_token=token,
            since=row["since"],
            viewed=frozenset(row.get("viewed", ())),
        )


def _scopes(token: str) -> frozenset[str]:
    """What a token of identity's says that it allows. Its signature is for whoever is asked with it."""
    payload = token.split(".")[1]
    claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return frozenset(str(claims.get("scope", "")).split())


def _key(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
