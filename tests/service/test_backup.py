"""Copies, changes and the way back, on a real database: what is restored is what was there, to the last bit."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import Int64
from pymongo import MongoClient

from deploy.backup.catalogue import Catalogue
from deploy.backup.changes import keep_what_follows
from deploy.backup.copying import make_copy
from deploy.backup.errors import BackupError
from deploy.backup.files import Key
from deploy.backup.restoring import Restored, Restoring, check, plan
from tests.servers import MongoUnderTest

STATE, AUDIT = "certrail_tried", "certrail_tried_audit"
DATABASES = [STATE, AUDIT]
Held = dict[str, Any]


class Tried:
    """A service's two databases, with everything that a service does to documents."""

    def __init__(self, client: MongoClient[dict[str, Any]], folder: Path) -> None:
        self.client = client
        self.state, self.audit = client[STATE], client[AUDIT]
        self.catalogue = Catalogue(folder, Key(b"k" * 32))
        self.state.results.insert_many([{"_id": f"{n}", "n": Int64(n), "words": [{"at": n}]} for n in range(500)])
        self.state.results.create_index([("n", 1)], name="n", partialFilterExpression={"n": {"$gt": 3}})
        self.audit.records.insert_many([{"_id": n} for n in range(3)])

    def work(self, number: int) -> None:
        """Some of everything, part of it in a transaction."""
        self.state.results.update_one({"_id": f"{number}"}, {"$set": {"words.0.at": -1, "new.deep": "é"}})
        self.state.results.update_one({"_id": f"{number + 1}"}, {"$push": {"words": {"at": 2}}, "$unset": {"n": ""}})
        self.state.results.replace_one({"_id": f"{number + 2}"}, {"n": 1})
        with self.client.start_session() as session, session.start_transaction():
            self.state.results.delete_one({"_id": f"{number + 3}"}, session=session)
            self.state.results.insert_one({"_id": f"new {number}", "at": datetime.now(UTC)}, session=session)
            self.audit.records.insert_one({"_id": 100 + number}, session=session)
        self.state[f"made {number}"].insert_one({"_id": 1, "at": datetime(2020, 1, 1, tzinfo=UTC)})
        self.state[f"made {number}"].create_index("at", name="kept", expireAfterSeconds=2_000_000_000)

    def copy(self) -> None:
        make_copy(self.client, self.catalogue, DATABASES, lambda *_: None)

    def keep(self) -> None:
        keep_what_follows(self.client, self.catalogue, DATABASES)

    def held(self) -> Held:
        """Every document and index of the service's own database."""
        names = sorted(self.state.list_collection_names())
        rows = {name: sorted(self.state[name].find(), key=lambda row: str(row["_id"])) for name in names}
        return {"rows": rows, "indexes": {name: self.state[name].index_information() for name in names}}

    def restore(self, at: datetime | None = None) -> Restored:
        made = plan(self.catalogue, DATABASES, at)
        check(self.catalogue, made, DATABASES)
        restoring = Restoring(
            self.client, self.catalogue, replaced=[STATE], added_to=[AUDIT], on_restored=lambda *_: None
        )
        return restoring.run(made, at)


@pytest.fixture
def tried(mongo: MongoUnderTest, tmp_path: Path) -> Iterator[Tried]:
    with MongoClient[dict[str, Any]](mongo.admin_url) as client:
        yield Tried(client, tmp_path)
        for name in DATABASES:
            client.drop_database(name)


async def test_a_removed_database_is_restored_to_right_before_that(tried: Tried) -> None:
    def work() -> None:
        tried.work(10)
        tried.copy()
        tried.work(20)
        tried.keep()
        tried.work(30)
        before = tried.held()
        tried.client.drop_database(STATE)
        tried.state.results.insert_one({"_id": "of a process that went on"})
        tried.audit.records.delete_many({"_id": {"$lt": 2}})
        tried.audit.records.insert_one({"_id": 999})
        tried.keep()
        restored = tried.restore()
        assert "was removed at" in (restored.stopped or "")
        assert tried.held() == before
        # A log gets back what it lacks, and loses nothing.
        assert [row["_id"] for row in tried.audit.records.find().sort("_id")] == [0, 1, 2, 110, 120, 130, 999]

    await asyncio.to_thread(work)


async def test_every_moment_between_can_be_had(tried: Tried) -> None:
    def work() -> None:
        tried.copy()
        states: list[tuple[datetime, Held]] = []
        for number in (40, 50, 60):
            tried.work(number)
            states.append((_now(tried), tried.held()))
            tried.keep()
        for moment, held in reversed(states):
            assert tried.restore(moment).through
            assert tried.held() == held

    await asyncio.to_thread(work)


async def test_a_copy_is_of_one_moment_whatever_goes_on(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        before = tried.held()
        changing = _once(lambda: (tried.work(70), tried.audit.records.insert_one({"_id": 500})))
        make_copy(tried.client, tried.catalogue, [AUDIT, STATE], lambda *_: changing())
        assert tried.held() != before
        tried.restore()
        assert tried.held() == before

    await asyncio.to_thread(work)


async def test_nothing_is_removed_for_a_backup_that_is_not_whole(tried: Tried) -> None:
    def work() -> None:
        tried.copy()
        before = tried.held()
        (path,) = tried.catalogue.folder.rglob("results.bson.gz")
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        with pytest.raises(BackupError, match="was changed"):
            tried.restore()
        assert tried.held() == before

    await asyncio.to_thread(work)


def _now(tried: Tried) -> datetime:
    """The database's own time, later than everything before."""
    now: datetime = tried.client.admin.command("hello")["localTime"]
    tried.client[AUDIT].ticks.insert_one({})
    tried.client[AUDIT].ticks.drop()
    return now.replace(tzinfo=UTC)


def _once(work: Callable[[], object]) -> Callable[[], None]:
    left = [work]

    def call() -> None:
        if left:
            left.pop()()

    return call
