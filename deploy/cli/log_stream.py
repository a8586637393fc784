"""Reads `certrail.log`, the stream of every event that services have published."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import aio_pika
import orjson
from aio_pika.abc import AbstractIncomingMessage

from deploy.cli.errors import CliError
from libs.common.bus.topology import LOG
from libs.common.events import BATCH

Offset = str | int | datetime

_NAMED = ("first", "last", "next")
_PREFETCH = 200
_ACKNOWLEDGE_EVERY = 100
_QUIET_SECONDS = 1.0
"""A stream tells nobody where it ends; so long without a message is its end."""


def parse_offset(text: str) -> Offset:
    """Where to begin: `first`, `last`, `next`, an offset, or a moment. Raises `CliError`."""
    if text in _NAMED:
        return text
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CliError(f"--from: {text!r} is none of {', '.join(_NAMED)}, an offset, 2026-11-22T10:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def read_log(url: str, offset: Offset, *, follow: bool) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """Events with the offset of their message, in the order published; for ever if `follow`.

    From a moment on, the broker begins with the chunk that holds it; earlier events of that chunk are left out.

    Raises:
        CliError: something on the stream is no event.
        AMQPError: the broker cannot be reached or went away.
    """
    since = offset if isinstance(offset, datetime) else None
    arrived: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
    async with await aio_pika.connect(url, timeout=10) as connection:
        channel = await connection.channel()
        channel.close_callbacks.add(lambda *_: arrived.put_nowait(None))
        await channel.set_qos(prefetch_count=_PREFETCH)
        queue = await channel.get_queue(LOG, ensure=False)
        await queue.consume(arrived.put, arguments={"x-stream-offset": offset})
        async for message in _messages(arrived, follow=follow):
            position = int(str(message.headers.get("x-stream-offset", 0)))
            for event in events_of(message):
                if since is None or datetime.fromisoformat(event["time"]) >= since:
                    yield position, event


async def _messages(
    arrived: "asyncio.Queue[AbstractIncomingMessage | None]", *, follow: bool
) -> AsyncIterator[AbstractIncomingMessage]:
    count = 0
    while True:
        try:
            async with asyncio.timeout(None if follow else _QUIET_SECONDS):
                message = await arrived.get()
        except TimeoutError:
            return
        if message is None:
            raise CliError("the broker went away")
        yield message
        count += 1
        if count % _ACKNOWLEDGE_EVERY == 0 or arrived.empty():
            await message.ack(multiple=True)


def events_of(message: AbstractIncomingMessage) -> Iterator[dict[str, Any]]:
    """The events of a message, one or a batch."""
    try:
        content = orjson.loads(message.body)
    except orjson.JSONDecodeError as error:
        raise CliError(f"message {message.message_id} on {LOG} is not JSON: {error.msg}") from error
    yield from content if message.content_type == BATCH else [content]
