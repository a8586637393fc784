"""The same form sent twice: the second time it changes nothing, and hears when the first time was.

Services keep a change from happening twice by its key. This tells whoever pressed twice, or went back and sent it
again, what became of the first.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from aiohttp import web
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from libs.common.clock import Clock, as_stored
from libs.common.mongo.client import Database, Document
from libs.common.mongo.migrations import Migration, declare
from services.portal.web.drafts import SECRETS
from services.portal.web.forms import KEY_FIELD, TOKEN_FIELD
from services.portal.web.sessions import Session, StaffSession

AnySession = Session | StaffSession

COLLECTION: Final = "done"
MIGRATION: Final = Migration(
    3,
    "done",
    declare({COLLECTION: [IndexModel([("expires_at", ASCENDING)], name="expires", expireAfterSeconds=0)]}),
)
LASTS: Final = timedelta(hours=1)


LEASE: Final = timedelta(minutes=1)
"""How long a form may be in hand, longer than all that one asks of services; then its process is taken for dead."""
_LOOK_SECONDS: Final = 0.1
_WAIT_SECONDS: Final = 12.0
"""A second press waits as long as a change may take: its answer is the one that the browser shows."""

LEADS_TO: Final = web.ResponseKey("leads_to", str)
"""Set on an answer that is a page and no redirection although something was done: where whoever sends it again goes."""


class Done(NamedTuple):
    """What came of a form: when, where it led to, and whether its answer was a page that is shown once."""

    at: datetime
    to: str
    once: bool = False


class Busy(Exception):
    """The same form is in hand, and takes long."""


class Repeats:
    """Forms that were sent, as hashes of all that was in them: nothing of it can be read."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._rows = database[COLLECTION]
        self._clock = clock

    async def begin(self, session: AnySession, path: str, form: Mapping[str, Any]) -> Done | None:
        """Take a form in hand. None where it is the first of its kind; `finish` or `give_up` ends that.

        Of two that are sent at once one is the first, and the other hears what came of it.

        Raises:
            Busy: the first is still in hand after a while.
        """
        if not _is_kept(form):
            return None
        name = _digest(session, path, form)
        loop = asyncio.get_running_loop()
        until = loop.time() + _WAIT_SECONDS
        while loop.time() < until:
            row = await self._taken(name)
            if row is None:
                return None
            if row.get("to") is not None:
                return Done(row["at"], row["to"], row.get("once", False))
            await asyncio.sleep(_LOOK_SECONDS)
        raise Busy

    async def _taken(self, name: str) -> Document | None:
        """Claim a form; the row of whoever has it, else None."""
        now = self._clock.now()
        claimed = {"at": as_stored(now), "to": None, "expires_at": as_stored(now + LEASE)}
        try:
            # A row that is over is deleted by the database within a minute; until then it stands for nothing.
            await self._rows.find_one_and_replace(
                {"_id": name, "expires_at": {"$lte": as_stored(now)}}, claimed, upsert=True
            )
        except DuplicateKeyError:
            return await self._rows.find_one({"_id": name})
        return None

    async def finish(
        self, session: AnySession, path: str, form: Mapping[str, Any], to: str, *, once: bool = False
    ) -> None:
        """Keep what came of a form. `once`: its answer was a page that is shown this once."""
        if _is_kept(form):
            now = self._clock.now()
            row = {"at": as_stored(now), "to": to, "once": once, "expires_at": as_stored(now + LASTS)}
            await self._rows.update_one({"_id": _digest(session, path, form)}, {"$set": row}, upsert=True)

    async def give_up(self, session: AnySession, path: str, form: Mapping[str, Any]) -> None:
        """A form did nothing: it may be sent again."""
        if _is_kept(form):
            await self._rows.delete_one({"_id": _digest(session, path, form), "to": None})


def _is_kept(form: Mapping[str, Any]) -> bool:
    return KEY_FIELD in form and SECRETS.isdisjoint(form)


def _digest(session: AnySession, path: str, form: Mapping[str, Any]) -> str:
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
