"""The audit log on a real MongoDB: every access is in it before its answer leaves, and its chain does not break."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo.monitoring import CommandListener, CommandStartedEvent

from libs.common.audit.chain import Seal, Verifier
from libs.common.audit.seals import Sealing
from libs.common.audit.trail import AuditTrail, audit_database, prepare
from libs.common.events import identity
from libs.common.http.audit import Access
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import OPERATIONS_READ, OPERATOR
from libs.common.http.tokens import sign
from libs.common.mongo.client import open_client, open_database
from services.identity.profiles import Profiles
from services.identity.seals.consumers import SealEvents
from services.identity.seals.store import SealStore
from tests.servers import MongoUnderTest
from tests.service.conftest import OpenBase
from tests.service.identity_station import IdentityStation
from tests.service.rig import said
from tests.service.samples import received

STAFF = Principal("staff:ann", Kind.STAFF, frozenset({"cisco"}), OPERATOR)
LOOK = Access(
    actor="staff:ann",
    kind="staff",
    operation="show_candidate",
    method="GET",
    about={},
    candidates=["C1"],
    query=[],
    step="answered",
    status=200,
    trace="",
)


class Inserts(CommandListener):
    """Counts the insertions that a client asks for."""

    def __init__(self) -> None:
        self.count = 0

    def started(self, event: CommandStartedEvent) -> None:
        self.count += event.command_name == "insert"

    def succeeded(self, event: Any) -> None:
        """Nothing is noted of it."""

    failed = succeeded


def token_of(station: IdentityStation, principal: Principal = STAFF) -> str:
    now = station.base.clock.now()
    return sign(principal, station.key, issuer="certrail", token_id="t", now=now, lifetime=timedelta(minutes=5))


async def records(trail: AuditTrail, program: str = "cisco") -> list[dict[str, Any]]:
    return await trail.read(program, after=0, limit=10_000)


def whole(rows: list[dict[str, Any]], service: str, *seals: Seal) -> bool:
    verifier = Verifier(service, "cisco", seals)
    for row in rows:
        verifier.take(row)
    return verifier.end() is None


async def test_crowds_of_two_processes_make_one_unbroken_chain(base_of: OpenBase, mongo: MongoUnderTest) -> None:
    async with base_of("exams") as base:
        other = open_client(mongo.url("exams"), application="other")
        await prepare(base.database)
        trails = [
            AuditTrail(database, "exams", {"cisco"}, base.clock) for database in (base.database, open_database(other))
        ]
        accesses = [replace(LOOK, candidates=[f"C{number}"]) for number in range(100)]
        await asyncio.gather(*(trails[number % 2].write("cisco", each) for number, each in enumerate(accesses)))
        await trails[0].write("cisco", LOOK)
        rows = await records(trails[1])
        other.close()
    assert whole(rows, "exams")
    assert sorted(row["candidates"][0] for row in rows) == sorted(["C1", *(f"C{number}" for number in range(100))])


async def test_what_waits_is_written_together(base_of: OpenBase, mongo: MongoUnderTest) -> None:
    inserts = Inserts()
    async with base_of("exams") as base:
        client = open_client(mongo.url("exams"), application="counted", listeners=[inserts])
        trail = AuditTrail(open_database(client), "exams", {"cisco"}, base.clock)
        await trail.write("cisco", LOOK)
        await asyncio.gather(*(trail.write("cisco", LOOK) for _ in range(50)))
        rows = await records(trail)
        client.close()
    assert len(rows) == 51
    assert inserts.count <= 3


async def test_a_look_of_staff_is_recorded_with_whom_it_was_at(station: IdentityStation) -> None:
    given = await station.register()
    status, _ = await station.ask("GET", f"/programs/cisco/candidates/{given}", token_of(station))
    assert status == 200
    (record,) = await records(station.trail)
    assert {name: record[name] for name in ("actor", "kind", "operation", "candidates", "status", "step")} == {
        "actor": "staff:ann",
        "kind": "staff",
        "operation": "show_candidate",
        "candidates": [given],
        "status": 200,
        "step": "answered",
    }
    assert len(record["trace"]) == 32


async def test_a_search_is_recorded_with_whom_it_found_and_without_what_was_typed(station: IdentityStation) -> None:
    given = await station.register("ada")
    query = "?program=cisco&email=ada@example.com"
    status, found = await station.ask("GET", f"/candidates{query}", token_of(station))
    assert (status, len(found["items"])) == (200, 1)
    (record,) = await records(station.trail)
    assert (record["candidates"], record["query"]) == ([given], ["email", "program"])
    assert "ada@" not in str(record)


async def test_refusals_are_recorded_and_an_address_in_the_place_of_an_id_is_withheld(
    station: IdentityStation,
) -> None:
    weak = replace(STAFF, scopes=OPERATIONS_READ)
    token = token_of(station)
    assert (await station.ask("GET", "/programs/cisco/candidates/C9", token_of(station, weak)))[0] == 403
    assert (await station.ask("GET", "/programs/cisco/candidates/ada@example.com", token))[0] == 404
    assert (await station.ask("GET", "/programs/juniper/candidates/C9", token))[0] == 404
    assert [(row["status"], row["candidates"]) for row in await records(station.trail)] == [
        (403, ["C9"]),
        (404, ["withheld"]),
    ]
    (foreign,) = await records(station.trail, "juniper")
    assert (foreign["actor"], foreign["status"]) == ("staff:ann", 404)
    assert (await station.ask("GET", "/programs/nowhere/candidates/C9", token))[0] == 404
    assert (await records(station.trail))[-1]["about"] == {"candidate_id": "C9"}
    assert not await records(station.trail, "nowhere")


async def test_of_candidates_the_changes_are_recorded_and_tries_at_others_but_not_their_own_reads(
    station: IdentityStation,
) -> None:
    other = await station.register("P2")
    given = await station.open_account()
    _, answer = await station.login(given)
    token = answer["access_token"]
    own = f"/programs/cisco/candidates/{given}/profile"
    assert (await station.ask("GET", own, token))[0] == 200
    assert (await station.ask("PATCH", own, token, employer="Acme"))[0] == 200
    assert (await station.ask("GET", f"/programs/cisco/candidates/{other}", token))[0] == 404
    rows = await records(station.trail)
    assert [(row["operation"], row["step"], row["status"]) for row in rows] == [
        ("change_profile", "asked", 0),
        ("change_profile", "answered", 200),
        ("show_candidate", "answered", 404),
    ]
    assert rows[0]["trace"] == rows[1]["trace"]
    assert rows[2]["candidates"] == sorted([given, other])
    assert "Acme" not in str(rows)


async def test_reading_the_log_is_in_the_log(station: IdentityStation) -> None:
    token = token_of(station)
    status, first = await station.ask("GET", "/programs/cisco/audit", token)
    assert (status, first) == (200, {"items": [], "next": None})
    status, second = await station.ask("GET", "/programs/cisco/audit", token)
    assert [item["operation"] for item in second["items"]] == ["list_audit_records"]
    assert whole(second["items"], "identity")
    assert (await station.ask("GET", "/programs/juniper/audit", token))[0] == 404
    weak = token_of(station, replace(STAFF, scopes=OPERATIONS_READ))
    assert (await station.ask("GET", "/programs/cisco/audit", weak))[0] == 403


async def test_the_log_is_read_in_parts_and_by_candidate_and_actor(station: IdentityStation) -> None:
    for number in range(5):
        await station.trail.write("cisco", replace(LOOK, candidates=[f"C{number}", "C9"], actor=f"staff:{number % 2}"))
    token = token_of(station)
    _, page = await station.ask("GET", "/programs/cisco/audit?limit=2", token)
    assert ([item["n"] for item in page["items"]], page["next"]) == ([1, 2], 2)
    _, page = await station.ask("GET", "/programs/cisco/audit?limit=2&after=4&candidate=C9", token)
    assert ([item["n"] for item in page["items"]], page["next"]) == ([5], None)
    _, page = await station.ask("GET", "/programs/cisco/audit?actor=staff:1", token)
    assert [item["n"] for item in page["items"]] == [2, 4]


async def test_a_record_that_is_none_any_more_is_a_gap(station: IdentityStation, mongo: MongoUnderTest) -> None:
    for _ in range(3):
        await station.trail.write("cisco", LOOK)
    await tamper(mongo, {"_id": "cisco:2"}, {"$set": {"status": "two hundred"}})
    _, page = await station.ask("GET", "/programs/cisco/audit?limit=2", token_of(station))
    assert ([item["n"] for item in page["items"]], page["next"]) == ([1], 2)


async def tamper(mongo: MongoUnderTest, query: dict[str, Any], change: dict[str, Any]) -> None:
    """As somebody who has the administrator's password."""
    client = open_client(mongo.admin_url, application="tamper")
    try:
        result = await client["certrail_identity_audit"]["records"].update_one(query, change)
        assert result.modified_count == 1
    finally:
        client.close()


