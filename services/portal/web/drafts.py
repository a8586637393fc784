"""What somebody typed when their session had ended: kept sealed for half an hour, and put back once they are in again.

All of it happens here and in the door. Fields find what was typed by their names, through `kept`, so that no page has
to know of it. Passwords, codes and files are never kept.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Final

import orjson
from aiohttp import web
from pymongo import ASCENDING, IndexModel

from libs.common.clock import Clock, as_stored
from libs.common.mongo.client import Database
from libs.common.mongo.migrations import Migration, declare
from libs.common.sealing import SecretBox
from services.portal.web.forms import KEY_FIELD, TOKEN_FIELD

COLLECTION: Final = "drafts"
MIGRATION: Final = Migration(
    2,
    "drafts",
    declare({COLLECTION: [IndexModel([("expires_at", ASCENDING)], name="expires", expireAfterSeconds=0)]}),
)
LASTS: Final = timedelta(minutes=30)
SECRETS: Final = frozenset({"password", "new_password", "code", "proved", "link", "started"})
"""Fields of which nothing is kept, in no form."""
_NEVER: Final = SECRETS | {TOKEN_FIELD, KEY_FIELD}
_MOST_BYTES: Final = 65_536
"""Much more than any form takes."""

Draft = Mapping[str, list[str]]
"""What was typed, by field."""

KEPT: Final[ContextVar[Draft]] = ContextVar("kept", default={})  # noqa: B039 never changed
"""What is put back into the forms of the page that is being written."""


def kept(name: str, value: Any, *, several: bool = False) -> Any:
    """What a field shows: what was typed before the session ended, else `value`."""
    found = KEPT.get().get(name)
    if found is None:
        return value
    return found if several else found[0]


def kept_day(name: str, value: Any) -> Any:
    """The same for a day, which has three boxes."""
    parts = {part: found[0] for part, found in KEPT.get().items() if part.startswith(f"{name}.")}
    return parts or value


class Drafts:
    """All drafts of all browsers.

    Args:
        database: the portal's own.
        secret: what owners are hidden with.
        box: what was typed is sealed in it.
        clock: tells when they end.
    """

    def __init__(self, database: Database, secret: str, box: SecretBox, clock: Clock) -> None:
        self._rows = database[COLLECTION]
        self._key = hashlib.sha256(f"certrail portal owners\n{secret}".encode()).digest()
        self._box = box
        self._clock = clock

    def owner(self, program: str, candidate_id: str) -> str:
        """Whom a browser belonged to last, as its cookie has it: it tells them from others, and nobody who they are."""
        return hmac.new(self._key, f"{program}/{candidate_id}".encode(), "sha256").hexdigest()

    async def keep(self, owner: str, page: str, form: Mapping[str, Any]) -> str | None:
        """Keep what was typed. Returns what the browser names it with; None where there was nothing to keep.

        Args:
            owner: who was signed in last in this browser.
            page: the address of the form.
            form: as it was sent.
        """
        found = dict(_typed(form))
        plain = orjson.dumps(found)
        if not found or len(plain) > _MOST_BYTES:
            return None
        cookie = secrets.token_urlsafe(32)
        row = {
            "_id": _name(cookie),
            "owner": owner,
            "page": page,
            "typed": self._box.seal(plain),
            "expires_at": as_stored(self._clock.now() + LASTS),
        }
        await self._rows.insert_one(row)
        return cookie

    async def find(self, cookie: str, owner: str, page: str) -> Draft | None:
        """What was typed on this page by whoever is signed in now."""
        row = await self._rows.find_one({"_id": _name(cookie), "owner": owner, "page": page})
        if row is None or row["expires_at"] <= self._clock.now():
            return None
        return dict(orjson.loads(self._box.open(row["typed"])))

    async def drop(self, cookie: str) -> None:
        await self._rows.delete_one({"_id": _name(cookie)})


def page_of(app: web.Application, path: str) -> str:
    """The page that a form was on: its own address, or the nearest above that can be looked at."""
    while path != "/":
        if any(_shows(route, path) for route in app.router.routes()):
            return path
        path = path.rpartition("/")[0] or "/"
    return path


def _shows(route: web.AbstractRoute, path: str) -> bool:
    if route.method != "GET" or route.resource is None:
        return False
    info = route.resource.get_info()
    pattern = info.get("pattern")
    return pattern.fullmatch(path) is not None if pattern is not None else info.get("path") == path


def _typed(form: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for name in dict.fromkeys(form):
        getall = getattr(form, "getall", None)
        texts = [text for text in (getall(name) if getall else [form[name]]) if isinstance(text, str)]
        if name not in _NEVER and any(texts):
            yield name, texts


def _name(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
