"""What waits in the broker's queues, asked over AMQP: exact at the moment of asking, unlike the management API."""

from collections.abc import Iterable
from dataclasses import dataclass

from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity

from libs.common.bus.topology import RETRY_DELAYS, consumed_queues, retry_queue
from libs.common.events import SERVICES


@dataclass(frozen=True)
class Depth:
    """How many messages nobody has in hand, and how many read the queue."""

    ready: int
    consumers: int


def working_queues() -> tuple[str, ...]:
    """Every queue that services read from, and those that lead back to one."""
    return tuple(
        name
        for service in SERVICES
        for queue in consumed_queues(service)
        for name in (queue, *(retry_queue(queue, step) for step in range(1, len(RETRY_DELAYS) + 1)))
    )


async def depths(connection: AbstractConnection, queues: Iterable[str]) -> dict[str, Depth]:
    """The depth of each queue; those that do not exist are left out."""
    found: dict[str, Depth] = {}
    channel = await connection.channel()
    for name in queues:
        try:
            queue = await channel.declare_queue(name, passive=True)
        except ChannelNotFoundEntity:
            channel = await connection.channel()  # the broker closes the one that asked
            continue
        state = queue.declaration_result
        found[name] = Depth(state.message_count or 0, state.consumer_count or 0)
    await channel.close()
    return found
