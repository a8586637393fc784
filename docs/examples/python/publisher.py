"""A vendor's publisher: reports a registration and a result, and reads what was refused.

    pip install -r requirements.txt
    AMQP_URL=amqp://vue:PASSWORD@HOST:5672/ python publisher.py

The third message names an exam that does not exist, so that there is a rejection to read.
"""

import asyncio
import json
import os
import sys
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractExchange
from aio_pika.exceptions import AMQPError, ChannelClosed, ChannelInvalidStateError, ProbableAuthenticationError

CONTENT_TYPE = "application/cloudevents+json"
CONFIRM_SECONDS = 10
REJECTION_SECONDS = 5


def cloud_event(vendor: str, program: str, event: str, data: dict[str, Any]) -> dict[str, Any]:
    """One event. Keep its id with the row it came from: a repeated send must carry the same one."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": vendor,
        "type": f"{vendor}.{event}",
        "time": datetime.now(UTC).isoformat(),
        "program": program,
        "data": data,
    }


async def publish(exchange: AbstractExchange, vendor: str, event: dict[str, Any]) -> None:
    """Send one event and wait until the broker has it on disk.

    No confirm, or a lost connection, says nothing about the message: send the same event again, with the same id.
    """
    message = aio_pika.Message(
        json.dumps(event, ensure_ascii=False).encode(),
        content_type=CONTENT_TYPE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=event["id"],
        type=event["type"],
        user_id=vendor,  # the broker compares it with the connection's user
    )
    async with asyncio.timeout(CONFIRM_SECONDS):
        await exchange.publish(message, routing_key=event["type"], mandatory=True)
    print(f"confirmed {event['type']} {event['id']}")


async def read_rejections(channel: AbstractChannel, vendor: str) -> None:
    """Print what was refused until nothing has come for some seconds. A real vendor goes on for ever."""
    queue = await channel.get_queue(f"{vendor}.rejections", ensure=False)
    async with queue.iterator(timeout=REJECTION_SECONDS) as messages:
        try:
            async for message in messages:
                async with message.process():  # acknowledged once it has been dealt with
                    rejection = json.loads(message.body)
                    for reason in rejection["reasons"]:
                        where = f"{reason['path']}: " if reason["path"] else ""
                        print(f"rejected {rejection['message_id']} [{reason['code']}] {where}{reason['message']}")
        except TimeoutError:
            print("no more rejections")


def sample_events(vendor: str) -> list[dict[str, Any]]:
    """A registration, its result, and a result that will be refused."""
    person, registration = f"C-{uuid.uuid4().hex[:8]}", f"R-{uuid.uuid4().hex[:8]}"
    taken_at = datetime.now(UTC) - timedelta(hours=1)
    registered = {
        "vendor_candidate_id": person,
        "registration_id": registration,
        "exam_code": "JN0-106",
        "delivery": "online",
        "scheduled_at": taken_at.isoformat(),
        "candidate": {
            "given_name": "Ada",
            "family_name": "Example",
            "email": f"{person.lower()}@example.com",
            "country": "GB",
        },
    }
    result = {
        "result_id": f"S-{uuid.uuid4().hex[:8]}",
        "revision": 1,
        "vendor_candidate_id": person,
        "registration_id": registration,
        "exam_code": "JN0-106",
        "taken_at": taken_at.isoformat(),
        "grade": "pass",
        "score": 84.0,
    }
    return [
        cloud_event(vendor, "juniper", "ExamRegistered.v1", registered),
        cloud_event(vendor, "juniper", "ExamResultReported.v1", result),
        cloud_event(vendor, "juniper", "ExamResultReported.v1", {**result, "exam_code": "JN0-000"}),
    ]


async def main(url: str) -> None:
    vendor = unquote(urlsplit(url).username or "")
    async with await aio_pika.connect(url, timeout=CONFIRM_SECONDS) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange("certrail.vendors", ensure=False)  # vendors declare nothing
        for event in sample_events(vendor):
            await publish(exchange, vendor, event)
        await read_rejections(channel, vendor)


if __name__ == "__main__":
    try:
        asyncio.run(main(os.environ["AMQP_URL"]))
    except ProbableAuthenticationError:
        sys.exit("the broker does not know this user with this password")
    except ChannelClosed as error:  # 403 or 406: sending the same again ends the same way
        sys.exit(f"the broker refuses this message: {error}")
    except (AMQPError, ChannelInvalidStateError, OSError, TimeoutError) as error:
        sys.exit(f"outcome unknown, send the same events again: {type(error).__name__} {error}")
