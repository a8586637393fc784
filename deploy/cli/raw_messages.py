"""Plays hand-made messages as they are written down, faults and all, each on a channel of its own.

The broker answers some of them by closing the channel or the whole connection; that is a refusal, and counted.
"""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError, ChannelClosed, ConnectionClosed

from libs.common.bus.topology import VENDORS

_PATIENCE_SECONDS = 20


def read_messages(path: Path) -> list[dict[str, Any]]:
    """The messages of a file, in playing order."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def body_of(message: dict[str, Any]) -> bytes:
    """The bytes to send: given as text, in base64, or as a text and how often it is repeated."""
    if "body_repeat" in message:
        repeated = message["body_repeat"]
        return str(repeated["text"]).encode() * int(repeated["times"])
    if "body_base64" in message:
        return base64.b64decode(message["body_base64"])
    return str(message["body"]).encode("utf-8")


async def play_messages(
    messages: Iterable[dict[str, Any]], url_of: Callable[[str], str], on_played: Callable[[], None]
) -> Counter[str]:
    """Publish each message as its vendor.

    Returns:
        How many the broker refused, by its reply in lower case.

    Raises:
        AMQPError: the broker cannot be reached.
    """
    refused: Counter[str] = Counter()
    connections: dict[str, AbstractConnection] = {}
    try:
        for message in messages:
            vendor = str(message["vendor"])
            connection = connections.get(vendor)
            if connection is None or connection.is_closed:
                connection = connections[vendor] = await aio_pika.connect(url_of(vendor), timeout=_PATIENCE_SECONDS)
            reply = await _play(connection, message)
            if reply is not None:
                refused[reply] += 1
            on_played()
    finally:
        for connection in connections.values():
            if not connection.is_closed:
                await connection.close()
    return refused


async def _play(connection: AbstractConnection, message: dict[str, Any]) -> str | None:
    """Publish one message; the broker's reply where it refuses."""
    channel = await connection.channel(on_return_raises=True)
    exchange = await channel.get_exchange(VENDORS, ensure=False)
    sent = aio_pika.Message(
        body_of(message),
        content_type=message["content_type"],
        message_id=message["message_id"],
        user_id=message["user_id"],
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
    try:
        await exchange.publish(sent, message["routing_key"], timeout=_PATIENCE_SECONDS)
    except (ChannelClosed, ConnectionClosed) as error:
        return _reply(error)
    await channel.close()
    return None


def _reply(error: AMQPError) -> str:
    """`PRECONDITION_FAILED - …` as `precondition_failed`."""
    text = str(error.args[-1]) if error.args else ""
    return text.partition(" - ")[0].strip().lower() or type(error).__name__
