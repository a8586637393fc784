"""A process that can be killed at any await: its tasks run under a driver that counts where they are suspended.

At the chosen suspension everything the process has under way stops for good. What it asked of the servers until
then still happens (a killed process's last request may well arrive), the answer is seen by nobody; then its
connections break. Nothing it does afterwards reaches anybody, so its tasks can be unwound for tidiness' sake.
"""

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from types import CodeType
from typing import Any

from libs.common.mongo.client import Client

_GRACE_SECONDS = 0.1
"""How long the last request may take; an await that waits for the process itself would never end."""

_current: ContextVar["Mortal | None"] = ContextVar("mortal", default=None)


class Mortal:
    """One process: every task started from `run` belongs to it."""

    def __init__(self, *counted: str) -> None:
        """`counted` names the coroutines (`Consumer.run`) whose tasks' suspensions count."""
        self._counted = counted
        self._left = -1
        self.suspensions = 0
        """How many counted ones there were since `arm`."""
        self.armed = False
        self.dying = False
        self.struck = asyncio.Event()
        """Set at the fatal suspension."""
        self.buried = False
        self._last: Driven | None = None
        self.gone = asyncio.Event()
        """Set when it stands still for good."""
        self.tasks: set[asyncio.Task[Any]] = set()
        self.client: Client | None = None
        """Its connections to the database, once it has any."""

    def arm(self, die_at: int) -> None:
        """From now on, count; stop for good at the `die_at`-th suspension."""
        self.armed, self._left = True, die_at

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start the process."""
        context = Context()
        context.run(_current.set, self)
        return asyncio.get_running_loop().create_task(work, context=context)

    def counts(self, code: CodeType) -> bool:
        return code.co_qualname in self._counted

    def suspended(self, driven: "Driven") -> None:
        if self.armed and not self.dying:
            self.suspensions += 1
            if self.suspensions == self._left:
                self.dying, self._last = True, driven
                self.struck.set()

    def woken(self, driven: "Driven") -> None:
        if driven is self._last:
            self.gone.set()

    async def stand_still(self) -> None:
        """Wait until the last request has been answered, if ever it is."""
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                await self.gone.wait()
        except TimeoutError:
            self.gone.set()

    async def bury(self) -> None:
        """Unwind its tasks; call it once none of its connections is left.

        A closed client refuses at once what would else wait for the cut network.
        """
        if self.client is not None:
            await asyncio.to_thread(self.client.close)
        self.buried = True
        while pending := [task for task in self.tasks if not task.done()]:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending, timeout=1)
        await asyncio.gather(*self.tasks, return_exceptions=True)


class Driven(Coroutine[Any, Any, Any]):
    """A coroutine of a mortal process: passes everything on while the process lives, and nothing after."""

    def __init__(self, inner: Coroutine[Any, Any, Any], process: Mortal) -> None:
        self._inner = inner
        self._process = process
        code: Any = getattr(inner, "cr_code", None)
        self._counted = code is not None and process.counts(code)

    def send(self, value: Any) -> Any:
        if self._frozen():
            return self._wait_for_ever()
        return self._stepped(self._inner.send(value))

    def throw(self, *error: Any) -> Any:
        if self._frozen():
            return self._wait_for_ever()
        return self._stepped(self._inner.throw(*error))

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise TypeError("only tasks drive it")

    def _frozen(self) -> bool:
        self._process.woken(self)
        return self._process.dying and not self._process.buried

    def _stepped(self, awaited: Any) -> Any:
        if self._counted:
            self._process.suspended(self)
        return awaited

    def _wait_for_ever(self) -> Any:
        return next(iter(asyncio.get_running_loop().create_future().__await__()))


@contextmanager
def mortals(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Within the block, tasks started by a mortal process are driven by it."""

    def make(
        loop: asyncio.AbstractEventLoop, work: Any, *, context: Context | None = None, **options: Any
    ) -> asyncio.Task[Any]:
        process = _current.get() if context is None else context.get(_current)
        if process is None:
            return asyncio.Task(work, loop=loop, context=context, **options)
        task: asyncio.Task[Any] = asyncio.Task(Driven(work, process), loop=loop, context=context, **options)
        process.tasks.add(task)
        return task

    earlier = loop.get_task_factory()
    loop.set_task_factory(make)
    try:
        yield
    finally:
        loop.set_task_factory(earlier)
