"""A new policy tried on a whole population: exact, resumable, and without any effect."""

import asyncio
import csv
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey

from libs.common import csv_pages
from libs.common.clock import FixedClock
from libs.common.errors import Unavailable
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.server import build_app
from libs.common.http.tokens import sign
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.certs import dryruns as module
from services.certs.api import CertsApi
from services.certs.domain.facts import ExamFact
from services.certs.dryrun_store import DryRunStore
from services.certs.dryruns import DryRuns
from services.certs.ledger import stored_ledger
from services.certs.programs_api import ProgramsApi
from services.certs.store import CertsStore
from tests.service.conftest import OpenBase
from tests.service.rig import Base, kept_answers
from tests.service.test_certs import FOUR_YEARS, next_version

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PEOPLE = 130


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def base(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[Base]:
    """Of every three candidates one holds a certification, one held it a little over three years ago, one failed."""
    days = {0: (date(2025, 3, 10), "pass"), 1: (date(2023, 10, 1), "pass"), 2: (date(2025, 3, 10), "fail")}
    async with base_of("certs") as base:
        rows = []
        for n in range(PEOPLE):
            day, outcome = days[n % 3]
            fact = ExamFact(f"R{n}", 1, "200-301", day, outcome, NOW - timedelta(days=1))  # type: ignore[arg-type]
            rows.append(stored_ledger(f"C{n:04d}", programs["cisco"], [fact], NOW))
        await base.database["candidates"].insert_many(rows)
        yield base


@asynccontextmanager
async def runner(base: Base, programs: dict[str, Program]) -> AsyncIterator[DryRuns]:
    store = DryRunStore(base.database)
    runs = DryRuns(store, programs, base.unit_of_work, base.clock, processes=2)
    try:
        yield runs
    finally:
        runs.close()


async def ask(base: Base, old: Program, new: Program, run_id: str = "run-1") -> None:
    store = DryRunStore(base.database)
    versions = (old.version, new.version)
    await store.add(run_id, program="cisco", versions=versions, definition=new.definition, by="me", now=NOW)


async def outcome(base: Base, run_id: str = "run-1") -> tuple[Document, Counter[str]]:
    (row,) = await base.rows("dry_runs", _id=run_id)
    changes = await base.rows("dry_run_changes", run_id=run_id)
    return row, Counter(change["kind"] for change in changes)


HOLDERS = (PEOPLE + 2) // 3
LAPSED = (PEOPLE + 1) // 3


@pytest.mark.parametrize("chunk", [7, 500])
async def test_run_shows_who_gains_and_whose_dates_move_and_has_no_effect(
    base: Base, programs: dict[str, Program], monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    before = await base.rows("candidates")
    await ask(base, programs["cisco"], next_version(programs["cisco"], FOUR_YEARS))
    async with runner(base, programs) as runs:
        await runs.run()
    row, kinds = await outcome(base)
    assert kinds == {"moved": HOLDERS, "gained": LAPSED}
    assert row["counts"] == {"CCNA": {"moved": HOLDERS, "gained": LAPSED}}
    assert (row["state"], row["done"], row["total"], row["affected"]) == ("finished", PEOPLE, PEOPLE, HOLDERS + LAPSED)
    assert await base.rows("candidates") == before
    assert await base.rows("outbox") == []


async def test_interrupted_run_goes_on_where_it_stopped_and_counts_nobody_twice(
    base: Base, programs: dict[str, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 10)
    await ask(base, programs["cisco"], next_version(programs["cisco"], FOUR_YEARS))
    record, recorded = DryRunStore.record, 0

    async def failing(self: DryRunStore, *arguments: Any, **named: Any) -> None:
        nonlocal recorded
        recorded += 1
        if recorded % 3 == 0:
            raise Unavailable("gone")
        await record(self, *arguments, **named)

    monkeypatch.setattr(DryRunStore, "record", failing)
    interruptions = 0
    async with runner(base, programs) as runs:
        while (await outcome(base))[0]["state"] == "running":
            try:
                await runs.run()
            except Unavailable:
                interruptions += 1
    row, kinds = await outcome(base)
    assert interruptions >= 2
    assert kinds == {"moved": HOLDERS, "gained": LAPSED}
    assert (row["counts"], row["done"]) == ({"CCNA": dict(kinds)}, PEOPLE)


async def test_run_out_of_time_leaves_the_rest_to_the_next(
    base: Base, programs: dict[str, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 10)
    monkeypatch.setattr(DryRuns, "SECONDS", 0.001)
    await ask(base, programs["cisco"], next_version(programs["cisco"], FOUR_YEARS))
    seen = []
    async with runner(base, programs) as runs:
        for _ in range(PEOPLE):  # one that forgets its place would go on for ever
            row, _kinds = await outcome(base)
            if row["state"] == "finished":
                break
            seen.append(row["done"])
            await runs.run()
    assert (await outcome(base))[0]["state"] == "finished"
    assert len(set(seen)) > 2
    assert (await outcome(base))[1] == {"moved": HOLDERS, "gained": LAPSED}


KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})


@asynccontextmanager
async def api(base: Base, programs: dict[str, Program], *scopes: str, program: str = "cisco") -> AsyncIterator[Any]:
    """Asks the API as a program manager."""
    store, dry_runs = CertsStore(base.database), DryRunStore(base.database)
    routes = ProgramsApi(store, dry_runs, programs, base.clock).routes()
    verifier = TokenVerifier(StaticKeys(KEY), "certrail", base.clock)
    app = build_app(
        CertsApi(store, programs, base.clock).api(routes),
        verifier,
        idempotency=kept_answers(base.database, base.clock),
    )
    who = Principal("staff:1", Kind.STAFF, frozenset({program}), frozenset(scopes or ("programs:manage",)))
    lifetime = timedelta(minutes=5)
    token = sign(who, KEY, issuer="certrail", token_id="t", now=base.clock.now(), lifetime=lifetime)
    async with TestClient(TestServer(app)) as client:

        async def call(method: str, path: str, key: str | None = None, **body: Any) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
            content = {"json": body} if body else {}
            response = await client.request(method, f"/api/certs/v1/programs{path}", headers=headers, **content)  # type: ignore[arg-type]
            is_file = response.content_type == "text/csv"
            return response.status, await (response.text() if is_file else response.json())

        yield call


async def test_manager_asks_watches_and_reads(base: Base, programs: dict[str, Program]) -> None:
    new = next_version(programs["cisco"], FOUR_YEARS)
    async with api(base, programs) as call, runner(base, programs) as runs:
        status, asked = await call("POST", "/cisco/dry-runs", key="once", definition=new.definition)
        assert (status, asked["state"], asked["to_version"], asked["total"]) == (202, "running", new.version, PEOPLE)
        assert await call("POST", "/cisco/dry-runs", key="once", definition=new.definition) == (202, asked)
        await runs.run()
        path = f"/cisco/dry-runs/{asked['run_id']}"
        status, shown = await call("GET", path)
        counts = {"certification": "CCNA", "gained": LAPSED, "lost": 0, "moved": HOLDERS, "changed": 0}
        assert (status, shown["state"], shown["counts"]) == (200, "finished", [counts])
        _, listed = await call("GET", "/cisco/dry-runs")
        assert listed == {"items": [shown], "next": None}
        _, first = await call("GET", f"{path}/changes?kind=gained&limit=30")
        _, second = await call("GET", f"{path}/changes?kind=gained&limit=30&cursor={first['next']}")
        rows = [*first["items"], *second["items"]]
        assert (len(rows), second["next"]) == (LAPSED, None)
        assert rows[0]["before"] == {"status": "expired", "earned_on": "2023-10-01", "expires_on": "2026-10-01"}
        assert rows[0]["after"] == {"status": "active", "earned_on": "2023-10-01", "expires_on": "2027-10-01"}


async def test_every_change_is_a_line_of_the_file(
    base: Base, programs: dict[str, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_pages, "PAGE", 7)
    await ask(base, programs["cisco"], next_version(programs["cisco"], FOUR_YEARS))
    async with api(base, programs) as call, runner(base, programs) as runs:
        await runs.run()
        _, everything = await call("GET", "/cisco/dry-runs/run-1/changes.csv")
        _, gained = await call("GET", "/cisco/dry-runs/run-1/changes.csv?kind=gained")
    rows = list(csv.DictReader(StringIO(everything)))
    assert Counter(row["kind"] for row in rows) == {"moved": HOLDERS, "gained": LAPSED}
    assert len({row["candidate_id"] for row in rows}) == len(rows)
    moved = next(row for row in rows if row["kind"] == "moved")
    assert (moved["before_status"], moved["before_expires_on"] < moved["after_expires_on"]) == ("active", True)
    assert [row for row in rows if row["kind"] == "gained"] == list(csv.DictReader(StringIO(gained)))


async def test_policy_shows_how_many_candidates_it_has_reached(base: Base, programs: dict[str, Program]) -> None:
    version = programs["cisco"].version
    expected = {"program": "cisco", "version": version, "candidates": PEOPLE, "outdated": 0}
    async with api(base, programs) as call:
        assert await call("GET", "/cisco/policy") == (200, expected)
    later = {**programs, "cisco": next_version(programs["cisco"], FOUR_YEARS)}
    async with api(base, later) as call:
        assert await call("GET", "/cisco/policy") == (200, expected | {"version": version + 1, "outdated": PEOPLE})


async def test_definition_with_faults_is_refused_with_their_lines(base: Base, programs: dict[str, Program]) -> None:
    faulty = programs["cisco"].definition.replace("time_zone: America/Los_Angeles", "time_zone: Mars/Olympus")
    async with api(base, programs) as call:
        status, problem = await call("POST", "/cisco/dry-runs", definition=faulty)
        assert status == 422
        assert any("time_zone" in error["path"] for error in problem["errors"])
        status, problem = await call("POST", "/cisco/dry-runs", definition=programs["cisco"].definition)
        assert (status, problem["errors"][0]["code"]) == (422, "version")
        status, problem = await call("POST", "/cisco/dry-runs", definition=programs["juniper"].definition)
        assert (status, problem["errors"][0]["code"]) == (422, "program")
    assert await base.rows("dry_runs") == []


async def test_other_programs_and_other_scopes_see_nothing(base: Base, programs: dict[str, Program]) -> None:
    await ask(base, programs["cisco"], next_version(programs["cisco"], FOUR_YEARS))
    async with api(base, programs, program="juniper") as call:
        for path in (
            "/cisco/policy",
            "/cisco/dry-runs/run-1",
            "/juniper/dry-runs/run-1",
            "/cisco/dry-runs/run-1/changes",
            "/cisco/dry-runs/run-1/changes.csv",
        ):
            assert (await call("GET", path))[0] == 404
    async with api(base, programs, "certs:read") as call:
        assert (await call("GET", "/cisco/policy"))[0] == 403


async def test_runs_are_worked_off_one_after_the_other(base: Base, programs: dict[str, Program]) -> None:
    new = next_version(programs["cisco"], FOUR_YEARS)
    await asyncio.gather(ask(base, programs["cisco"], new, "a"), ask(base, programs["cisco"], new, "b"))
    async with runner(base, programs) as runs:
        await runs.run()
    assert [(await outcome(base, name))[0]["done"] for name in ("a", "b")] == [PEOPLE, PEOPLE]
