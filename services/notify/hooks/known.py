"""The hooks as a process knows them: read together now and then, so that an event that nobody wants costs no query."""

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from libs.common.mongo.client import Document
from services.notify.hooks.store import Hook, HookStore, hook_of


class KnownHooks:
    """All hooks that take events in, by id."""

    STALE_SECONDS: ClassVar = 1.0
    """How old what is known may be: a new hook is told what happens from about then on."""

    def __init__(self, store: HookStore) -> None:
        self._store = store
        self._known: dict[str, Hook] = {}
        self._read_at: float | None = None

    async def all(self) -> Mapping[str, Hook]:
        if self._stale:
            now = _now()
            self._known = {hook.id: hook for hook in await self._store.hooks()}
            self._read_at = now
        return self._known

    def may_want(self, event_key: str) -> bool:
        """Whether a hook may want such events; without a query, so that it may while what is known is stale."""
        return self._stale or any(event_key in hook.events for hook in self._known.values())

    @property
    def _stale(self) -> bool:
        return self._read_at is None or _now() - self._read_at >= self.STALE_SECONDS

    def learn(self, row: Document) -> None:
        """A hook as this process has just changed it."""
        hook = hook_of(row)
        if hook.state == "off":
            self._known.pop(hook.id, None)
        else:
            self._known[hook.id] = hook

    def forget(self) -> None:
        """Read anew at the next question."""
        self._read_at = None


def _now() -> float:
    return asyncio.get_running_loop().time()
