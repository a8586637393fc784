"""Whether the platform is at rest: what still waits, or was given up."""

import asyncio
from typing import Any

import aio_pika
from pymongo import MongoClient

from deploy.broker.definitions import all_queues
from deploy.local.servers import VENDORS
from deploy.mongo.users import database_name
from libs.common.events import SERVICES
from tests.e2e.stage import Stage


async def remains(stage: Stage) -> dict[str, int]:
    """What still waits or was given up: messages in queues, rows in outboxes, mails not settled. Empty at rest."""
    counts = await asyncio.to_thread(_unsettled, stage.mongo.admin_url)
    async with await aio_pika.connect(stage.broker.admin_url) as connection, connection.channel() as channel:
        for name in all_queues(VENDORS):
            queue = await channel.declare_queue(name, passive=True)
            counts[name] = queue.declaration_result.message_count or 0
    return {name: count for name, count in counts.items() if count}


def _unsettled(url: str) -> dict[str, int]:
    with MongoClient[dict[str, Any]](url) as client:
        counts = {
            f"{service} outbox": client[database_name(service)]["outbox"].count_documents({}) for service in SERVICES
        }
        counts["credentials due"] = client[database_name("certs")]["credentials_due"].count_documents({})
        mails = client[database_name("notify")]["messages"]
        counts["notify mails"] = mails.count_documents({"$or": [{"due_at": {"$exists": True}}, {"state": "waiting"}]})
    return counts
