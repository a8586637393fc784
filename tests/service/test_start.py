"""A process that begins while the database is failing over waits for it, and leaves nothing half done."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pymongo.errors import NotPrimaryError, OperationFailure, PyMongoError, WriteConcernError

from libs.common.clock import SystemClock
from libs.common.mongo.client import Database, open_client, open_database
from libs.common.mongo.migrations import COLLECTION, Migration
from libs.common.service import make_ready
from tests.servers import MongoUnderTest
from tests.service.bus import PATIENCE_SECONDS

OUTAGES = [
    NotPrimaryError("not primary"),
    WriteConcernError("interrupted", 11602),
    OperationFailure("disk full", 14031),
]


class Steps:
    """A migration whose second step fails once."""

    def __init__(self, error: PyMongoError) -> None:
        self._error: PyMongoError | None = error
        self.ran: list[int] = []

    def all(self) -> list[Migration]:
        return [Migration(1, "first", self._first), Migration(2, "second", self._second)]

    async def _first(self, _database: Database) -> None:
        self.ran.append(1)

    async def _second(self, _database: Database) -> None:
        self.ran.append(2)
        error, self._error = self._error, None
        if error is not None:
            raise error


async def start(mongo: MongoUnderTest, steps: Steps) -> int:
    client = open_client(mongo.url("certs"), application="test")
    try:
        database = open_database(client)
        stopping = asyncio.Event()
        ready = await make_ready(client, database, steps.all(), owner="test", stopping=stopping, clock=SystemClock())
        assert ready
        row = await database[COLLECTION].find_one({"_id": 1})
        assert row is not None
        assert row["owner"] == ""
        return int(row["version"])
    finally:
        client.close()


@pytest.mark.parametrize("outage", OUTAGES, ids=["not-primary", "interrupted", "disk-full"])
async def test_a_fail_over_within_a_migration_is_waited_for(mongo: MongoUnderTest, outage: PyMongoError) -> None:
    steps = Steps(outage)
    assert await start(mongo, steps) == 2
    assert steps.ran == [1, 2, 2], "what was done is not done again"


async def test_a_defect_of_a_migration_ends_the_start(mongo: MongoUnderTest) -> None:
    steps = Steps(OperationFailure("no such command", 59))
    with pytest.raises(OperationFailure, match="no such command"):
        await start(mongo, steps)


async def test_a_claim_that_a_fail_over_has_left_is_its_owners_to_take_up(mongo: MongoUnderTest) -> None:
    """What could not be given back, for the database was away, would else keep its own process out for a minute."""
    client = open_client(mongo.url("certs"), application="test")
    later = datetime.now(UTC) + timedelta(days=1)
    await open_database(client)[COLLECTION].insert_one({"_id": 1, "owner": "test", "lease_until": later, "version": 1})
    client.close()
    steps = Steps(OUTAGES[0])
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await start(mongo, steps) == 2
    assert steps.ran == [2, 2]
