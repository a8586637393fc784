"""Makes the composed platform's empty servers its own: replica set, accounts, exchanges, queues and rights.

`python -m deploy.images.setup_servers`, with the operator's volume as CERTRAIL_STATE_DIR. Safe to repeat.
"""

import asyncio
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.images.addresses import ADMINISTRATOR, BROKER, MANAGEMENT, MONGO
from deploy.local.given import GivenBroker, GivenDatabase
from deploy.local.mongod import mongo_url
from deploy.local.rabbitmq import amqp_url
from deploy.local.secret_store import SecretStore
from deploy.local.servers import LocalServers
from deploy.local.settings import LocalSettings
from deploy.mongo.replica_set import REPLICA_SET, ensure_replica_set

MONGO_SECONDS = 90

_ALREADY_INITIALIZED = 23
_TIMEOUT_MS = 30_000


async def set_up(secrets: SecretStore) -> None:
    """Set both servers up.

    Raises:
        TimeoutError: MongoDB did not become primary.
        ManagementError: the broker refuses its definitions.
    """
    password = secrets.get("mongo/admin")
    async with asyncio.timeout(MONGO_SECONDS):
        await asyncio.to_thread(initiate, password)
        await ensure_replica_set(MONGO, ADMINISTRATOR, password)
    servers = LocalServers(
        GivenDatabase(mongo_url(MONGO, "admin", ADMINISTRATOR, password)),
        GivenBroker(amqp_url(BROKER, ADMINISTRATOR, secrets.get("amqp/admin")), MANAGEMENT),
        secrets,
    )
    await servers.set_up()


def initiate(password: str) -> None:
    """Make the server a replica set of one, unless it is. Its image has made the administrator already."""
    config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": MONGO}]}
    with MongoClient[dict[str, Any]](
        MONGO,
        username=ADMINISTRATOR,
        password=password,
        directConnection=True,
        serverSelectionTimeoutMS=_TIMEOUT_MS,
    ) as client:
        try:
            client.admin.command("replSetInitiate", config)
        except OperationFailure as error:
            if error.code != _ALREADY_INITIALIZED:
                raise


def main() -> None:
    asyncio.run(set_up(SecretStore(LocalSettings.load().state_dir)))
    print("replica set, accounts, exchanges, queues and permissions are in place")


if __name__ == "__main__":
    main()