async def test_a_change_that_is_cut_off_has_its_record_and_the_chain_goes_on(
    station: IdentityStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered = asyncio.Event()

    async def never(*_: Any, **__: Any) -> None:
        entered.set()
        await asyncio.Event().wait()

    given = await station.register()
    monkeypatch.setattr(Profiles, "change", never)
    path = f"/programs/cisco/candidates/{given}/profile"
    asking = asyncio.create_task(station.ask("PATCH", path, token_of(station), employer="Acme"))
    await entered.wait()
    asking.cancel()
    again = AuditTrail(station.base.database, "identity", {"cisco"}, station.base.clock)
    await again.write("cisco", LOOK)
    rows = await records(again)
    assert [(row["operation"], row["step"]) for row in rows] == [
        ("change_profile", "asked"),
        ("show_candidate", "answered"),
    ]
    assert whole(rows, "identity")


async def test_heads_are_sealed_once_and_a_chain_that_got_shorter_is_not(
    station: IdentityStation, mongo: MongoUnderTest
) -> None:
    sealing = Sealing(station.trail, station.base.database, station.base.unit_of_work, "identity")
    await sealing.run()
    assert not said(station.base)
    for _ in range(3):
        await station.trail.write("cisco", LOOK)
    await sealing.run()
    await sealing.run()
    head = await station.trail.head("cisco")
    (seal,) = [event["data"] for event in station.said(identity.AuditSealed)]
    assert (seal["n"], seal["hash"]) == (head.n, head.hash)
    client = open_client(mongo.admin_url, application="tamper")
    await audit_database(client["certrail_identity"])["records"].delete_one({"_id": "cisco:3"})
    client.close()
    await sealing.run()
    assert len(station.said(identity.AuditSealed)) == 1
    assert not whole(await records(station.trail), "identity", Seal(seal["n"], seal["hash"]))


async def test_seals_of_all_services_are_kept_in_identity_each_once(station: IdentityStation) -> None:
    work = SealEvents(SealStore(station.base.database)).handle
    now = station.base.clock.now()
    seals = [received(identity.AuditSealed(n=n, hash=f"{n:064x}", sealed_at=now)) for n in (1, 7, 9)]
    await station.base.handle(work, *seals[:2])
    await station.base.handle(work, *seals[1:])
    _, page = await station.ask("GET", "/programs/cisco/audit/seals?of=identity&limit=2", token_of(station))
    assert [item["n"] for item in page["items"]] == [1, 7]
    query = f"of=identity&limit=2&cursor={page['next']}"
    _, page = await station.ask("GET", f"/programs/cisco/audit/seals?{query}", token_of(station))
    assert [(item["n"], item["hash"]) for item in page["items"]] == [(9, f"{9:064x}")]
    _, page = await station.ask("GET", "/programs/cisco/audit/seals?of=exams", token_of(station))
    assert page["items"] == []
    query = "of=identity&latest_first=true&up_to=8&limit=1"
    _, page = await station.ask("GET", f"/programs/cisco/audit/seals?{query}", token_of(station))
    assert [item["n"] for item in page["items"]] == [7]
    _, page = await station.ask("GET", f"/programs/cisco/audit/seals?{query}&cursor={page['next']}", token_of(station))
    assert ([item["n"] for item in page["items"]], page["next"]) == ([1], None)
