"""Brings a service's database to the state its code expects: numbered steps, each run once, by one process."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from pymongo import IndexModel
from pymongo.errors import CollectionInvalid, DuplicateKeyError

from libs.common.clock import Clock, SystemClock
from libs.common.ids import new_id
from libs.common.mongo import idempotency, inbox, outbox, said_before
from libs.common.mongo.client import Database, open_client, open_database

COLLECTION = "schema_version"
LEASE = timedelta(seconds=60)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Migration:
    """One step. It must be safe to run again after a crash half-way."""

    number: int
    name: str
    apply: Callable[[Database], Awaitable[None]]
    removes: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Indexes of earlier steps that it removes, by collection."""


@dataclass(frozen=True)
class Declaration:
    """A step that creates collections with their indexes, before any transaction needs them."""

    collections: Mapping[str, Sequence[IndexModel]]

    async def __call__(self, database: Database) -> None:
        for name, indexes in self.collections.items():
            try:
                await database.create_collection(name)
            except CollectionInvalid:
                log.debug("collection_exists", state=name)
            if indexes:
                await database[name].create_indexes(list(indexes))


def declare(collections: Mapping[str, Sequence[IndexModel]]) -> Declaration:
    """The step that creates these collections, each with its indexes."""
    return Declaration(collections)


COMMON: Mapping[str, Sequence[IndexModel]] = {
    outbox.COLLECTION: outbox.INDEXES,
    inbox.COLLECTION: inbox.INDEXES,
    idempotency.COLLECTION: idempotency.INDEXES,
    "jobs": [],
    "audit_sealed": [],
    said_before.COLLECTION: said_before.INDEXES,
}
"""What every service's first migration creates beside its own collections."""


async def migrate(database: Database, migrations: Sequence[Migration], *, owner: str, clock: Clock) -> None:
    """Run the steps that are missing; where another process is at it, wait for it.

    Where the database fails half-way the same owner may call again, and goes on where it was.

    Raises:
        RuntimeError: the database is newer than this code.
    """
    newest = max(step.number for step in migrations)
    while True:
        reached = await _claim(database, owner, clock)
        if reached is None:
            await asyncio.sleep(0.2)
            continue
        try:
            if reached > newest:
                raise RuntimeError(f"the database is at version {reached}, this code knows {newest}")
            for step in sorted(migrations, key=lambda step: step.number):
                if step.number > reached:
                    log.info("migration", version=step.number, detail=step.name)
                    await step.apply(database)
                    await database[COLLECTION].update_one({"_id": 1}, {"$set": {"version": step.number}})
        finally:
            await database[COLLECTION].update_one({"_id": 1, "owner": owner}, {"$set": {"owner": ""}})
        return


async def _claim(database: Database, owner: str, clock: Clock) -> int | None:
    """The version reached, once this process alone may change it; None while another does."""
    now = clock.now()
    free = {"_id": 1, "$or": [{"owner": {"$in": ["", owner]}}, {"lease_until": {"$lt": now}}]}
    try:
        row = await database[COLLECTION].find_one_and_update(
            free,
            {"$set": {"owner": owner, "lease_until": now + LEASE}, "$setOnInsert": {"version": 0}},
            upsert=True,
            return_document=True,
        )
    except DuplicateKeyError:
        return None
    return int(row["version"]) if row else None


async def migrate_and_end(
    address: str, service: str, migrations: Sequence[Migration], *also: Callable[[Database], Awaitable[None]]
) -> None:
    """Migrate the database at `address` in a process of its own, before those that work start.

    Raises:
        RuntimeError: the database is newer than this code.
        PyMongoError: it cannot be reached, or refuses.
    """
    client = open_client(address, application=f"certrail-{service}-migrate")
    try:
        database = open_database(client)
        owner = f"{service}-migrate-{socket.gethostname()}-{os.getpid()}-{new_id()[-6:]}"
        await migrate(database, migrations, owner=owner, clock=SystemClock())
        for step in also:
            await step(database)
    finally:
        client.close()
    log.info("migrated", service=service)
