"""One transaction a unit of work: retried whole or in its commit alone, and nothing left behind when it is given up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, ConnectionFailure, DuplicateKeyError, OperationFailure, PyMongoError

from libs.common.errors import Contended, Unavailable
from libs.common.mongo import unit_of_work
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from tests.servers import MongoUnderTest
from tests.service.conftest import OpenBase
from tests.service.proxy import Proxy, proxy_to
from tests.service.rig import Base, Kept, open_base
from tests.service.samples import awarded


@pytest.fixture
async def base(base_of: OpenBase) -> AsyncIterator[Base]:
    async with base_of("certs") as base:
        yield base


Fault = Callable[[Any], None]


class FaultySessions:
    """A client whose sessions fail as told: the seam at which the driver reports what the server said."""

    def __init__(self, base: Base, *faults: Fault | None) -> None:
        self._client = base.client
        self._faults = list(faults)
        self.sessions = 0

    async def start_session(self) -> Any:
        session = await self._client.start_session()
        self.sessions += 1
        fault = self._faults.pop(0) if self._faults else None
        if fault is not None:
            fault(session)
        return session


def labelled(error: PyMongoError, *labels: str) -> PyMongoError:
    for label in labels:
        error._add_error_label(label)
    return error


def failing_commit(*errors: PyMongoError, first_commit: bool = False) -> Fault:
    """The commit answers with these errors, one each time, then works; it may have worked before the first."""

    def fault(session: Any) -> None:
        commit = session.commit_transaction
        waiting = list(errors)

        async def faulty() -> None:
            if waiting:
                if first_commit and len(waiting) == len(errors):
                    await commit()
                raise waiting.pop(0)
            await commit()

        session.commit_transaction = faulty

    return fault


def faulty_unit(base: Base, *faults: Fault | None) -> tuple[UnitOfWork, FaultySessions]:
    sessions = FaultySessions(base, *faults)
    client: Any = sessions
    unit = UnitOfWork(client, base.database, service="certs", owner=base.owner, clock=base.clock, relay=base.relay)
    return unit, sessions


def counting(base: Base, runs: list[int]) -> Callable[[Transaction], Any]:
    """Work that counts one up and says so."""

    async def work(transaction: Transaction) -> str:
        runs.append(len(runs))
        await base.database["jobs"].update_one(
            {"_id": "count"}, {"$inc": {"n": 1}}, upsert=True, session=transaction.session
        )
        transaction.emit(awarded(), program="cisco", subject="C1", version=1)
        return "done"

    return work


async def effects(base: Base) -> tuple[int, int, int]:
    """How often the work took effect: counted up, rows in the outbox, messages handed to the relay."""
    rows = await base.rows("jobs", _id="count")
    assert isinstance(base.relay, Kept)
    return rows[0]["n"] if rows else 0, len(await base.rows("outbox")), len(base.relay.messages)


async def test_transient_error_repeats_the_whole_work_and_it_takes_effect_once(base: Base) -> None:
    transient = labelled(OperationFailure("write conflict", 112), "TransientTransactionError")
    unit, sessions = faulty_unit(base, failing_commit(transient), failing_commit(transient))
    runs: list[int] = []
    assert await unit.run(counting(base, runs)) == "done"
    assert (len(runs), sessions.sessions) == (3, 3)
    assert await effects(base) == (1, 1, 1)


async def test_what_waits_for_the_commit_is_called_once_and_not_for_attempts_that_failed(base: Base) -> None:
    transient = labelled(OperationFailure("write conflict", 112), "TransientTransactionError")
    unit, sessions = faulty_unit(base, failing_commit(transient))
    called: list[int] = []

    async def work(transaction: Transaction) -> None:
        attempt = sessions.sessions
        transaction.on_commit(lambda: called.append(attempt))

    await unit.run(work)
    assert called == [2]


async def test_transient_error_inside_the_work_repeats_it(base: Base) -> None:
    runs: list[int] = []
    inner = counting(base, runs)

    async def work(transaction: Transaction) -> None:
        await inner(transaction)
        if len(runs) == 1:
            raise labelled(AutoReconnect("the primary stepped down"), "TransientTransactionError")

    await base.unit_of_work.run(work)
    assert len(runs) == 2
    assert await effects(base) == (1, 1, 1)


@pytest.mark.parametrize("committed", [False, True])
async def test_commit_of_unknown_outcome_is_repeated_alone(base: Base, committed: bool) -> None:
    unknown = labelled(ConnectionFailure("the connection closed"), "UnknownTransactionCommitResult")
    unit, sessions = faulty_unit(base, failing_commit(unknown, first_commit=committed))
    runs: list[int] = []
    await unit.run(counting(base, runs))
    assert (len(runs), sessions.sessions) == (1, 1)
    assert await effects(base) == (1, 1, 1)


async def test_race_for_a_key_is_settled_by_a_second_look(base: Base, mongo: MongoUnderTest) -> None:
    rival = base.database["jobs"]
    looks: list[bool] = []

    async def work(transaction: Transaction) -> None:
        found = await rival.find_one({"_id": "one"}, session=transaction.session)
        looks.append(found is not None)
        if found is None:
            if len(looks) == 1:
                await rival.insert_one({"_id": "one", "by": "rival"})
            await rival.insert_one({"_id": "one", "by": "us"}, session=transaction.session)

    await base.unit_of_work.run(work)
    assert looks == [False, True]
    assert await base.rows("jobs") == [{"_id": "one", "by": "rival"}]


async def test_bulk_race_for_a_key_is_settled_by_a_second_look(base: Base) -> None:
    looks: list[int] = []

    async def work(transaction: Transaction) -> None:
        known = await base.rows("jobs")
        looks.append(len(known))
        rows = [{"_id": f"k{n}"} for n in range(3) if {"_id": f"k{n}"} not in known]
        if len(looks) == 1:
            rows.append({"_id": "k0"})
        await base.database["jobs"].insert_many(rows, session=transaction.session, ordered=False)

    await base.unit_of_work.run(work)
    assert looks == [0, 0]
    assert len(await base.rows("jobs")) == 3


async def test_duplicate_that_never_goes_away_is_told(base: Base) -> None:
    await base.database["jobs"].insert_one({"_id": "one"})
    runs: list[int] = []

    async def work(transaction: Transaction) -> None:
        runs.append(1)
        await base.database["jobs"].insert_one({"_id": "one"}, session=transaction.session)

    with pytest.raises(DuplicateKeyError):
        await base.unit_of_work.run(work)
    assert 1 < len(runs) < 20


async def test_failed_work_leaves_nothing_behind(base: Base) -> None:
    runs: list[int] = []
    inner = counting(base, runs)

    async def work(transaction: Transaction) -> None:
        await inner(transaction)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await base.unit_of_work.run(work)
    assert len(runs) == 1
    assert await effects(base) == (0, 0, 0)


async def write_without_waiting(base: Base) -> None:
    """A write in a transaction of its own, which fails at once where another holds the document."""
    async with await base.client.start_session() as session:
        session.start_transaction()
        await base.database["jobs"].update_one({"_id": "count"}, {"$inc": {"n": 100}}, upsert=True, session=session)
        await session.commit_transaction()


async def test_cancelled_work_is_over_and_leaves_no_lock(base: Base) -> None:
    runs: list[int] = []
    inner = counting(base, runs)
    inside, may_go_on = asyncio.Event(), asyncio.Event()

    async def work(transaction: Transaction) -> None:
        await inner(transaction)
        inside.set()
        await may_go_on.wait()
        await base.database["jobs"].find_one({"_id": "other"}, session=transaction.session)

    task = asyncio.create_task(base.unit_of_work.run(work))
    await inside.wait()
    task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done(), "the attempt is still under way, so its caller must not go on"
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await write_without_waiting(base)
    assert (await base.rows("jobs", _id="count"))[0]["n"] == 101
    assert (await effects(base))[1:] == (1, 1)


async def test_endless_conflict_ends_as_contended(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_of_work, "DEADLINE_SECONDS", 0.3)
    runs: list[int] = []
    async with await base.client.start_session() as holder:
        holder.start_transaction()
        await base.database["jobs"].insert_one({"_id": "count", "n": 50}, session=holder)
        with pytest.raises(Contended):
            await base.unit_of_work.run(counting(base, runs))
        await holder.abort_transaction()
    assert len(runs) > 1
    assert await effects(base) == (0, 0, 0)


async def test_database_out_of_reach_is_unavailable_and_works_again_after(
    mongo: MongoUnderTest, base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.common.mongo.client.SELECTION_TIMEOUT_MS", 300)
    with proxy_to(mongo.url("certs")) as (proxy, url):
        async with open_base("certs", url, base.clock) as far:
            await outage_and_return(base, far, proxy, monkeypatch)


async def outage_and_return(base: Base, far: Base, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy.cut()
    runs: list[int] = []
    with monkeypatch.context() as hasty:
        hasty.setattr(unit_of_work, "DEADLINE_SECONDS", 0.3)
        with pytest.raises(Unavailable) as refused:
            await far.unit_of_work.run(counting(far, runs))
    assert not isinstance(refused.value, Contended)
    assert await effects(base) == (0, 0, 0)
    proxy.mend()
    await far.unit_of_work.run(counting(far, runs))
    assert await effects(far) == (1, 1, 1)
