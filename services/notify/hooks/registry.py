"""Makes hooks, changes them and their secrets, and has messages sent again."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import orjson

from libs.common import signatures
from libs.common.clock import Clock, as_stored
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, invalid
from libs.common.ids import new_id
from libs.common.mongo.client import Document
from libs.common.sealing import SecretBox
from services.notify.hooks.known import KnownHooks
from services.notify.hooks.store import WELL, HookStore, hook_of, new_delivery
from services.notify.hooks.targets import BadTargetError, Targets

PING = "notify.HookPing.v1"
"""The kind of message that says nothing but that the way is open. It is no event: it never goes over the bus."""

_SECRET_BYTES = 32


class Registry:
    """All that people and systems do with hooks."""

    MOST: ClassVar = 50
    """Hooks of one program."""

    def __init__(
        self, store: HookStore, known: KnownHooks, targets: Targets, box: SecretBox | None, clock: Clock
    ) -> None:
        self._store = store
        self._known = known
        self._targets = targets
        self._box = box
        self._clock = clock

    async def of_program(self, program: str) -> list[Document]:
        return await self._store.of_program(program)

    async def get(self, program: str, hook_id: str) -> Document:
        """A hook of a program. Raises the problem `not-found`."""
        return _there(await self._store.get(program, hook_id))

    async def add(self, program: str, wanted: Document, *, by: str) -> tuple[Document, str]:
        """Make a hook. Returns it with its secret, which nobody can read again.

        Raises the problems `invalid-request` for an address that cannot be, and `conflict` where there are enough.
        """
        await self._check(wanted["url"])
        if await self._store.count(program) >= self.MOST:
            raise Problem(CONFLICT, f"a program has {self.MOST} hooks at most")
        now = as_stored(self._clock.now())
        secret, kept = self._new_secret(now)
        row: Document = {
            "_id": new_id(),
            "program": program,
            **wanted,
            "state": "active",
            "off_because": None,
            "secrets": [kept],
            "created_at": now,
            "created_by": by,
            "changed_at": now,
            **WELL,
        }
        await self._store.add(row)
        self._known.forget()
        return row, secret

    async def change(self, program: str, hook_id: str, wanted: Document) -> Document:
        """Change what is said of a hook; with a new address, or switched on, it is tried as if it had never failed.

        Raises the problems `not-found` and `invalid-request`.
        """
        await self.get(program, hook_id)
        if "url" in wanted:
            await self._check(wanted["url"])
        now = self._clock.now()
        fields = wanted | {"changed_at": as_stored(now)}
        anew = "url" in wanted or wanted.get("state") == "active"
        if "state" in wanted:
            fields["off_because"] = None
        row = _there(await self._store.change(program, hook_id, {**fields, **(WELL if anew else {})}))
        if anew:
            await self._store.hurry(hook_id, now)
        self._known.forget()
        return row

    async def remove(self, program: str, hook_id: str) -> None:
        """Raises the problem `not-found`."""
        if not await self._store.remove(program, hook_id):
            raise Problem(NOT_FOUND)
        self._known.forget()

    async def rotate(self, program: str, hook_id: str, old_works_for: timedelta) -> tuple[Document, str]:
        """Give a hook a new secret beside its newest one, which goes on signing for a while; older ones end.

        Raises the problems `not-found`, and `conflict` where somebody else is at it.
        """
        row, now = await self.get(program, hook_id), as_stored(self._clock.now())
        secret, kept = self._new_secret(now)
        old = [{**one, "valid_until": now + old_works_for} for one in row["secrets"][-1:]]
        found = [*(old if old_works_for else []), kept]
        if not await self._store.set_secrets(row, found):
            raise Problem(CONFLICT, "the secrets of this hook have just been changed")
        self._known.forget()
        return {**row, "secrets": found}, secret

    async def ping(self, program: str, hook_id: str) -> Document:
        """Send a message that says nothing.

        Raises the problems `not-found`, and `conflict` for a hook that is not active.
        """
        row = await self.get(program, hook_id)
        if row["state"] != "active":
            raise Problem(CONFLICT, "the hook is not active")
        now, event_id = self._clock.now(), new_id()
        body = {
            "specversion": "1.0",
            "id": event_id,
            "source": "certrail/notify",
            "type": f"certrail.{PING}",
            "time": now.isoformat(),
            "datacontenttype": "application/json",
            "program": program,
            "data": {"hook_id": hook_id},
        }
        text = orjson.dumps(body).decode()
        made = new_delivery(
            event_id, hook=hook_of(row), event_key=PING, event_id=event_id, candidates=[], body=text, now=now
        )
        await self._store.put(None, [made])
        return made

    async def log(
        self, program: str, hook_id: str, *, state: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        """What was sent to a hook, latest first. Raises the problem `not-found`."""
        await self.get(program, hook_id)
        return await self._store.log(hook_id, state=state, before=before, limit=limit)

    async def again(self, program: str, hook_id: str, among: Document) -> int:
        """Send messages again, under their own ids. Returns how many. Raises the problem `not-found`."""
        await self.get(program, hook_id)
        return await self._store.again(hook_id, among, self._clock.now())

    async def _check(self, url: str) -> None:
        try:
            await self._targets.check(url)
        except BadTargetError as error:
            raise invalid("body.url", "target", str(error)) from error

    def _new_secret(self, now: datetime) -> tuple[str, dict[str, Any]]:
        if self._box is None:
            raise Problem(CONFLICT, "notify has no CERTRAIL_HOOKS_SECRET to keep a secret with")
        secret = secrets.token_bytes(_SECRET_BYTES)
        return signatures.written(secret), {"sealed": self._box.seal(secret), "made_at": now, "valid_until": None}


def ids_of(delivery_ids: Sequence[str]) -> Document:
    """Messages by their ids."""
    return {"_id": {"$in": list(delivery_ids)}}


def between(first: datetime, last: datetime | None, *, only_dead: bool) -> Document:
    """Messages that came to be sent from `first` on, and before `last`."""
    span = {"$gte": as_stored(first)} | ({"$lt": as_stored(last)} if last else {})
    return {"created_at": span} | ({"state": "dead"} if only_dead else {})


def _there(row: Document | None) -> Document:
    if row is None:
        raise Problem(NOT_FOUND)
    return row
