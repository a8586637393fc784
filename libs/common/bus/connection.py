"""Keeps one AMQP connection alive: connects, lets its user work, and connects again when it is lost.

aio-pika's own robust connection waits a fixed time between tries and restores consumers behind their user's back.
Here the user simply starts anew on each connection, so it always knows that older deliveries are void.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError
from prometheus_client import Counter

LONGEST_PAUSE = 5.0
"""Seconds between two tries to connect, at most."""
CONNECT_TIMEOUT = 10.0
HEARTBEAT = 20

RECONNECTS = Counter("certrail_bus_connections_total", "Connections made to the broker", ["role"])

log = structlog.get_logger(__name__)

LOST: tuple[type[BaseException], ...] = (AMQPError, ConnectionError, OSError, TimeoutError, RuntimeError)
"""What aio-pika raises when a connection or channel is gone, or not there yet."""


@contextmanager
def loss_by_its_name() -> Iterator[None]:
    """Make a connection's loss a `ConnectionError`, also where the client library does not say what it is.

    What waits for an answer when a connection goes is ended with a bare `Exception` if the library knows no reason.
    No defect of ours raises that one, so it can be told from those.
    """
    try:
        yield
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise ConnectionError("the connection went while something waited for it") from error


async def keep_connected(
    url: str, *, name: str, use: Callable[[AbstractConnection], Awaitable[None]], stopping: asyncio.Event
) -> None:
    """Run `use` on a connection, again on a new one each time it is lost, until `stopping` is set.

    `use` returns when it is done for good or the connection is gone; what it raises other than the loss of the
    connection ends the loop and reaches the caller.
    """
    loop = asyncio.get_running_loop()
    pause = 0.1
    while not stopping.is_set():
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                connection = await aio_pika.connect(
                    url, heartbeat=HEARTBEAT, client_properties={"connection_name": name}
                )
        except LOST as error:
            log.warning("broker_unreachable", cause=type(error).__name__, delay_seconds=round(pause, 1))
        else:
            RECONNECTS.labels(name.rsplit("-", 1)[-1]).inc()
            began = loop.time()
            try:
                with loss_by_its_name():
                    await use(connection)
            except LOST as error:
                log.warning("broker_connection_lost", cause=type(error).__name__)
            finally:
                await close_quietly(connection)
            if loop.time() - began > LONGEST_PAUSE:  # one that is lost at once is no better than none
                pause = 0.1
        if not stopping.is_set():
            await wait_or_stop(stopping, pause * random.uniform(0.5, 1.0))  # noqa: S311 jitter, not a secret
            pause = min(pause * 2, LONGEST_PAUSE)


async def wait_or_stop(stopping: asyncio.Event, seconds: float) -> bool:
    """Sleep, but not past the moment `stopping` is set. Returns whether it is set."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return False
    return True


async def close_quietly(connection: AbstractConnection) -> None:
    """Close; a connection that is already gone needs no more."""
    try:
        with loss_by_its_name():
            async with asyncio.timeout(5):
                await connection.close()
    except LOST as error:
        log.debug("broker_close_failed", cause=type(error).__name__)
