"""By what a vendor proves itself over HTTPS: tokens, kept as hashes, and secrets that sign, kept encrypted."""

import hashlib
import hmac
import secrets as random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from libs.common import signatures
from libs.common.clock import Clock, as_stored
from libs.common.errors import Unavailable
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.ids import new_id, new_secret
from libs.common.mongo.client import Database, Document
from libs.common.sealing import SecretBox

Kind = Literal["token", "signing_secret"]
_FIELDS: dict[Kind, str] = {"token": "tokens", "signing_secret": "signing_secrets"}

COLLECTION = "vendors"
_SECRET_BYTES = 32
_NOTHING = hashlib.sha256(b"nobody's").hexdigest()


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What a vendor enters with from now on; shown once."""

    vendor: Document
    secret: str


class Credentials:
    """Makes and changes vendors' credentials.

    A token is 256 random bits, so a plain SHA-256 of it cannot be guessed backwards. A secret must be known to check a
    signature; so it lies in the database encrypted.

    Args:
        box: encrypts what signs; without it there are tokens only.
    """

    def __init__(self, database: Database, box: SecretBox | None, clock: Clock) -> None:
        self._rows = database[COLLECTION]
        self._box = box
        self._clock = clock

    async def all(self) -> list[Document]:
        return await self._rows.find().sort("_id").to_list(None)

    async def find(self, vendor: str) -> Document | None:
        row: Document | None = await self._rows.find_one({"_id": vendor})
        return row

    async def admit(self, vendor: str, programs: Sequence[str], *, by: str) -> Document:
        """Let a vendor report for these programs; it may be known, or have been ended before."""
        new = {"tokens": [], "signing_secrets": [], "made_at": as_stored(self._clock.now()), "made_by": by}
        change = {"$set": {"programs": sorted(set(programs)), "ended_at": None}, "$setOnInsert": new}
        await self._rows.update_one({"_id": vendor}, change, upsert=True)
        return await self._get(vendor)

    async def renew(self, vendor: str, kind: Kind, old_works_for: timedelta) -> NewCredential:
        """Give a vendor a new token or secret beside its newest one, which goes on for a while; older ones end.

        Raises the problems `not-found`, and `conflict` where the vendor has ended or is being changed by somebody else.
        """
        row, now = await self._get(vendor), as_stored(self._clock.now())
        secret, kept = self._made(kind)
        field = _FIELDS[kind]
        old = [{**each, "valid_until": now + old_works_for} for each in row[field][-1:]] if old_works_for else []
        after = [*old, {"id": new_id(), **kept, "made_at": now, "valid_until": None}]
        unchanged = {"_id": vendor, field: row[field], "ended_at": None}
        if not (await self._rows.update_one(unchanged, {"$set": {field: after}})).modified_count:
            raise Problem(CONFLICT, "the vendor has been removed, or its credentials have just been changed")
        return NewCredential({**row, field: after}, secret)

    async def end(self, vendor: str) -> None:
        """End all of a vendor's credentials. Raises the problem `not-found`."""
        gone = {
            "tokens": [],
            "signing_secrets": [],
            "ended_at": {"$ifNull": ["$ended_at", as_stored(self._clock.now())]},
        }
        if not (await self._rows.update_one({"_id": vendor}, [{"$set": gone}])).matched_count:
            raise Problem(NOT_FOUND)

    def knows_token(self, row: Document | None, token: str) -> bool:
        """Whether a token is the vendor's; the time it takes says nothing, not even whether there is a vendor."""
        given = _digest(token)
        digests = [each["digest"] for each in self._working(row, "token")] or [_NOTHING]
        return bool(sum(hmac.compare_digest(digest, given) for digest in digests))

    def signing_secrets(self, row: Document | None) -> list[bytes]:
        """The secrets that sign for a vendor now; for one without any, one that nobody knows."""
        kept = self._working(row, "signing_secret")
        if self._box is None or not kept:
            return [random.token_bytes(_SECRET_BYTES)]
        try:
            return [self._box.open(each["sealed"]) for each in kept]
        except ValueError as error:
            raise Unavailable("signing secrets cannot be read: is CERTRAIL_CREDENTIALS_SECRET right?") from error

    def _working(self, row: Document | None, kind: Kind) -> list[Document]:
        now: datetime = self._clock.now()
        kept = row[_FIELDS[kind]] if row else []
        return [each for each in kept if each["valid_until"] is None or now < each["valid_until"]]

    def _made(self, kind: Kind) -> tuple[str, Document]:
        if kind == "token":
            token = new_secret()
            return token, {"digest": _digest(token)}
        if self._box is None:
            raise Problem(CONFLICT, "exams has no CERTRAIL_CREDENTIALS_SECRET to keep a signing secret with")
        secret = random.token_bytes(_SECRET_BYTES)
        return signatures.written(secret), {"sealed": self._box.seal(secret)}

    async def _get(self, vendor: str) -> Document:
        row = await self.find(vendor)
        if row is None:
            raise Problem(NOT_FOUND)
        return row


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
