"""Lives of a service's process, each killed one await later than the one before, each cleaning up after the last."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from libs.common.bus.consumer import Decode
from libs.common.bus.messages import Delivery, Item, Undecodable
from libs.common.mongo.outbox import LEASE
from libs.common.service import Parts, Platform, Role, Service, run
from tests.service.bus import PATIENCE_SECONDS
from tests.service.mortal import Mortal
from tests.service.proxy import Proxy, proxy_to
from tests.service.rig import eventually
from tests.service.world import World

COUNTED = (
    "Consumer.run",
    "UnitOfWork._until_committed",
    "Relay.run",
    "Relay._remove_confirmed",
    "Publisher.publish",
    "Sender._send",
    "Sender._settle",
)
"""The tasks between receipt and acknowledgement, commit and mark-sent, a mail's claim and its record."""


async def lived(process: Mortal, work: Callable[..., Coroutine[Any, Any, None]], *urls: str) -> bool:
    """Run a process once, with these addresses in a form in which they can be cut. Returns whether it died."""
    with ExitStack() as stack:
        wires = [stack.enter_context(proxy_to(url)) for url in urls]
        root = process.run(work(*(through for _, through in wires)))
        struck = asyncio.ensure_future(process.struck.wait())
        await asyncio.wait([root, struck], return_when=asyncio.FIRST_COMPLETED)
        struck.cancel()
        if not process.dying:
            root.result()
            return False
        await process.stand_still()
        for wire, _ in wires:
            wire.cut()
        await process.bury()
        return True


class Life:
    """One process of a service with all its roles, on connections that can be cut."""

    def __init__(self, world: World, service: Service) -> None:
        self._world = world
        self._service = service
        self._stack = ExitStack()
        self._wires: list[Proxy] = []
        self._stopping = asyncio.Event()
        self._awaited: bytes | None = None
        self._die_at = -1
        self._stops_at_receipt = True
        self.process = Mortal(*COUNTED)
        self._root: asyncio.Task[None] | None = None

    async def begin(self, queues: Sequence[str]) -> None:
        """Start, and wait until it reads its queues."""
        name = self._service.name
        mongo_url, amqp_url = (self._wire(url) for url in (self._world.mongo.url(name), self._world.broker.url(name)))
        settings = self._world.settings(name, mongo_url, amqp_url)
        service = replace(self._service, build=self._watched_build)
        work = run(service, settings, Role.ALL, self._world.programs, stopping=self._stopping, clock=self._world.clock)
        self._root = self.process.run(work)
        for queue in queues:
            await eventually(partial(self._world.bus.readers, queue), lambda count: count == 1)

    def _wire(self, url: str) -> str:
        proxy, through = self._stack.enter_context(proxy_to(url))
        self._wires.append(proxy)
        return through

    def _watched_build(self, platform: Platform, settings: Any) -> Parts:
        self.process.client = platform.database.client
        parts = self._service.build(platform, settings)
        watched = [replace(one, decode=self._watched(one.decode)) for one in parts.subscriptions]
        return replace(parts, subscriptions=watched)

    def _watched(self, decode: Decode) -> Decode:
        def watch(delivery: Delivery) -> Sequence[Item | Undecodable]:
            if self._awaited is not None and self._awaited in delivery.body and not self.process.armed:
                self.process.arm(self._die_at)
                if self._stops_at_receipt:
                    self._stopping.set()
            return decode(delivery)

        return watch

    def die_after_receipt_of(self, marker: bytes, die_at: int, *, and_stop: bool) -> None:
        """Receipt of the message with these bytes begins the counting, and a stop that finishes what is in hand."""
        self._awaited, self._die_at, self._stops_at_receipt = marker, die_at, and_stop

    async def end(self) -> bool:
        """Wait for its end. Returns whether it died; otherwise it has stopped by itself."""
        assert self._root is not None
        struck = asyncio.ensure_future(self.process.struck.wait())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait([self._root, struck], return_when=asyncio.FIRST_COMPLETED)
        struck.cancel()
        if not self.process.dying:
            self._root.result()
            self._stack.close()
            return False
        await self.process.stand_still()
        for wire in self._wires:
            wire.cut()
        return True

    async def bury(self) -> None:
        """Tidy up after a death."""
        await self.process.bury()
        self._stack.close()

    def stop_now(self) -> None:
        """Begin a clean stop."""
        self._stopping.set()

    async def stop(self) -> None:
        """Stop it cleanly."""
        self.stop_now()
        await self.end()


@dataclass(frozen=True)
class Scenario:
    """One message and what must come of it, for any number of subjects."""

    service: Service
    queue: str
    marker: Callable[[int], bytes]
    """Bytes that only the message about the n-th subject holds."""
    deliver: Callable[[int], Any]
    """Publishes that message."""
    settled: Callable[[int], Any]
    """Waits until the effects about the n-th subject are seen."""
    check: Callable[[int], Any]
    """Fails where there is not exactly one of each effect about the n-th subject."""
    lease: timedelta = LEASE
    """How long what a dead process has claimed stays its own."""
    finished: Callable[[int], Any] | None = None
    """Waits for the last effect, where it comes after the acknowledgement; a life that lives so long is then stopped.
    Without it a life is stopped at receipt, and finishes what is in hand."""


async def kill_at_every_await(world: World, scenario: Scenario, *, at_most: int = 300) -> int:
    """Kill one life after the other, each one await later, until one comes through. Returns how many died."""
    graves: list[asyncio.Task[None]] = []
    queues = [scenario.queue]
    try:
        for point in range(1, at_most):
            life = Life(world, scenario.service)
            await life.begin(queues)
            if point > 1:
                await scenario.settled(point - 1)
            life.die_after_receipt_of(scenario.marker(point), point, and_stop=scenario.finished is None)
            await scenario.deliver(point)
            if not await _end(life, scenario, point):
                await scenario.settled(point)
                for subject in range(1, point + 1):
                    await scenario.check(subject)
                assert await world.bus.ready(scenario.queue) == 0
                return point - 1
            await world.end_sessions(scenario.service.name)
            world.clock.advance(scenario.lease + timedelta(seconds=1))
            graves.append(asyncio.create_task(life.bury()))
    finally:
        await asyncio.gather(*graves)
    raise AssertionError(f"the scenario does not end within {at_most} awaits")


async def _end(life: Life, scenario: Scenario, subject: int) -> bool:
    if scenario.finished is None:
        return await life.end()
    finished = asyncio.ensure_future(scenario.finished(subject))
    finished.add_done_callback(lambda _: life.stop_now())
    try:
        return await life.end()
    finally:
        finished.cancel()
