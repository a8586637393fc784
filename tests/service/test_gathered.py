"""Shared reads on a real database: everybody gets their own answer, and none that is older than their question."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pymongo.errors import PyMongoError
from pymongo.monitoring import CommandListener, CommandStartedEvent

from libs.common.mongo.client import Database, open_client, open_database
from libs.common.mongo.gathered import LONGEST_QUERY, GatheredReads
from tests.servers import MongoUnderTest


class Finds(CommandListener):
    """Counts queries as the driver sends them."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find":
            self.sizes.append(len(event.command["filter"]["_id"]["$in"]))

    def succeeded(self, _event: Any) -> None:
        """Of no interest."""

    def failed(self, _event: Any) -> None:
        """Of no interest."""


@pytest_asyncio.fixture(loop_scope="session")
async def database(mongo: MongoUnderTest) -> AsyncIterator[Database]:
    client = open_client(mongo.url("certs"), application="test-gathered")
    database = open_database(client)
    await database["things"].insert_many([{"_id": f"t{n}", "n": n, "hidden": "x"} for n in range(300)])
    yield database
    await database.drop_collection("things")  # other tests look at what there is
    client.close()


async def test_everybody_gets_their_own_document_without_the_hidden_fields(database: Database) -> None:
    reads = GatheredReads(database, "things", {"n": 1})
    answers = await asyncio.gather(*(reads.get(f"t{n % 310}") for n in range(620)))
    expected = [{"_id": f"t{n % 310}", "n": n % 310} if n % 310 < 300 else None for n in range(620)]
    assert answers == expected


async def test_crowd_shares_queries_and_a_query_has_a_limit(mongo: MongoUnderTest, database: Database) -> None:
    finds = Finds()
    client = open_client(mongo.url("certs"), application="test-gathered", listeners=[finds])
    reads = GatheredReads(open_database(client), "things", {"n": 1})
    await asyncio.gather(*(reads.get(f"t{n}") for n in range(300)))
    assert sum(finds.sizes) == 300
    assert len(finds.sizes) <= 3
    assert max(finds.sizes) <= LONGEST_QUERY
    client.close()


async def test_question_asked_while_a_query_is_under_way_gets_a_query_of_its_own(
    mongo: MongoUnderTest, database: Database
) -> None:
    finds = Finds()
    client = open_client(mongo.url("certs"), application="test-gathered", listeners=[finds])
    reads = GatheredReads(open_database(client), "things", {"n": 1})
    for number in range(1, 11):
        early = asyncio.ensure_future(reads.get("t1"))
        while len(finds.sizes) < 2 * number - 1:  # noqa: ASYNC110 the driver tells of it in a thread of its own
            await asyncio.sleep(0)
        assert await reads.get("t1") == {"_id": "t1", "n": 1}
        await early
        assert len(finds.sizes) == 2 * number
    client.close()


async def test_caller_who_gives_up_takes_nothing_from_the_others(database: Database) -> None:
    reads = GatheredReads(database, "things", {"n": 1})
    first, second = (asyncio.ensure_future(reads.get("t5")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == {"_id": "t5", "n": 5}
    assert await reads.get("t6") == {"_id": "t6", "n": 6}


async def test_failure_reaches_all_who_asked_and_the_next_query_is_tried(database: Database) -> None:
    broken = GatheredReads(database, "things", {"$nonsense": 1})
    failed = await asyncio.gather(*(broken.get(f"t{n}") for n in range(5)), return_exceptions=True)
    assert [isinstance(each, PyMongoError) for each in failed] == [True] * 5
    with pytest.raises(PyMongoError):
        await broken.get("t1")
