"""The same form sent twice: the second time it changes nothing, and hears when the first time was.

Services keep a change from happening twice by its key. This tells whoever pressed twice, or went back and sent it
again, what became of the first.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from aiohttp import web
from pymongo import ASCENDING, IndexModel

from libs.common.clock import Clock, as_stored
from libs.common.mongo.client import Database
from libs.common.mongo.migrations import Migration, declare
from services.portal.web.drafts import SECRETS
from services.portal.web.forms import KEY_FIELD, TOKEN_FIELD
from services.portal.web.sessions import Session

COLLECTION: Final = "done"
MIGRATION: Final = Migration(
    3,
    "done",
    declare({COLLECTION: [IndexModel([("expires_at", ASCENDING)], name="expires", expireAfterSeconds=0)]}),
)
LASTS: Final = timedelta(hours=1)


class Done(NamedTuple):
    """What came of a form: when, and where it led to."""

    at: datetime
    to: str


class Repeats:
    """Forms that were sent, as hashes of all that was in them: nothing of it can be read."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._rows = database[COLLECTION]
        self._clock = clock

    async def find(self, session: Session, path: str, form: Mapping[str, Any]) -> Done | None:
        """What came of the same form when it was sent before; None where it was not, or is another by a letter."""
        if not _is_kept(form):
            return None
        row = await self._rows.find_one({"_id": _digest(session, path, form)})
        return Done(row["at"], row["to"]) if row is not None and row["expires_at"] > self._clock.now() else None

    async def note(self, session: Session, path: str, form: Mapping[str, Any], to: str) -> None:
        """Keep what came of a form."""
        if _is_kept(form):
            now = self._clock.now()
            row = {"at": as_stored(now), "to": to, "expires_at": as_stored(now + LASTS)}
            await self._rows.update_one({"_id": _digest(session, path, form)}, {"$setOnInsert": row}, upsert=True)


def _is_kept(form: Mapping[str, Any]) -> bool:
    return KEY_FIELD in form and SECRETS.isdisjoint(form)


def _digest(session: Session, path: str, form: Mapping[str, Any]) -> str:
    found = hashlib.sha256(f"{session.key}\n{path}".encode())
    for name, value in form.items():
        if name == TOKEN_FIELD:
            continue
        found.update(b"\0" + name.encode() + b"\0")
        if isinstance(value, web.FileField):
            value.file.seek(0)
            found.update(value.file.read())
            value.file.seek(0)
        else:
            found.update(str(value).encode())
    return found.hexdigest()
