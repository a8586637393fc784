"""A test vendor's own system: what it publishes, and how it reads why it was refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aio_pika
import orjson

from libs.common.bus import topology
from libs.common.bus.messages import Outgoing
from libs.common.bus.publisher import Publisher
from libs.common.errors import Unavailable
from libs.common.events import SINGLE, EventData
from libs.common.ids import new_id
from tests.e2e.waiting import PATIENCE_SECONDS
from tests.servers import BrokerUnderTest

NAME = "vue"


class Vendor:
    """Publishes until the broker has confirmed, whatever happens to the broker meanwhile."""

    def __init__(self, publisher: Publisher, url: str) -> None:
        self._publisher = publisher
        self._url = url

    async def publish(self, message: Outgoing) -> None:
        """Send, and send the same again where the outcome is unknown."""
        while True:
            try:
                await self._publisher.publish(message)
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                return

    async def rejection(self) -> dict[str, Any]:
        """The next answer in the vendor's own rejection queue, which must come."""
        async with await aio_pika.connect(self._url) as connection, connection.channel() as channel:
            queue = await channel.get_queue(topology.rejections_queue(NAME), ensure=False)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (message := await queue.get(no_ack=True, fail=False)) is None:  # noqa: ASYNC110 no event tells
                    await asyncio.sleep(0.05)
        answer: dict[str, Any] = orjson.loads(message.body)
        return answer


def vendor_message(data: EventData, *, program: str = "cisco", **attributes: str) -> Outgoing:
    """A correct message of the vendor's; `attributes` are further ones of the envelope."""
    key = f"{NAME}.{data.name}.v{data.version}"
    event = {
        "specversion": "1.0",
        "id": new_id(),
        "source": NAME,
        "type": key,
        "time": datetime.now(UTC).isoformat(),
        "program": program,
        "data": data.model_dump(mode="json", exclude_none=True),
        **attributes,
    }
    return Outgoing(str(event["id"]), topology.VENDORS, key, key, SINGLE, orjson.dumps(event), user_id=NAME)


@asynccontextmanager
async def open_vendor(broker: BrokerUnderTest) -> AsyncIterator[Vendor]:
    """The vendor, connected with its own account."""
    url = broker.url(NAME)
    publisher, stopping = Publisher(url, name="test-vendor"), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publisher.run(stopping))
        try:
            yield Vendor(publisher, url)
        finally:
            stopping.set()
