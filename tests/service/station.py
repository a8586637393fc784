"""A service as it is composed, for tests that talk to its handlers and jobs."""

from typing import Any, ClassVar

from libs.common.bus import topology
from libs.common.service import Parts
from tests.service.rig import Base


class Station:
    """What every service is told, and what it does by itself.

    Attributes:
        service: whose queues it reads.
    """

    service: ClassVar[str]
    base: Base
    parts: Parts

    async def take(self, *items: Any) -> None:
        """What services say, as one batch."""
        await self._handle(topology.events_queue(self.service), items)

    async def take_reports(self, *items: Any) -> None:
        """What vendors say, as one batch."""
        await self._handle(topology.vendors_queue(self.service), items)

    async def run(self, job: str) -> None:
        await next(each.run for each in self.parts.jobs if each.name == job)()

    async def _handle(self, queue: str, items: tuple[Any, ...]) -> None:
        work = next(each.work for each in self.parts.subscriptions if each.queue == queue)
        await self.base.handle(work, *items)
